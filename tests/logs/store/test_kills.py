"""What was acknowledged is there once, whenever the store is killed."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dayfly.logs.store.store import Store
from kept import everything
from kept.appender import LINES, SETTINGS, THREADS, batch

KILLS = 4


def killed_after(folder: Path, first: int, lines: int) -> list[int]:
    """Let an appender run until it acknowledged some batches, kill it; what it acknowledged."""
    argv = [sys.executable, "-m", "kept.appender", str(folder), str(first)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("seed", range(3))
def test_acknowledged_batches_survive_kills_exactly_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    for _ in range(KILLS):
        first = max(acknowledged, default=-1) // THREADS * THREADS
        acknowledged |= set(killed_after(tmp_path, max(0, first - THREADS), chance.randint(1, 60)))
    with Store(tmp_path, settings=SETTINGS) as store:
        for number in range(max(acknowledged) + 1):
            store.append(batch(number), batch=f"batch {number}")
        store.seal()
        found = everything(store)

        assert not store.problems
    numbers = sorted(int(message.split()[1]) for message in found)
    stored = max(numbers) // LINES + 1
    assert stored >= max(acknowledged) + 1
    assert len(numbers) == len(set(numbers))
    assert set(range((max(acknowledged) + 1) * LINES)) <= set(numbers)


def test_batches_acknowledged_before_the_kill_need_no_second_sending(tmp_path: Path) -> None:
    acknowledged = killed_after(tmp_path, 0, 40)
    with Store(tmp_path, settings=SETTINGS) as store:
        found = {int(message.split()[1]) for message in everything(store)}

    wanted = {number * LINES + line for number in acknowledged for line in range(LINES)}
    assert wanted <= found
