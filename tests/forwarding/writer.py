"""Writes lines that are all different, rotates meanwhile, and notes every line that it wrote."""

import os
import random
import shutil
import sys
import time
from pathlib import Path
from typing import IO

RENAMED, COPIED, GROWING = "renamed.log", "copied.log", "growing.log"


def write(folder: Path, seed: int, seconds: float) -> None:
    rng = random.Random(seed)
    logs = folder / "logs"
    open_now = {name: (logs / name).open("ab", buffering=0) for name in (RENAMED, COPIED, GROWING)}
    end = time.monotonic() + seconds
    number = 0
    with (folder / "written.txt").open("w") as note:
        while time.monotonic() < end:
            for _ in range(rng.randrange(1, 40)):
                number += 1
                name = rng.choice(list(open_now))
                line = f"{name} {seed} {number} x{'x' * rng.randrange(200)}"
                if rng.random() < 0.05:
                    line = f"  {line}"
                in_parts(open_now[name], f"{line}\n".encode(), rng)
                note.write(f"{line}\n")
            note.flush()
            if rng.random() < 0.1:
                rename(logs / RENAMED, open_now, rng)
            if rng.random() < 0.1:
                copy_and_cut(logs / COPIED)
            time.sleep(rng.random() * 0.05)


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
    write(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
