"""How many fleets fit, and how many computers of a size hold them: decided from figures alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, repeat
from typing import Literal

from dayfly.config.units import Size as Bytes
from dayfly.config.units import UnitError
from dayfly.errors import UsageError
from dayfly.machines.capacity import MB, UNKNOWN

Resource = Literal["memory", "CPU"]
RELEASING = 2  # fleets of an app that run during a release: incoming and outgoing
SYSTEM = 256 * MB  # that the system of a virtual machine takes, unless a person says otherwise
LEAST = 0.001  # CPUs of a machine that seemed to take none
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
    each = chain.from_iterable(repeat(need, need.machines * fleets) for need in needs)
    sorted_ = sorted(each, key=lambda need: _share(need, memory, size.cpus), reverse=True)
    computers = list[list[Need]]()
    for need in sorted_:
        room = (held for held in computers if _holds([*held, need], memory, size.cpus))
        if (held := next(room, None)) is None:
            computers.append([need])
        else:
            held.append(need)
    taken = sum(need.memory for need in sorted_) / memory
    busy = sum(need.cpus for need in sorted_) / size.cpus
    return Bought(
        count=len(computers),
        most=max(map(len, computers), default=0),
        first="memory" if taken >= busy else "CPU",
    )


def _share(need: Need, memory: int, cpus: float) -> float:
    return max(need.memory / memory, need.cpus / cpus)


def _holds(held: Sequence[Need], memory: int, cpus: float) -> bool:
    return sum(n.memory for n in held) <= memory and sum(n.cpus for n in held) <= cpus
