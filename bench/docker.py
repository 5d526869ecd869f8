"""The docker runtime beside `docker run` and a flip by hand."""

import subprocess
import time

import apps
from bench import byhand
from bench.row import Row, Skipped, times
from bench.world import World, world
from dayfly.command import CommandError, output_of, which
from ports import free_port

PART = "the docker runtime"
MACHINES = 2


def measure(rounds: int) -> list[Row | Skipped]:
    why = missing()
    if why:
        return [Skipped(PART, why)]
    with world("docker") as made:
        made.dayfly("up")
        return against_docker_run(made, rounds)


def missing() -> str:
    """Why it can't be measured; empty when it can."""
    if which("docker") is None:
        return "docker is not installed"
    try:
        output_of(["docker", "info"], seconds=10)
    except CommandError:
        return "no Docker Engine answers"
    return ""


def against_docker_run(world: World, rounds: int) -> list[Row | Skipped]:
    checkout = apps.repository(world.folder / "kinds")
    apps.commit(checkout, machines=MACHINES)
    world.release(checkout)
    ours, floors = [], []
    with byhand.balancer(world.folder / "by-hand", MACHINES) as balancer:
        for _ in range(rounds):
            floors.append(by_hand(serving_image(world), balancer))
            apps.commit(checkout, machines=MACHINES)
            told = world.release(checkout)
            ours.append(told.serving - told.moment("image.built"))
    return [
        times(
            PART,
            "image built → serving",
            ours,
            floors,
            "s",
            1.2,
            note="by hand: docker run twice, side by side, probe, flip",
        )
    ]


def serving_image(world: World) -> str:
    serving = world.client.get("/api/status")["apps"][0]["serving"]
    name = serving["machines"][0]["machine"]
    [container] = docker("ps", "--quiet", "--filter", f"label=dayfly.machine={name}").split()
    return docker("inspect", "--format", "{{.Image}}", container).strip()


def by_hand(image: str, balancer: byhand.Balancer) -> float:
    ports = [free_port() for _ in range(MACHINES)]
    began = time.monotonic()
    running = [
        subprocess.Popen(
            [
                "docker",
                "run",
                "--detach",
                "--rm",
                "--network=host",
                f"--env=PORT={port}",
                f"--name=bench-by-hand-{port}",
                "--memory=128m",
                "--init",
                image,
                "sh",
                "-c",
                "exec python3 app.py",
            ],
            stdout=subprocess.DEVNULL,
        )
        for port in ports
    ]
    try:
        for each in running:
            each.wait(60)
        byhand.prove_healthy(ports, "/healthz", passes=2, interval=0.1)
        balancer.flip(ports)
        return time.monotonic() - began
    finally:
        docker("rm", "--force", *(f"bench-by-hand-{port}" for port in ports))


def docker(*words: str) -> str:
    return output_of(["docker", *words])
