"""What a request costs through Dayfly's HAProxy, beside a hand-written minimal one."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import byhand
from bench.repository import begin
from bench.row import Row, Skipped, median, times
from bench.world import World
from dayfly.balancer.program import find_program
from dayfly.command import which

PART = "the proxy"
SECONDS = 2
ANSWER = """\
defaults
  mode http
  timeout client 60s
frontend web
  bind "127.0.0.1:${{PORT}}"
  http-request return status 200 content-type text/plain string "{body}"
"""
SETTINGS = """\
app = "answer"
[process.web]
run      = "exec {haproxy} -db -f answer.cfg"
machines = 1
health   = {{ path = "/", passes = 1, interval = "100ms", deadline = "10s" }}
[release]
watch = "0s"
"""


@dataclass(frozen=True)
class Run:
    per_second: float
    p50: float  # ms
    p99: float  # ms


def measure(world: World, rounds: int) -> list[Row | Skipped]:
    """The same HAProxy program and the same backend, which is a HAProxy that answers itself."""
    wrk = which("wrk")
    if wrk is None:
        return [Skipped(PART, "wrk is not installed (apt-get install wrk)")]
    world.release(checkout(world.folder / "answer"))
    address = answering(world)
    rows: list[Row | Skipped] = []
    with byhand.balancer(world.folder / "minimal", 1) as minimal:
        minimal.flip([int(address.rsplit(":", 1)[1])])
        for connections in (1, 64):
            ours, floor = [], []
            for _ in range(rounds):
                floor.append(load(wrk, minimal.port, connections))
                ours.append(load(wrk, world.http, connections))
            rows += told(ours, floor, connections)
    return rows


def checkout(folder: Path) -> Path:
    folder.mkdir()
    haproxy = str(Path(find_program(None)).resolve())
    (folder / "answer.cfg").write_text(ANSWER.format(body="x" * 1024))
    (folder / "dayfly.toml").write_text(SETTINGS.format(haproxy=haproxy))
    begin(folder)
    return folder


def answering(world: World) -> str:
    apps_now = world.client.get("/api/status")["apps"]
    serving = next(each["serving"] for each in apps_now if each["app"] == "answer")
    return str(serving["machines"][0]["address"])


def load(wrk: str, port: int, connections: int) -> Run:
    threads = min(connections, 2)
    words = ["-t", str(threads), "-c", str(connections), "-d", str(SECONDS), "--latency"]
    done = subprocess.run(
        [wrk, *words, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    )
    return read(done.stdout)


def read(said: str) -> Run:
    """What wrk prints."""
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"not all requests were answered: {said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found
    return Run(float(found[1]), _latency(said, "50%"), _latency(said, "99%"))


def _latency(said: str, which_one: str) -> float:
    found = re.search(rf"{which_one}\s+([\d.]+)(us|ms|s)\b", said)
    assert found
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def told(ours: list[Run], floor: list[Run], connections: int) -> list[Row]:
    where = f"{connections} connection{'s' * (connections > 1)}"
    rates = sorted(run.per_second for run in floor)
    note = f"minimal HAProxy itself: {rates[0]:,.0f} to {rates[-1]:,.0f} requests/s"
    cost = [1e6 / run.per_second for run in ours]
    cost_floor = [1e6 / run.per_second for run in floor]
    return [
        times(
            PART,
            f"time per request, {where}",
            median(cost),
            median(cost_floor),
            "µs",
            1.1,
            note=note,
        ),
        times(
            PART,
            f"p50, {where}",
            median([r.p50 for r in ours]),
            median([r.p50 for r in floor]),
            "ms",
            1.1,
        ),
        times(
            PART,
            f"p99, {where}",
            median([r.p99 for r in ours]),
            median([r.p99 for r in floor]),
            "ms",
            1.2,
        ),
    ]
