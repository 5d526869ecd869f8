"""Processes found again by what they were started with, whatever session they made."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from dayfly.clock import wait_until

_PROC = Path("/proc")
_PATIENCE = 10.0  # seconds for killed processes to be gone


def pids() -> Iterator[int]:
    """Of all processes."""
    names = os.listdir(_PROC)  # noqa: PTH208 - names only, a tenth of the time
    return (int(name) for name in names if name.isdecimal())


def marked(marks: Iterable[bytes]) -> Iterator[int]:
    """Processes whose environment holds all these `NAME=value`, as far as we may read it."""
    wanted = set(marks)
    for pid in pids():
        with suppress(OSError):
            if wanted <= set((_PROC / str(pid) / "environ").read_bytes().split(b"\0")):
                yield pid


def end_marked(mark: str) -> None:
    """Kill them, and what they start meanwhile."""

    def gone() -> bool:
        found = tuple(marked([os.fsencode(mark)]))
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found

    wait_until(gone, seconds=_PATIENCE, what=f"the end of what was started with {mark}")


def end_told(mark: str) -> None:
    """Kill what has this in its command line, but ourselves."""
    for pid in pids():
        with suppress(OSError):  # it has ended meanwhile
            told = os.fsencode(mark) in (_PROC / str(pid) / "cmdline").read_bytes()
            if told and pid != os.getpid():
                os.kill(pid, signal.SIGKILL)
