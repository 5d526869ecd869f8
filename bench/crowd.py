"""Fifty machines side by side."""

import os
import time
from pathlib import Path

import apps
from bench import byhand
from bench.memory import pss
from bench.repository import commit
from bench.row import Row, at_most, median
from bench.world import World

PART = "50 machines side by side"
MACHINES = 50


def measure(world: World) -> list[Row]:
    checkout = apps.repository(world.folder / "crowd")
    apps.commit(checkout, machines=MACHINES)
    settings = checkout / "dayfly.toml"
    settings.write_text(settings.read_text().replace('deadline = "10s"', 'deadline = "90s"'))
    commit(checkout, "Be patient")
    told = world.release(checkout)
    launched = next(
        e.time for e in told.events if e.kind == "stage.started" and e.data["stage"] == "launch"
    )
    floor = by_hand(checkout)
    there = world.client.get("/api/status")["apps"][0]["serving"]["machines"]
    if sum(machine["healthy"] for machine in there) != MACHINES:
        raise RuntimeError(f"{len(there)} machines, not all of them healthy")
    seconds = [world.dayfly("status") for _ in range(5)]
    return [
        Row(
            part=PART,
            what="launch → serving",
            ours=told.serving - launched,
            floor=floor,
            ratio=(told.serving - launched) / floor,
            unit="s",
            note="by hand: all started at once, and probed; one round",
        ),
        at_most(PART, "dayfly status", median(seconds), "s", 0.5),
        at_most(PART, "memory of the server", pss(world.pids()["server"]), "MB", 100),
    ]


def by_hand(checkout: Path) -> float:
    machines = byhand.Machines("exec python3 app.py", checkout, dict(os.environ))
    began = time.monotonic()
    try:
        ports = machines.start(MACHINES)
        byhand.prove_healthy(ports, "/healthz", passes=2, interval=0.1)
        return time.monotonic() - began
    finally:
        machines.end()
