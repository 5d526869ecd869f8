"""Segments that are written anew: merged, packed, without what is too old or is to be deleted.

What counts is the manifest: until it names the new segments nothing has happened, then all has.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl

from dayfly.clock import SECOND, Stop
from dayfly.logs.store.part import Sealed
from dayfly.logs.store.reading import BROKEN
from dayfly.logs.store.sealing import day_of, sealed
from dayfly.logs.store.segment import FINAL_LEVEL, LEVEL, Segment
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.shelf import Shelf
from dayfly.logs.store.upkeep import all_outlived, to_drop, to_merge, to_trim
from dayfly.logs.store.wanted import Wanted


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """How many records went. `without` names damaged segments, which were put aside."""

    records: int
    without: Sequence[str] = ()


@dataclass(frozen=True)
class Keeping:
    shelf: Shelf
    settings: Settings
    now: Callable[[], float]
    busy: threading.Lock = field(default_factory=threading.Lock)

    def compact(self) -> bool:
        """Merge small segments, or pack those of a day that is over; whether there were any."""
        with self.busy:
            segments = self.shelf.manifest.segments
            today = day_of(round(self.now() * SECOND))
            chosen = to_merge(segments, self.settings, today)
            frames = []
            for each in chosen:
                try:
                    frames.append(self.shelf.open(each).whole())
                except BROKEN as error:
                    self.shelf.quarantine(each, str(error))
                    return True
            if frames:
                level = FINAL_LEVEL if chosen[0].day < today else LEVEL
                fresh = sealed(self.shelf.days, frames, 2 * self.settings.rows, level)
                self.shelf.change(add=fresh, remove=chosen)
            return bool(frames)

    def retain(self) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        with self.busy:
            dropped = to_drop(self.shelf.manifest.segments, self.settings, self.now())
            if dropped:
                self.shelf.change(remove=dropped)
            for each, apps in to_trim(self.shelf.manifest.segments, self.settings, self.now()):
                self._trim(each, apps)
            if (before := all_outlived(self.settings, self.now())) is not None:
                self.shelf.gaps.forget(before)

    def _trim(self, segment: Segment, apps: frozenset[str]) -> None:
        try:
            frame = self.shelf.open(segment).whole()
        except BROKEN as error:
            self.shelf.quarantine(segment, str(error))
            return
        kept = frame.filter(~pl.col("app").is_in(list(apps)))
        with self._written() as written:
            written.extend(self._anew(segment, kept))
            self.shelf.change(add=written, remove=[segment])

    def delete(self, wanted: Wanted, stop: Stop) -> Deleted:
        """All wanted records of all segments, at once; StoppedError means that none are gone."""
        span, gone, without, count = wanted.narrowed(), list[Segment](), list[str](), 0
        with self.busy, self._written() as written:
            for segment in self.shelf.manifest.segments:
                stop.check()
                if not span.overlaps(segment.first, segment.last):
                    continue
                try:
                    kept = _kept(self.shelf.open(segment), wanted)
                except BROKEN as error:
                    without.append(self.shelf.quarantine(segment, str(error)))
                    continue
                if kept is not None:
                    gone.append(segment)
                    count += segment.rows - kept.height
                    written.extend(self._anew(segment, kept))
            if gone:
                self.shelf.change(add=written, remove=gone)
        return Deleted(records=count, without=without)

    def _anew(self, segment: Segment, kept: pl.DataFrame) -> list[Segment]:
        if not kept.height:
            return []
        return sealed(self.shelf.days, [kept], kept.height, segment.level)

    @contextmanager
    def _written(self) -> Iterator[list[Segment]]:
        """Segments that go again when the manifest does not get to name them."""
        written: list[Segment] = []
        try:
            yield written
        except BaseException:
            for each in written:
                each.path(self.shelf.days).unlink(missing_ok=True)
                each.index(self.shelf.days).unlink(missing_ok=True)
            raise


def _kept(part: Sealed, wanted: Wanted) -> pl.DataFrame | None:
    """What is left of a segment; None when nothing of it is wanted."""
    if not part.scan(wanted, lambda _: [pl.col("time")]).height:
        return None
    return part.without(wanted)
