"""What a run of Ansible forks: each worker has a session of its own, so no signal to its group."""

import os
import signal
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def end_workers(place: Path) -> None:
    """Kill what still runs of the one run whose inventory lies in `place`."""
    mark = os.fsencode(f"{place}/")
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            with suppress(OSError):  # it has ended meanwhile
                if mark in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
