"""Processes found again by what they were started with, whatever session they made."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from dayfly.clock import wait_until

_PROC = Path("/proc")
_PATIENCE = 10.0  # seconds for killed processes to be gone


def marked(marks: Iterable[bytes]) -> Iterator[int]:
    """Processes whose environment holds all these `NAME=value`, as far as we may read it."""
    wanted = set(marks)
    for name in os.listdir(_PROC):  # noqa: PTH208 - names only, a tenth of the time
        with suppress(OSError):
            if name.isdecimal() and wanted <= set(
                (_PROC / name / "environ").read_bytes().split(b"\0")
            ):
                yield int(name)


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
    for name in os.listdir(_PROC):  # noqa: PTH208 - as above
        if name.isdecimal() and int(name) != os.getpid():
            with suppress(OSError):  # it has ended meanwhile
                if os.fsencode(mark) in (_PROC / name / "cmdline").read_bytes():
                    os.kill(int(name), signal.SIGKILL)
