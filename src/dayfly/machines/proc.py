"""Facts about processes, read from /proc."""

import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.marked import pids

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
LISTEN = "0A"
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Fact:
    pid: int
    state: str  # Z: ended, waits for its parent
    parent: int
    session: int
    start: int  # ticks since boot: with the pid it names one process
    cpu: float  # seconds
    memory: int  # bytes resident


def fact(pid: int) -> Fact | None:
    try:
        line = (PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = line[line.rindex(b")") + 2 :].split()
    return Fact(
        pid=pid,
        state=words[0].decode(),
        parent=int(words[1]),
        session=int(words[3]),
        start=int(words[19]),
        cpu=(int(words[11]) + int(words[12])) / TICKS,
        memory=int(words[21]) * PAGE,
    )


def facts() -> Iterator[Fact]:
    return filter(None, map(fact, pids()))


def alive(pid: int) -> bool:
    found = fact(pid)
    return found is not None and found.state not in "ZX"


def boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def memory_of(pids: Iterable[int]) -> int:
    """Bytes, what processes share counted once where the kernel tells."""
    return sum(_memory(pid) for pid in pids)


def _memory(pid: int) -> int:
    with suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    found = fact(pid)
    return found.memory if found else 0


def cpu_of(pids: Iterable[int]) -> float:
    return sum(found.cpu for pid in pids if (found := fact(pid)))


def descendants(pid: int, known: Iterable[Fact]) -> tuple[int, ...]:
    """`pid` and all below it."""
    found, living = {pid}, tuple(known)
    while more := {each.pid for each in living if each.parent in found} - found:
        found |= more
    return tuple(sorted(found))


def listening(pids: Iterable[int]) -> frozenset[int] | None:
    """TCP ports that these processes listen on; None when we may look at none of them."""
    found: set[int] | None = None
    for pid in pids:
        with suppress(OSError):
            sockets = set(_open_files(pid))
            found = found or set()
            for table in ("tcp", "tcp6"):
                found |= _listeners(PROC / str(pid) / "net" / table, sockets)
    return None if found is None else frozenset(found)


def _open_files(pid: int) -> Iterator[str]:
    for entry in (PROC / str(pid) / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed just now, as connections are all the time
            yield str(entry.readlink())


def _listeners(table: Path, sockets: set[str]) -> set[int]:
    """The kernel lists those that listen first; the thousands of others are not even read."""
    with table.open() as lines:
        next(lines, "")
        rows = itertools.takewhile(lambda row: row[3] == LISTEN, map(str.split, lines))
        return {
            int(row[1].rsplit(":", 1)[1], 16) for row in rows if f"socket:[{row[9]}]" in sockets
        }
