"""Answers, from one moment's view of memory and segments."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.record import Record
from dayfly.logs.store.aggregate import Answer, answered
from dayfly.logs.store.intake import Intake
from dayfly.logs.store.part import Needed, Part
from dayfly.logs.store.search import Limits, in_order
from dayfly.logs.store.segment import Segment
from dayfly.logs.store.shelf import DamagedError, Shelf
from dayfly.logs.store.wanted import Wanted

BROKEN = (DamagedError, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True)
class Shelved:
    """A segment that is opened when it is read, and put aside when it can't be."""

    segment: Segment
    shelf: Shelf
    limits: Limits
    first: int
    last: int

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:
        return self._read(lambda part: part.select(wanted, limit))

    def scan(self, wanted: Wanted, needed: Needed) -> pl.DataFrame:
        return self._read(lambda part: part.scan(wanted, needed))

    def _read(self, one: Callable[[Part], pl.DataFrame]) -> pl.DataFrame:
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

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:
        with self.turns:
            return self.part.select(wanted, limit)

    def scan(self, wanted: Wanted, needed: Needed) -> pl.DataFrame:
        with self.turns:
            return self.part.scan(wanted, needed)


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
            yield [
                InTurn(part, self.turns, part.first, part.last)
                for part in [*parts, *hot]
                if span.overlaps(part.first, part.last)
            ]
