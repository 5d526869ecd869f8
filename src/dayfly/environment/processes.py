"""Which processes run a command: how services are found that no supervisor knows any more."""

from collections.abc import Sequence
from pathlib import Path

PROC = Path("/proc")


def pids_of(words: Sequence[str]) -> list[int]:
    """Processes whose command line ends with these words."""
    return [
        int(folder.name)
        for folder in PROC.iterdir()
        if folder.name.isdecimal() and runs(int(folder.name), words)
    ]


def runs(pid: int, words: Sequence[str]) -> bool:
    """Whether a process is there still and is that program; a zombie is not."""
    try:
        said = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
    return said.endswith("".join(f"{word}\0" for word in words).encode())
