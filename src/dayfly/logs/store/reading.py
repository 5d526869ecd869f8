"""Answers, from one moment's view of memory and segments."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.record import Record
from dayfly.logs.store.aggregate import Answer, answered
from dayfly.logs.store.facets import Facets, facets_of
from dayfly.logs.store.frame import ATTRIBUTES, REST
from dayfly.logs.store.gaps import Missing
from dayfly.logs.store.intake import Intake
from dayfly.logs.store.part import Needed, Part
from dayfly.logs.store.search import Limits, in_order
from dayfly.logs.store.segment import Segment
from dayfly.logs.store.shelf import DamagedError, Shelf
from dayfly.logs.store.wanted import Wanted

MOST_LOOKED_INTO = 20  # parts, for the names of fields
Found = TypeVar("Found")
BROKEN = (DamagedError, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True)
class Shelved:
    """A segment that is opened when it is read, and put aside when it can't be."""

    segment: Segment
    shelf: Shelf
    limits: Limits
    first: int
    last: int

    @property
    def columns(self) -> AbstractSet[str]:
        try:
            return self.shelf.open(self.segment).columns
        except BROKEN as error:
            self.limits.tell("without " + self.shelf.quarantine(self.segment, str(error)))
            return frozenset()

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:
        return self._read(lambda part: part.select(wanted, limit))

    def scan(self, wanted: Wanted, needed: Needed) -> pl.DataFrame:
        return self._read(lambda part: part.scan(wanted, needed))

    def summary(self, wanted: Wanted) -> pl.DataFrame | None:
        return self._read(lambda part: part.summary(wanted))

    def _read(self, one: Callable[[Part], Found]) -> Found | pl.DataFrame:
        try:
            return one(self.shelf.open(self.segment))
        except BROKEN as error:
            self.limits.tell("without " + self.shelf.quarantine(self.segment, str(error)))
            return pl.DataFrame()


@dataclass(frozen=True)
class InTurn:
    """A part that waits for its turn: so many are read at once, whoever asks."""

    part: Part
    turns: threading.Semaphore
    first: int
    last: int

    @property
    def columns(self) -> AbstractSet[str]:
        return self.part.columns

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:
        with self.turns:
            return self.part.select(wanted, limit)

    def scan(self, wanted: Wanted, needed: Needed) -> pl.DataFrame:
        with self.turns:
            return self.part.scan(wanted, needed)

    def summary(self, wanted: Wanted) -> pl.DataFrame | None:
        return self.part.summary(wanted)


@dataclass(frozen=True)
class Reading:
    intake: Intake
    shelf: Shelf
    turns: threading.Semaphore

    def records(self, wanted: Wanted, limit: int, limits: Limits) -> Iterator[Record]:
        with self._parts(wanted, limits) as parts:
            yield from in_order(parts, wanted, limit, limits)

    def answer(self, pipe: tree.Pipe, wanted: Wanted, limits: Limits) -> Answer:
        with self._parts(wanted, limits) as parts:
            return answered(pipe, parts, wanted, limits)

    def facets(self, names: Sequence[str], size: int, wanted: Wanted, limits: Limits) -> Facets:
        with self._parts(wanted, limits) as parts:
            return facets_of(parts, wanted, names, size, limits)

    def span(self, wanted: Wanted) -> tuple[int, int] | None:
        """The first and the last time of what lies in segments and memory that overlap."""
        with self.intake.state:
            hot, segments = self.intake.parts(), self.shelf.manifest.segments
        times = [(part.first, part.last) for part in hot]
        times += [(segment.first, segment.last) for segment in segments]
        times += [(gap.first, gap.last) for gap in self.shelf.gaps.all]
        inside = [(first, last) for first, last in times if wanted.overlaps(first, last)]
        if not inside:
            return None
        first, last = min(first for first, _ in inside), max(last for _, last in inside)
        return max(first, wanted.since), min(last, max(first, wanted.until - 1))

    def fields(self, wanted: Wanted, limits: Limits) -> dict[str, str]:
        """Which fields the newest parts have, with the letters of their types; no record is read.

        Those that share the column `rest` are not among them.
        """
        found: dict[str, set[str]] = defaultdict(set)
        with self._parts(wanted, limits) as parts:
            newest = sorted(parts, key=lambda part: part.last, reverse=True)[:MOST_LOOKED_INTO]
            for part in newest:
                if limits.reached():
                    break
                for column in part.columns:
                    if column not in ATTRIBUTES and column != REST:
                        found[column[2:]].add(column[0])
        return {name: "".join(sorted(kinds)) for name, kinds in sorted(found.items())}

    @contextmanager
    def _parts(self, wanted: Wanted, limits: Limits) -> Iterator[list[Part]]:
        """What is there now and overlaps; nothing of it goes before the end."""
        span = wanted.narrowed()
        with self.intake.state:
            hot, segments = self.intake.parts(), self.shelf.pin()
        with self.shelf.pinned(segments):
            parts: list[Part] = [
                Shelved(each, self.shelf, limits, each.first, each.last) for each in segments
            ]
            parts += [Missing(gap, limits) for gap in self.shelf.gaps.all]
            yield [
                InTurn(part, self.turns, part.first, part.last)
                for part in [*parts, *hot]
                if span.overlaps(part.first, part.last)
            ]
