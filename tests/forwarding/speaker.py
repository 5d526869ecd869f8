"""What a machine runs: it says lines that are all different, and notes each before and after."""

import os
import random
import sys
import time
from pathlib import Path

from forwarding.writer import STOP, noting


def speak(folder: Path, seed: int, life: int) -> None:
    rng = random.Random(seed * 1000 + life)
    number = 0
    with noting(folder / "begun.txt") as begun, noting(folder / "written.txt") as noted:
        while not (folder / STOP).exists():
            for _ in range(rng.randrange(1, 40)):
                number += 1
                line = f"said {seed}.{life} {number} x{'x' * rng.randrange(200)}\n".encode()
                begun.write(line)
                os.write(sys.stdout.fileno(), line)
                noted.write(line)
            time.sleep(rng.random() * 0.05)


if __name__ == "__main__":
    speak(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
