"""The locks of a migration over time, as plain numbers: one lane per table, one bar per lock."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from dayfly.console.axis import Axis, axis, ticks
from dayfly.console.chart import Tick
from dayfly.console.words import milliseconds

LANES = 30  # more are only in the table below the drawing
HEAD, LANE, FOOT = 24, 46, 26  # pixels in height; all that goes across is in per cent
_NARROW = 4.0  # per cent: no room for a number above
_TOLD = 300  # letters of what others wrote, in a tooltip
_CLASSES = {"readers and writers": "all", "writers": "writers", "writers of the same rows": "rows"}
_HEIGHTS = {"all": 14, "writers": 14, "rows": 8, "nobody": 4}
_RANKS = ("nobody", "rows", "writers", "all")

Timeline = Sequence[Mapping[str, Any]]  # as `dayfly impact --json` has it


@dataclass(frozen=True)
class Held:
    """One lock, from the statement that takes it to the end of its transaction."""

    table: str
    lock: str
    blocks: str
    statement: str
    transaction: int
    start: float
    length: float
    ms: float | None  # None: nobody counted the rows
    limit: float | None = None  # where the budget is used up, if it is

    @property
    def whom(self) -> str:
        """Its class."""
        return _CLASSES.get(self.blocks, "nobody")

    @property
    def height(self) -> int:
        return _HEIGHTS[self.whom]

    @property
    def title(self) -> str:
        waits = f"{self.blocks} wait {milliseconds(self.ms)}" if self.blocks else "nobody waits"
        where = f"{self.lock} in transaction {self.transaction}"
        return f"{self.table}: {where}, {waits}. Taken by: {self.statement[:_TOLD]}"


@dataclass(frozen=True)
class Lane:
    table: str
    held: tuple[Held, ...]

    @property
    def worst(self) -> Held:
        """The lock that makes most wait longest."""
        return max(self.held, key=_weight)


@dataclass(frozen=True)
class Block:
    """One transaction."""

    number: int
    migrations: tuple[str, ...]
    start: float
    length: float
    ms: float | None

    @property
    def roomy(self) -> bool:
        return self.length >= _NARROW

    @property
    def title(self) -> str:
        names = f" ({', '.join(self.migrations)[:_TOLD]})" if self.migrations else ""
        return f"transaction {self.number}{names}, {milliseconds(self.ms)}"


@dataclass(frozen=True)
class Drawing:
    blocks: tuple[Block, ...]
    lanes: tuple[Lane, ...]
    hidden: tuple[Lane, ...]  # not drawn: there are too many
    ticks: tuple[Tick, ...]
    more: int  # statements that were only counted
    uncounted: int  # statements whose time nobody knows

    @property
    def height(self) -> int:
        return HEAD + LANE * len(self.lanes) + FOOT

    @property
    def all_lanes(self) -> tuple[Lane, ...]:
        return self.lanes + self.hidden

    @property
    def legend(self) -> list[tuple[str, str]]:
        """The classes that occur, strongest first."""
        words = {whom: f"{blocks} wait" for blocks, whom in _CLASSES.items()}
        seen = {held.whom for lane in self.lanes for held in lane.held}
        return [(whom, words.get(whom, "nobody waits")) for whom in _RANKS[::-1] if whom in seen]

    @property
    def over(self) -> int:
        """Locks that make somebody wait longer than the budget."""
        return sum(h.limit is not None for lane in self.all_lanes for h in lane.held)


@dataclass(frozen=True)
class _Transaction:
    """Its statements, the first of which is number `first` of all, on the common axis."""

    number: int
    statements: Sequence[Mapping[str, Any]]
    first: int
    axis: Axis
    budget: float | None  # milliseconds

    @property
    def block(self) -> Block:
        start, end = self._span(self.first, self._end)
        names = dict.fromkeys(statement["migration"] for statement in self.statements)
        ms = self._ms(self.first, self._end)
        return Block(self.number, tuple(filter(None, names)), start, end - start, ms)

    @property
    def held(self) -> Iterator[Held]:
        """A lock that grows stronger is a bar of its own from there."""
        taken: dict[str, list[tuple[int, Mapping[str, Any], str]]] = {}
        for place, statement in enumerate(self.statements, start=self.first):
            for lock in statement["locks"]:
                taken.setdefault(lock["table"], []).append((place, lock, statement["statement"]))
        for table, steps in taken.items():
            since = next((place for place, lock, _ in steps if lock["blocks"]), None)
            ends = [place for place, _, _ in steps[1:]] + [self._end]
            for (place, lock, text), end in zip(steps, ends, strict=True):
                start, stop = self._span(place, end)
                yield Held(
                    table=table,
                    lock=lock["lock"],
                    blocks=lock["blocks"],
                    statement=text,
                    transaction=self.number,
                    start=start,
                    length=stop - start,
                    ms=self._ms(place, end),
                    limit=self._limit(since, start, stop) if lock["blocks"] else None,
                )

    @property
    def _end(self) -> int:
        return self.first + len(self.statements)

    def _span(self, first: int, end: int) -> tuple[float, float]:
        return self.axis.edges[first], self.axis.edges[end]

    def _ms(self, first: int, end: int) -> float | None:
        spent = [s["ms"] for s in self.statements[first - self.first : end - self.first]]
        known = [ms for ms in spent if ms is not None]
        return sum(known) if len(known) == len(spent) else None

    def _limit(self, since: int | None, start: float, stop: float) -> float | None:
        """Where those who wait since then have waited for the whole budget."""
        if since is None or self.budget is None:
            return None
        used_up = self.axis.at(self.axis.times[since] + self.budget)
        return max(used_up, start) if used_up < stop else None


def drawing(timeline: Timeline, budget: float | None) -> Drawing:
    """`budget` is in seconds."""
    blocks = [entry["statements"] for entry in timeline if entry["statements"]]
    statements = [statement for block in blocks for statement in block]
    along = axis([statement["ms"] for statement in statements])
    firsts = accumulate(map(len, blocks), initial=0)
    transactions = [
        _Transaction(number, block, first, along, None if budget is None else budget * 1000)
        for number, (block, first) in enumerate(zip(blocks, firsts, strict=False), start=1)
    ]
    lanes = _lanes([held for transaction in transactions for held in transaction.held])
    shown = frozenset(lane.table for lane in sorted(lanes, key=_gravity, reverse=True)[:LANES])
    return Drawing(
        blocks=tuple(transaction.block for transaction in transactions),
        lanes=tuple(lane for lane in lanes if lane.table in shown),
        hidden=tuple(lane for lane in lanes if lane.table not in shown),
        ticks=tuple(ticks(along)),
        more=sum(entry.get("more", 0) for entry in timeline),
        uncounted=sum(statement["ms"] is None for statement in statements),
    )


def _lanes(held: Sequence[Held]) -> list[Lane]:
    """In the order in which tables are first locked."""
    found: dict[str, list[Held]] = {}
    for one in held:
        found.setdefault(one.table, []).append(one)
    return [Lane(table, tuple(bars)) for table, bars in found.items()]


def _weight(held: Held) -> tuple[bool, float, int]:
    return bool(held.blocks), math.inf if held.ms is None else held.ms, _RANKS.index(held.whom)


def _gravity(lane: Lane) -> tuple[bool, float, int]:
    return _weight(lane.worst)
