"""Writes lines that are all different, rotates meanwhile, and notes each line before and after."""

import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import IO

RENAMED, COPIED, GROWING = "renamed.log", "copied.log", "growing.log"


STOP = "stop"  # a file that ends the writer


def write(folder: Path, seed: int, life: int) -> None:
    """A machine: killed, it begins its next life in the files as they are."""
    rng = random.Random(seed * 1000 + life)
    logs = folder / "logs"
    open_now = {name: (logs / name).open("ab", buffering=0) for name in (RENAMED, COPIED, GROWING)}
    for file in open_now.values():
        os.write(file.fileno(), b"\n")  # ends what the last life left half
    number = 0
    with noting(folder / "begun.txt") as begun, noting(folder / "written.txt") as noted:
        while not (folder / STOP).exists():
            for _ in range(rng.randrange(1, 40)):
                number += 1
                name = rng.choice(list(open_now))
                line = f"{name} {seed}.{life} {number} x{'x' * rng.randrange(200)}"
                if rng.random() < 0.05:
                    line = f"  {line}"
                begun.write(f"{line}\n".encode())
                in_parts(open_now[name], f"{line}\n".encode(), rng)
                noted.write(f"{line}\n".encode())
            if rng.random() < 0.1:
                with unrotated(folder):
                    rename(logs / RENAMED, open_now, rng)
            if rng.random() < 0.1:
                with unrotated(folder):
                    copy_and_cut(logs / COPIED)
            time.sleep(rng.random() * 0.05)


def noting(path: Path) -> IO[bytes]:
    """What is written is there when its writer is killed."""
    return path.open("ab", buffering=0)


@contextmanager
def unrotated(folder: Path) -> Iterator[None]:
    """No rotation meanwhile: what rotates files is not in the machine, and not killed with it."""
    with (folder / "rotation.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def in_parts(file: IO[bytes], line: bytes, rng: random.Random) -> None:
    middle = rng.randrange(len(line)) if rng.random() < 0.05 else 0
    for part in (line[:middle], line[middle:]):
        os.write(file.fileno(), part)
        if middle:
            time.sleep(rng.random() * 0.05)


def rename(path: Path, open_now: dict[str, IO[bytes]], rng: random.Random) -> None:
    """As logrotate does it: the writer goes on in the old file for a moment."""
    shift(path)
    path.rename(f"{path}.1")
    if rng.random() < 0.5:
        os.write(open_now[RENAMED].fileno(), b"")
    open_now[RENAMED].close()
    open_now[RENAMED] = path.open("ab", buffering=0)


def copy_and_cut(path: Path) -> None:
    """Nobody writes meanwhile: what copytruncate itself loses is not the forwarder's."""
    shift(path)
    shutil.copyfile(path, f"{path}.1")
    os.truncate(path, 0)


def shift(path: Path) -> None:
    numbers = sorted(int(other.suffix[1:]) for other in path.parent.glob(f"{path.name}.*"))
    for number in reversed(numbers):
        Path(f"{path}.{number}").rename(f"{path}.{number + 1}")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
