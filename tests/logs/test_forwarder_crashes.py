"""Forwarder and store are killed at random moments, files rotate meanwhile: every line is once."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from forwarding import Scene, scene
from forwarding.writer import COPIED, GROWING, RENAMED

SECONDS = 5.0
NAMES = (RENAMED, COPIED, GROWING)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_line_is_there_exactly_once(tmp_path: Path, seed: int) -> None:
    with scene(tmp_path, parse=False) as made:
        killed_while_written(made, "store", seed)

        same(made.lines(), made)
        assert not (tmp_path / "differs").exists()
        assert made.kill("forwarder", signal.SIGTERM) == 0


def test_every_line_is_in_the_log_server_exactly_once(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        killed_while_written(made, "server", 4)

        same(made.found(), made)


def killed_while_written(made: Scene, store: str, seed: int) -> None:
    rng = random.Random(seed)
    made.start(store)
    made.start("forwarder")
    for name in NAMES:  # what is rotated before it was seen is nobody's
        (made.logs / name).write_text(f"{name} begins\n")
    made.wait_for_all(*sorted(made.logs.iterdir()))
    made.start("writer", str(seed), str(SECONDS))
    while made.processes["writer"].poll() is None:
        time.sleep(rng.random() * 0.8)
        what = rng.choice([store, "forwarder", "forwarder"])
        made.kill(what)
        time.sleep(rng.random() * rng.choice([0.01, 0.6]))
        made.start(what)
    assert made.kill("writer") == 0
    made.wait_for_all(*sorted(made.logs.iterdir()))


def same(found: Counter[str], made: Scene) -> None:
    written = Counter((made.folder / "written.txt").read_text().splitlines())
    written += Counter(f"{name} begins" for name in NAMES)
    assert found - written == Counter()
    assert written - found == Counter()
