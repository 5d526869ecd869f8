"""Records in order of time, out of parts that overlap, without holding more than is needed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from dayfly.clock import Stop
from dayfly.logs.record import Record
from dayfly.logs.store.frame import joined, records
from dayfly.logs.store.part import Part
from dayfly.logs.store.wanted import Wanted

MOST_HELD = 400_000  # records in memory that wait for their turn
MOST_BYTES = 128 << 20  # of them, about
_PART = "part"  # no column of a frame is called so: attributes are others, fields have a colon


@dataclass
class Limits:
    """How far a search may go; what cuts it is kept in `cut`, in words for who asked."""

    stop: Stop = field(default_factory=Stop)
    seconds: float | None = None
    cut: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def reached(self) -> bool:
        """Whether the time is up; StoppedError when somebody asked to stop."""
        self.stop.check()
        if self.seconds is not None and time.monotonic() - self.began > self.seconds:
            self.tell(f"cut after {self.seconds:g} s")
            return True
        return False

    def tell(self, what: str) -> None:
        if what not in self.cut:
            self.cut.append(what)


def in_order(parts: Sequence[Part], wanted: Wanted, limit: int, limits: Limits) -> Iterator[Record]:
    """The first `limit` records, newest or oldest first.

    Of the same time, what lies in an earlier part (or before, in one part) came earlier.
    """
    sign = 1 if wanted.newest_first else -1
    edges = [part.last if wanted.newest_first else -part.first for part in parts]
    queue = sorted(zip(edges, range(len(parts)), strict=True), reverse=True)
    held = pl.DataFrame()
    for edge, number in queue:
        if limits.reached():
            return
        ready, held = _split(held, sign * edge, wanted)
        for record in records(ready.drop(_PART)) if ready.height else ():
            limits.stop.check()
            yield record
            limit -= 1
            if not limit:
                return
        held = _merged(held, parts[number].select(wanted, limit), number, wanted)
        most = _most(held)
        if held.height > min(limit, most):
            held = held.head(min(limit, most))
            if limit > most:
                limit = most
                limits.tell(f"cut after {most} records, more are too much to put in order")
    for record in records(held.head(limit).drop(_PART)) if held.height else ():
        limits.stop.check()
        yield record


def _most(held: pl.DataFrame) -> int:
    """How many of the records may be held."""
    size = int(held.estimated_size())
    return (
        MOST_HELD
        if size <= MOST_BYTES
        else max(1, min(MOST_HELD, held.height * MOST_BYTES // size))
    )


def _split(held: pl.DataFrame, edge: int, wanted: Wanted) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is before everything to come, and what has to wait."""
    if not held.height:
        return held, held
    time_ = pl.col("time")
    count = held.select((time_ > edge if wanted.newest_first else time_ < edge).sum()).item()
    return held.head(count), held.slice(count)


def _merged(held: pl.DataFrame, found: pl.DataFrame, part: int, wanted: Wanted) -> pl.DataFrame:
    if not found.height:
        return held
    fresh = found.with_columns(pl.lit(part).alias(_PART))
    if wanted.newest_first:
        fresh = fresh.reverse()
    frames = [held, fresh] if held.height else [fresh]
    return joined(frames).sort("time", _PART, descending=wanted.newest_first, maintain_order=True)
