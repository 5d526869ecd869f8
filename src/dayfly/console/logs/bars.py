"""The histogram as plain numbers: where bars lie, and which span each of them is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dayfly.clock import SECOND
from dayfly.console.logs.records import tone
from dayfly.console.logs.view import View
from dayfly.logs.query import instants

HEIGHT = 96
MOST = 60  # bars
_LEAST = 1.5  # pixels: what is there is seen
_ORDER = ("bad", "warm", "good", "calm")  # from below
_WIDER = 2  # spans to either side


@dataclass(frozen=True, kw_only=True)
class Block:
    """Records of one tone."""

    tone: str
    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A span of time, also one with nothing in it; `left` and `width` in per cent."""

    since: str
    until: str
    left: float
    width: float
    count: int
    told: str
    blocks: list[Block]
    address: str


@dataclass(frozen=True, kw_only=True)
class Bars:
    slots: list[Slot]
    count: int
    most: int
    begin: str
    end: str
    wider: str  # the address of a view that spans more
    levels: list[tuple[str, int]]
    cut: str


def bars(found: Mapping[str, Any], view: View) -> Bars | None:
    """None where there is nothing to draw."""
    if not found["bars"]:
        return None
    width = round(found["seconds"] * SECOND)
    begin, end = (instants.begin_of(found[name]) for name in ("since", "until"))
    first = begin // width * width
    number = min((end - 1 - first) // width + 1, MOST + 1)
    made = {instants.begin_of(bar["time"]): bar for bar in found["bars"]}
    most = max(bar["count"] for bar in found["bars"])
    slots = [
        _slot(first + n * width, width, (n, number), made.get(first + n * width), most, view)
        for n in range(number)
    ]
    span = number * width
    wider = view.but(
        since=instants.iso(first - _WIDER * span), until=instants.iso(first + (1 + _WIDER) * span)
    )
    return Bars(
        slots=slots,
        count=sum(bar["count"] for bar in found["bars"]),
        most=most,
        begin=_short(slots[0].since),
        end=_short(slots[-1].until),
        wider=wider.address(),
        levels=_levels(found["bars"]),
        cut=found["cut"],
    )


def _slot(
    begin: int,
    width: int,
    place: tuple[int, int],
    bar: Mapping[str, Any] | None,
    most: int,
    view: View,
) -> Slot:
    since, until = instants.iso(begin), instants.iso(begin + width)
    count = bar["count"] if bar else 0
    number, of = place
    return Slot(
        since=since,
        until=until,
        left=100 * number / of,
        width=100 / of,
        count=count,
        told=f"{_short(since)} to {_short(until)}: {count:,}",
        blocks=list(_blocks(bar["levels"], most)) if bar else [],
        address=view.but(since=since, until=until).address(),
    )


def _blocks(levels: Mapping[str, int], most: int) -> Iterator[Block]:
    """One on the other, errors at the bottom."""
    floor = float(HEIGHT)
    for name in _ORDER:
        count = sum(number for level, number in levels.items() if tone(level) == name)
        if count:
            height = min(max((HEIGHT - 4) * count / most, _LEAST), floor)
            floor -= height
            yield Block(tone=name, y=floor, height=height)


def _levels(bars_: list[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many of each level, worst first, as far as they are well known."""
    counts: dict[str, int] = {}
    for bar in bars_:
        for level, count in bar["levels"].items():
            counts[level] = counts.get(level, 0) + count
    known = ("critical", "error", "warning", "info", "debug", "")
    others = sum(count for level, count in counts.items() if level not in known)
    told = [(level or "no level", counts[level]) for level in known if level in counts]
    return [*told, *([("other", others)] if others else [])]


def _short(time: str) -> str:
    """Without the parts of a second that are nothing."""
    return instants.to_the_millisecond(time).removesuffix(".000")
