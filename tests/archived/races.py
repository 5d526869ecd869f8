"""Two processes whose threads all want to write one key at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from archived import BUCKET, archive, content

THREADS = 16  # of each process


@contextmanager
def racer(folder: Path, name: str) -> Iterator[tuple[IO[str], IO[str]]]:
    argv = [sys.executable, "-m", "archived.racer", str(folder), name, str(THREADS)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process.stdin, process.stdout
        process.stdin.close()
        assert process.wait() == 0


def trials(folder: Path, number: int) -> list[int]:
    """How many writers won, of each trial: one puts a key that is not there, one replaces it."""
    won = []
    with archive(folder, BUCKET) as repository, ExitStack() as stack:
        racers = [stack.enter_context(racer(folder, name)) for name in ("one", "other")]
        for trial in range(number):
            key = f"key {trial // 2}"
            etag = repository.head(BUCKET, key).etag if trial % 2 else "-"
            for stdin, _ in racers:
                stdin.write(f"{etag}\n")
                stdin.flush()
            winners = [who for _, stdout in racers for who in stdout.readline().split()]
            assert content(repository, key).decode() in winners
            won.append(len(winners))
    return won
