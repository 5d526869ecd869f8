"""Whether the incoming machines fit beside all that runs, decided before launch."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.errors import DayflyError
from dayfly.machines.cgroup import ROOT
from dayfly.machines.machine import Usage
from dayfly.machines.proc import PROC

MB = 1024 * 1024
UNKNOWN = 64 * MB  # of a process that neither declares its memory nor ever ran
HEADROOM = 1.25  # what was measured may grow
RESERVE = 0.05  # of all memory, left to the host
LOADED = 4.0  # processes that run or wait, for each CPU, from which on it is told
CROWDED = 0.75  # part of all CPUs that the outgoing fleet takes, from which on it is told


class TooSmallError(DayflyError):
    """The host has no room for the incoming fleet beside the outgoing one."""


@dataclass(frozen=True)
class Wanted:
    """Machines of one process. `measured` is one machine of the outgoing fleet."""

    process: str
    machines: int
    memory: int | None = None  # bytes, as declared: a limit
    cpus: float | None = None
    measured: Usage | None = None

    @property
    def expected(self) -> int:
        """Bytes of one machine: what was measured, with room to grow, within what is declared."""
        if self.measured is None:
            return UNKNOWN if self.memory is None else self.memory
        grown = int(self.measured.memory * HEADROOM)
        return grown if self.memory is None else min(grown, self.memory)


@dataclass(frozen=True)
class Room:
    """What the host has. Memory in bytes."""

    memory: int
    free: int
    cpus: int
    load: float  # processes that run or wait, over the last minute

    @property
    def usable(self) -> int:
        return max(0, self.free - int(self.memory * RESERVE))


@dataclass(frozen=True)
class Refusal:
    reason: str
    offers: tuple[str, ...]


def fit(wanted: Sequence[Wanted], room: Room, *, warm: int = 0) -> Refusal | None:
    """None when all fit. `warm`: bytes that fleets kept for rollback use now."""
    for each in wanted:
        if each.cpus is not None and each.cpus > room.cpus:
            return Refusal(
                f"each {each.process} machine wants {each.cpus:g} CPUs, the host has {room.cpus}",
                (f"[process.{each.process}] cpus = {room.cpus}",),
            )
    needed = sum(each.machines * each.expected for each in wanted)
    if needed <= room.usable:
        return None
    listed = ", ".join(f"{each.machines} {each.process} at {_mb(each.expected)}" for each in wanted)
    return Refusal(
        f"the incoming machines need {_mb(needed)} ({listed}), "
        f"{_mb(room.usable)} of {_mb(room.memory)} are free beside what runs",
        tuple(_offers(wanted, room.usable, needed, warm)),
    )


def _offers(wanted: Sequence[Wanted], usable: int, needed: int, warm: int) -> list[str]:
    offers = []
    for each in wanted:
        others = needed - each.machines * each.expected
        possible = (usable - others) // max(1, each.expected)
        if 1 <= possible < each.machines:
            offers.append(f"fewer machines: [process.{each.process}] machines = {possible}")
    if warm and needed <= usable + warm:
        offers.append(f"warm = 0: retiring the warm fleet frees {_mb(warm)}")
    return [*offers, f"{_mb(needed - usable)} more memory"]


def strain(room: Room, outgoing: float = 0.0) -> str:
    """What to tell about a busy host; empty for a calm one. `outgoing`: CPUs its fleet takes.

    No refusal: the fleets work one after the other, and the load may be the release's own build,
    or the very reason for a rollback.
    """
    told = []
    if outgoing > CROWDED * room.cpus:
        told.append(f"the outgoing fleet takes {outgoing:.1f} of {room.cpus} CPUs")
    if room.load > LOADED * room.cpus:
        told.append(f"{room.load:.1f} processes run or wait for {room.cpus} CPUs")
    return f"the host is busy, machines start slowly: {'; '.join(told)}" if told else ""


def require_room(wanted: Sequence[Wanted], room: Room, *, warm: int = 0) -> None:
    """TooSmallError with figures and offers unless they fit."""
    if refusal := fit(wanted, room, warm=warm):
        raise TooSmallError(refusal.reason, hint="\n".join(f"- {each}" for each in refusal.offers))


def room_of_host(proc: Path = PROC, cgroup: Path = ROOT) -> Room:
    """Measured now, within the limit that a container or service around us sets."""
    meminfo = _meminfo((proc / "meminfo").read_text())
    limit, used = _own_limit(proc, cgroup)
    memory = min(meminfo["MemTotal"], limit)
    return Room(
        memory=memory,
        free=min(meminfo["MemAvailable"], max(0, limit - used)),
        cpus=len(os.sched_getaffinity(0)),
        load=float((proc / "loadavg").read_text().split()[0]),
    )


def _meminfo(text: str) -> Mapping[str, int]:
    """Bytes."""
    rows = (line.split() for line in text.splitlines())
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if row[-1] == "kB"}


def _own_limit(proc: Path, cgroup: Path) -> tuple[int, int]:
    """Bytes that we may use and do use; what no cgroup limits is as good as endless."""
    tightest = (1 << 62, 0)
    for line in (proc / "self" / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            base = cgroup / "memory"
        elif not controllers:
            names, base = ("memory.max", "memory.current"), cgroup
        else:
            continue
        for folder in (base / path.strip("/"), base):
            limit, used = _number(folder / names[0]), _used(folder, names[1])
            if limit is not None and used is not None and limit - used < tightest[0] - tightest[1]:
                tightest = limit, used
    return tightest


def _used(folder: Path, name: str) -> int | None:
    """Without file contents that the kernel drops when memory is needed."""
    used = _number(folder / name)
    if used is None:
        return None
    rows = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
    stat = {row[0]: int(row[1]) for row in rows}
    return used - stat.get("total_inactive_file", stat.get("inactive_file", 0))


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _mb(size: int) -> str:
    return f"{size / MB:,.0f} MB"
