"""How many fleets fit, and how many computers of a size hold them: decided from figures alone."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dayfly.config.units import Size as Bytes
from dayfly.config.units import UnitError
from dayfly.errors import UsageError
from dayfly.machines.capacity import MB, UNKNOWN

Resource = Literal["memory", "CPU"]
RELEASING = 2  # fleets of an app that run during a release: incoming and outgoing
SYSTEM = 256 * MB  # that the system of a virtual machine takes, unless a person says otherwise
LEAST = 0.001  # CPUs of a machine that seemed to take none
_ROUNDING = 1e-9  # of sums of CPUs
_SIZE = re.compile(
    r"(?P<cpus>[0-9]+(?:\.[0-9]+)?)cpu,(?P<memory>[0-9.]+[A-Z]+)(?:=(?P<price>[0-9]+(?:\.[0-9]+)?))?"
)


@dataclass(frozen=True, kw_only=True)
class Need:
    """Machines of one process, in one fleet; what each takes at its busiest, with room to grow."""

    name: str  # for people
    machines: int
    memory: int = UNKNOWN  # bytes
    cpus: float = LEAST


@dataclass(frozen=True, kw_only=True)
class Size:
    """A computer that can be had. `price` is for a month, as whoever asks has it."""

    cpus: float
    memory: int  # bytes
    price: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.cpus:g}cpu,{Bytes(self.memory)}"


@dataclass(frozen=True, kw_only=True)
class Fits:
    """Fleets by what each resource allows; `first` is the one that runs out first."""

    memory: int
    cpus: int

    @property
    def fleets(self) -> int:
        return min(self.memory, self.cpus)

    @property
    def first(self) -> Resource:
        return "memory" if self.memory <= self.cpus else "CPU"


@dataclass(frozen=True, kw_only=True)
class Bought:
    """So many of a size hold all machines."""

    count: int
    most: int  # machines that one of them holds
    first: Resource

    def month(self, price: Decimal | None) -> Decimal | None:
        return None if price is None else self.count * price


def size_of(text: str) -> Size:
    """Of `2cpu,4GB=6.50`."""
    found = _SIZE.fullmatch(text)
    try:
        memory = Bytes.parse(found["memory"]) if found else Bytes(0)
    except UnitError:
        memory = Bytes(0)
    if not found or not memory or not float(found["cpus"]):
        raise UsageError(
            f"{text!r} is no size of a computer",
            hint="Allowed is 2cpu,4GB=6.50: CPUs, memory and the price of a month; without =6.50"
            " nothing is told of money.",
        )
    price = Decimal(found["price"]) if found["price"] else None
    return Size(cpus=float(found["cpus"]), memory=memory, price=price)


def fits(needs: Sequence[Need], *, memory: int, cpus: float) -> Fits | None:
    """Fleets of all these in so much; None where there are no machines."""
    wanted = sum(need.machines * need.memory for need in needs)
    busy = sum(need.machines * need.cpus for need in needs)
    if not wanted:
        return None
    return Fits(memory=max(0, memory) // wanted, cpus=int(cpus / busy))


def bought(needs: Sequence[Need], size: Size, *, system: int, fleets: int) -> Bought | str:
    """What holds so many fleets, each computer less its own system; else what doesn't fit, and why.

    The largest machine is placed first, into the first computer that has room for it.
    """
    memory = size.memory - system
    for need in needs:
        if need.memory > memory:
            return (
                f"{need.name} needs {need.memory // MB:,} MB, {max(0, memory) // MB:,} MB are left"
            )
        if need.cpus > size.cpus:
            return f"{need.name} takes {need.cpus:.2f} CPUs"
    sorted_ = sorted(needs, key=lambda need: _share(need, memory, size.cpus), reverse=True)
    alike = list[_Alike]()
    for need in sorted_:
        alike = _placed(need, need.machines * fleets, alike, _Alike(memory=memory, cpus=size.cpus))
    taken = sum(need.machines * need.memory for need in needs) / memory
    busy = sum(need.machines * need.cpus for need in needs) / size.cpus
    return Bought(
        count=sum(each.count for each in alike),
        most=max((each.machines for each in alike), default=0),
        first="memory" if taken >= busy else "CPU",
    )


@dataclass(frozen=True, kw_only=True)
class _Alike:
    """Computers in a row that hold the same: so placing takes no longer for more fleets."""

    memory: int  # that each has left
    cpus: float
    count: int = 0
    machines: int = 0  # of each

    def room(self, need: Need) -> int:
        """Machines of this need that one of them still takes."""
        by_cpus = int(self.cpus / need.cpus + _ROUNDING)
        return min(self.memory // need.memory, by_cpus) if need.memory else by_cpus

    def split(self, need: Need, counts: Iterable[tuple[int, int]]) -> Iterator["_Alike"]:
        """So many of them, each with so many machines more."""
        for count, more in counts:
            if count:
                yield _Alike(
                    memory=self.memory - more * need.memory,
                    cpus=self.cpus - more * need.cpus,
                    count=count,
                    machines=self.machines + more,
                )


def _placed(need: Need, machines: int, alike: Sequence[_Alike], empty: _Alike) -> list[_Alike]:
    """Each is filled before the next; what is left gets computers that were `empty`."""
    placed = list[_Alike]()
    for each in alike:
        room = each.room(need)
        full, rest = divmod(min(machines, room * each.count), room) if room else (0, 0)
        machines -= full * room + rest
        untouched = each.count - full - bool(rest)
        placed += each.split(need, [(full, room), (bool(rest), rest), (untouched, 0)])
    full, rest = divmod(machines, empty.room(need))
    return [*placed, *empty.split(need, [(full, empty.room(need)), (bool(rest), rest)])]


def _share(need: Need, memory: int, cpus: float) -> float:
    return max(need.memory / memory, need.cpus / cpus)
