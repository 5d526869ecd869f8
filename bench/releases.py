"""Code-only releases of the order desk, each beside the same steps by hand."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from bench import byhand
from bench.repository import git
from bench.row import Row, at_most, median, times
from bench.world import ROOT, Told, World
from dayfly.config.app import App
from dayfly.config.load import load_app
from dayfly.database.programs import programs
from dayfly.database.scratch import scratch_server

PART = "a code-only release of the order desk"
WEB = "web"


@dataclass(frozen=True)
class Desk:
    """The order desk's checkout, and the database of its production."""

    folder: Path
    database: str
    secret: str

    @property
    def app(self) -> App:
        return load_app((self.folder / "dayfly.toml").read_text())

    def commit_code(self, number: int) -> None:
        """A change that touches code only."""
        with (self.folder / "orders" / "web.py").open("a") as file:
            file.write(f"# change {number}\n")
        git(self.folder, "commit", "--quiet", "--all", "--message", f"Change {number}")


@contextmanager
def desk(world: World) -> Iterator[Desk]:
    folder = world.folder / "orders"
    subprocess.run([str(ROOT / "examples" / "orders" / "history"), str(folder)], check=True)
    settings = folder / "dayfly.toml"
    settings.write_text(settings.read_text().replace('watch        = "5s"', 'watch = "1s"'))
    git(folder, "commit", "--quiet", "--all", "--message", "Watch for a second")
    place = world.folder / "postgres"
    with scratch_server(place, programs(None)) as server, server.database() as url:
        made = Desk(folder, url, secrets.token_hex(16))
        world.dayfly("secret", "set", "DATABASE_URL", at=folder, said=url)
        world.dayfly("secret", "set", "SECRET_KEY", at=folder, said=made.secret)
        yield made


@dataclass(frozen=True)
class ByHand:
    """Seconds of the steps."""

    test: float
    rest: float  # migrate, start, probe, smoke, flip

    @property
    def whole(self) -> float:
        return self.test + self.rest


def measure(world: World, desk: Desk, rounds: int) -> list[Row]:
    """The first release builds everything; the others are what is measured."""
    world.release(desk.folder)
    ours: list[Told] = []
    floors: list[ByHand] = []
    count = desk.app.process[WEB].machines
    with byhand.balancer(world.folder / "by-hand", count) as balancer:
        for number in range(rounds):
            floors.append(by_hand(world, desk, balancer, number))
            desk.commit_code(number)
            ours.append(world.release(desk.folder))
    return [*against_the_floor(ours, floors), *told(ours, floors)]


def against_the_floor(ours: list[Told], floors: list[ByHand]) -> list[Row]:
    after_build = [each.serving - each.moment("image.built") for each in ours]
    without_tests = [
        seconds - each.stage("test") for seconds, each in zip(after_build, ours, strict=True)
    ]
    return [
        times(
            PART,
            "image built → serving",
            after_build,
            [floor.whole for floor in floors],
            "s",
            1.2,
            note="by hand: its tests, migrate, start, probe, smoke, flip",
        ),
        Row(
            part=PART,
            what="the same without its tests",
            ours=median(without_tests),
            floor=median([floor.rest for floor in floors]),
            unit="s",
        ),
    ]


def told(ours: list[Told], floors: list[ByHand]) -> list[Row]:
    whole = [each.serving - each.began for each in ours]
    own = [floor.whole for floor in floors]
    stages = ("checkout", "build", "test", "migrate", "launch", "verify", "cut over")
    shown = ", ".join(f"{name} {median([t.stage(name) for t in ours]):.2f}" for name in stages)
    return [
        Row(part=PART, what="typed → serving", ours=median(whole), unit="s", note=shown),
        at_most(
            PART,
            "typed → serving, without its build, tests and boot",
            median([seconds - mine for seconds, mine in zip(whole, own, strict=True)]),
            "s",
            10,
        ),
        at_most(PART, "cutover", median([t.data("cutover")["seconds"] for t in ours]), "s", 1),
    ]


def by_hand(world: World, desk: Desk, balancer: byhand.Balancer, number: int) -> ByHand:
    """All steps once, with the image that serves; what was started is ended untimed."""
    app, image = desk.app, serving_image(world)
    env = surroundings(image, desk)
    began = time.monotonic()
    folder = world.folder / f"by-hand-{number}" / "app"
    shutil.copytree(image / "app", folder, symlinks=True)
    run_tests(app, folder, env)
    tested = time.monotonic()
    machines = byhand.Machines(app.process[WEB].run, folder, env)
    try:
        migrate = app.database.migrate if app.database else None
        byhand.command(str(migrate), folder, env)
        ports = machines.start(app.process[WEB].machines)
        health = app.process[WEB].health
        byhand.prove_healthy(ports, health.path, passes=health.passes, interval=health.interval)
        base = {"BASE_URL": f"http://127.0.0.1:{ports[0]}"}
        byhand.command(str(app.release.smoke), folder, {**env, **base})
        balancer.flip(ports)
        done = time.monotonic()
    finally:
        machines.end()
    return ByHand(tested - began, done - tested)


def run_tests(app: App, folder: Path, env: Mapping[str, str]) -> None:
    """In a database of their own, on the server that runs anyway."""
    assert app.test is not None
    name = f"test_{secrets.token_hex(4)}"
    url = env["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    fresh = url.rpartition("/")[0] + f"/{name}"
    byhand.command(app.test.run, folder, {**env, "DATABASE_URL": fresh})


def serving_image(world: World) -> Path:
    """The newest built tree."""
    marks = world.home.images.glob("*/*/image.json")
    return max(marks, key=lambda mark: mark.stat().st_mtime).parent


def surroundings(image: Path, desk: Desk) -> dict[str, str]:
    return {
        "PATH": f"{image / 'venv' / 'bin'}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(image / "venv"),
        "LANG": "C.UTF-8",
        "DATABASE_URL": desk.database,
        "SECRET_KEY": desk.secret,
        "DAYFLY_RELEASE": "0",
    }
