"""Forwarder, store and machine killed again and again while files grow and rotate."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

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
    rng, killed = random.Random(seed), Counter[str]()
    turn: list[tuple[str, ...]] = []
    victims: list[tuple[str, ...]] = [(store,), ("forwarder",), (store, "forwarder"), ("writer",)]
    made.start(store)
    made.start("forwarder")
    for name in NAMES:  # what is rotated before it was seen is nobody's
        (made.logs / name).write_text(f"{name} begins\n")
    made.wait_for_all(*sorted(made.logs.iterdir()))
    made.start("writer", str(seed), "0")
    while killed.total() < kills:
        time.sleep(rng.random() * 0.8)
        turn = turn or rng.sample(victims, len(victims))
        chosen = turn.pop()
        with unrotated(made.folder):
            for what in chosen:
                made.kill(what)
        killed[" and ".join(chosen).replace("writer", "machine")] += 1
        time.sleep(rng.random() * rng.choice([0.01, 0.6]))
        for what in chosen:
            made.start(what, *([str(seed), str(killed.total())] if what == "writer" else []))
    (made.folder / STOP).touch()
    assert made.processes.pop("writer").wait(30) == 0
    made.wait_for_all(*sorted(made.logs.iterdir()))
    return killed


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
        part = next((each for each in more if line.startswith(each)), "")
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
