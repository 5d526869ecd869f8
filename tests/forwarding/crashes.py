"""Forwarder and store killed again and again while files grow and rotate."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from forwarding import Scene, scene
from forwarding.writer import COPIED, GROWING, RENAMED

SECONDS = 5.0
NAMES = (RENAMED, COPIED, GROWING)


@dataclass(frozen=True, kw_only=True)
class Killed:
    """`kills` of what, and what then was missing or there too often."""

    kills: Counter[str]
    lines: int
    lost: int
    doubled: int


def killed_while_written(made: Scene, store: str, seed: int, *, both: bool = False) -> Counter[str]:
    """Until all that was written is in the store; how often what was killed."""
    rng, kills = random.Random(seed), Counter[str]()
    third = (store, "forwarder") if both else ("forwarder",)
    made.start(store)
    made.start("forwarder")
    for name in NAMES:  # what is rotated before it was seen is nobody's
        (made.logs / name).write_text(f"{name} begins\n")
    made.wait_for_all(*sorted(made.logs.iterdir()))
    made.start("writer", str(seed), str(SECONDS))
    while made.processes["writer"].poll() is None:
        time.sleep(rng.random() * 0.8)
        chosen = rng.choice([(store,), ("forwarder",), third])
        for what in chosen:
            made.kill(what)
        kills[" and ".join(chosen)] += 1
        time.sleep(rng.random() * rng.choice([0.01, 0.6]))
        for what in chosen:
            made.start(what)
    assert made.kill("writer") == 0
    made.wait_for_all(*sorted(made.logs.iterdir()))
    return kills


def written(made: Scene) -> Counter[str]:
    lines = Counter((made.folder / "written.txt").read_text().splitlines())
    return lines + Counter(f"{name} begins" for name in NAMES)


def against_the_log_server(folder: Path, seed: int) -> Killed:
    with scene(folder) as made:
        kills = killed_while_written(made, "server", seed, both=True)
        found, wanted = made.found(), written(made)
        made.kill("forwarder", signal.SIGTERM)
    return Killed(
        kills=kills,
        lines=wanted.total(),
        lost=(wanted - found).total(),
        doubled=(found - wanted).total(),
    )
