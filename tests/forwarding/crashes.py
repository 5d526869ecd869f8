"""Forwarder, store and machine killed again and again while files grow and rotate."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import wait_until
from dayfly.logs.forwarder.starting import OUTPUT
from forwarding import Scene, scene
from forwarding.writer import COPIED, GROWING, RENAMED, STOP, unrotated

NAMES = (RENAMED, COPIED, GROWING)


@dataclass(frozen=True, kw_only=True)
class Killed:
    """`kills` of what, and what then was missing or there too often."""

    kills: Counter[str]
    lines: int
    lost: int
    doubled: int


def killed_while_written(made: Scene, store: str, seed: int, *, kills: int) -> Counter[str]:
    """Until all that was written is in the store; how often what was killed."""
    rng, killed, machines = random.Random(seed), Counter[str](), list[int]()
    turn: list[tuple[str, ...]] = []
    victims = [(store,), ("forwarder",), (store, "forwarder"), ("writer",), ("speaker",)]
    made.start(store)
    made.start("forwarder")
    for name in NAMES:  # what is rotated before it was seen is nobody's
        (made.logs / name).write_text(f"{name} begins\n")
    made.wait_for_all(*sorted(made.logs.iterdir()))
    _again(made, "writer", seed, 0, machines)
    _again(made, "speaker", seed, 0, machines)
    while killed.total() < kills:
        time.sleep(rng.random() * 0.8)
        turn = turn or rng.sample(victims, len(victims))
        chosen = turn.pop()
        if chosen == ("speaker",):
            made.end(machines[-1])
        else:
            with unrotated(made.folder):
                for what in chosen:
                    made.kill(what)
        killed[" and ".join(map(_told, chosen))] += 1
        time.sleep(rng.random() * rng.choice([0.01, 0.6]))
        for what in chosen:
            _again(made, what, seed, killed.total(), machines)
    (made.folder / STOP).touch()
    assert made.processes.pop("writer").wait(30) == 0
    assert made.processes.pop("speaker").wait(30) == 0
    made.wait_for_all(*sorted(made.logs.iterdir()), *sorted(made.output.glob(f"*/{OUTPUT}")))
    return killed


def _told(what: str) -> str:
    """A machine is what writes into files, or what a runtime runs and keeps the output of."""
    return {"writer": "machine", "speaker": "machine of a runtime"}.get(what, what)


def _again(made: Scene, what: str, seed: int, life: int, machines: list[int]) -> None:
    if what == "speaker":
        machines.append(len(machines) + 1)
        with _growing(made.machine(machines[-1]) / OUTPUT):
            made.launch(seed, machines[-1])
    elif what == "writer":
        with _growing(made.logs / GROWING):
            made.start(what, str(seed), str(life))
    else:
        made.start(what)


@contextmanager
def _growing(path: Path) -> Iterator[None]:
    """What is started in the body writes before it is killed again, however slow a start is."""
    before = path.stat().st_size if path.exists() else 0
    yield
    wait_until(lambda: path.exists() and path.stat().st_size > before, seconds=30, what="a line")


def written(made: Scene) -> Counter[str]:
    """Lines whose write returned."""
    lines = Counter((made.folder / "written.txt").read_text().splitlines())
    return lines + Counter(f"{name} begins" for name in NAMES)


def doubled(made: Scene, found: Counter[str]) -> Counter[str]:
    """What is there too often: of a line in whose write a machine was killed, a part may be."""
    more = found - written(made)
    del more[""]  # each life begins with an empty line
    begun = Counter((made.folder / "begun.txt").read_text().splitlines())
    for line in (begun - written(made)).elements():
        parts = (each for each in more if line.startswith(each))
        part = max(parts, key=len, default="")  # a shorter one may be of another line
        more -= Counter([part])
    return more


def against_the_log_server(folder: Path, seed: int, kills: int) -> Killed:
    with scene(folder) as made:
        killed = killed_while_written(made, "server", seed, kills=kills)
        found, wanted = made.found(), written(made)
        made.kill("forwarder", signal.SIGTERM)
        more = doubled(made, found)
    return Killed(
        kills=killed,
        lines=wanted.total(),
        lost=(wanted - found).total(),
        doubled=more.total(),
    )
