"""How many records there were when, by level: what is drawn above a list of records."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.clock import DAY, SECOND
from dayfly.logs.query import instants, tree
from dayfly.logs.store.store import EARLIEST, LATEST, Ask, Store

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
WIDTHS: Sequence[int] = (
    *(n * SECOND // 1000 for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14, 30, 90, 365)),
)


@dataclass(frozen=True, kw_only=True)
class Bar:
    time: int  # where it begins
    count: int
    levels: dict[str, int]  # "" is of records that told none


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Bars with something in them; each spans `width` nanoseconds."""

    since: int
    until: int
    width: int
    bars: list[Bar]
    cut: str = ""


def width_of(span: int, bars: int) -> int:
    """The smallest readable width with which no more bars are needed."""
    return next((width for width in WIDTHS if span <= width * (bars - 1)), _whole_years(span, bars))


def histogram(store: Store, where: tree.Node, *, bars: int, ask: Ask) -> Histogram:
    span = store.span(ask)
    if span is None:
        return Histogram(since=0, until=0, width=SECOND, bars=[])
    first, last = chosen(span, ask)
    width = width_of(last - first, bars)
    counted = tree.Count(("level",), width / SECOND)
    answer = store.aggregate(tree.Query(where, (counted,)), ask=ask)
    found: dict[str, dict[str, int]] = {}
    for row in answer.rows:
        levels = found.setdefault(str(row["time"]), {})
        levels[str(row["level"] or "")] = int(row["count"] or 0)
    made = [
        Bar(time=instants.begin_of(text), count=sum(levels.values()), levels=levels)
        for text, levels in found.items()
    ]
    return Histogram(since=first, until=last + 1, width=width, bars=made, cut=answer.cut)


def chosen(span: tuple[int, int], ask: Ask) -> tuple[int, int]:
    """What was asked for, also where nothing is in it; where nothing was, what there is."""
    first, last = span
    if ask.since != EARLIEST:
        first, last = ask.since, max(last, ask.now)
    return first, last if ask.until == LATEST else ask.until - 1


def _whole_years(span: int, bars: int) -> int:
    year = WIDTHS[-1]
    return -(-span // ((bars - 1) * year)) * year
