"""The store: takes records in, keeps them, and answers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from dayfly.clock import Stop
from dayfly.durable import translated
from dayfly.logs.query import tree
from dayfly.logs.record import Record
from dayfly.logs.store.aggregate import Answer
from dayfly.logs.store.files import held
from dayfly.logs.store.intake import Intake
from dayfly.logs.store.reading import BROKEN, Reading
from dayfly.logs.store.sealing import SECOND, day_of, sealed
from dayfly.logs.store.search import Limits
from dayfly.logs.store.segment import FINAL_LEVEL, LEVEL
from dayfly.logs.store.settings import DEFAULTS, Settings
from dayfly.logs.store.shelf import Shelf
from dayfly.logs.store.upkeep import Usage, to_drop, to_merge, usage_of
from dayfly.logs.store.wanted import EARLIEST, LATEST, Wanted
from dayfly.rounds import Rounds

__all__ = ["ANYTIME", "EARLIEST", "LATEST", "Ask", "Found", "Store"]
ROUND_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a search is bound by; times are nanoseconds, from `since` on and before `until`."""

    since: int = EARLIEST
    until: int = LATEST
    seconds: float | None = None
    stop: Stop = field(default_factory=Stop)


@dataclass(frozen=True)
class Found:
    """Records one by one; `cut` says what is missing, as soon as something is."""

    _records: Iterator[Record]
    _limits: Limits

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def __next__(self) -> Record:
        return next(self._records)

    @property
    def cut(self) -> str:
        return "; ".join(self._limits.cut)


ANYTIME = Ask()


class Store:
    """A folder of records, open until its context ends. Its methods may be called by any thread."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Settings = DEFAULTS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._now = now
        self._exits = ExitStack()
        self._upkeep = threading.Lock()

    def __enter__(self) -> Self:
        with ExitStack() as exits, translated(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            exits.enter_context(held(self.folder))
            self._shelf = Shelf(self.folder)
            sequence = self._shelf.manifest.sealed
            self._intake = Intake(self.folder, sequence, self._settings, self._now)
            exits.callback(self._intake.close)
            self._rounds = Rounds("log store", ROUND_SECONDS, self._round)
            if self._settings.rounds:
                self._rounds.start()
                exits.callback(self._rounds.close)
            self._exits = exits.pop_all()
        turns = threading.Semaphore(self._settings.readers)
        self._reading = Reading(self._intake, self._shelf, turns)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def append(self, body: bytes, *, batch: str = "") -> int:
        """Take newline JSON of records; they are on disk when it returns their number.

        A batch whose identity was seen before is not taken again (0). BodyError and StoreFullError
        mean that nothing of it was taken.
        """
        return self._intake.append(body, batch)

    @property
    def full(self) -> bool:
        """Whether nothing more is taken until there is room on the disk."""
        return self._intake.full

    def search(
        self, query: tree.Query, *, limit: int = 100, newest_first: bool = True, ask: Ask = ANYTIME
    ) -> Found:
        """The first `limit` records, whatever the query's pipes make of them."""
        limits = Limits(stop=ask.stop, seconds=ask.seconds)
        wanted = Wanted(
            where=query.where, since=ask.since, until=ask.until, newest_first=newest_first
        )
        return Found(self._reading.records(wanted, limit, limits), limits)

    def aggregate(self, query: tree.Query, *, ask: Ask = ANYTIME) -> Answer:
        """The table that the first pipe of a query makes of all its records."""
        limits = Limits(stop=ask.stop, seconds=ask.seconds)
        wanted = Wanted(where=query.where, since=ask.since, until=ask.until)
        return self._reading.answer(query.pipes[0], wanted, limits)

    def usage(self) -> list[Usage]:
        """Of what is sealed, by app and day."""
        return usage_of(self._shelf.manifest.segments)

    @property
    def problems(self) -> list[str]:
        """What was found damaged since the store was opened."""
        return [*self._intake.problems, *self._shelf.problems]

    def seal(self) -> None:
        """Write what is in memory into segments, now."""
        with self._upkeep:
            last, parts = self._intake.to_seal()
            frames = [part.frame for part in parts]
            fresh = sealed(self._shelf.days, frames, self._settings.rows) if frames else []
            self._intake.forget(last, lambda: self._shelf.change(add=fresh, sealed=last))

    def compact(self) -> bool:
        """Merge small segments, or pack those of a day that is over; whether there were any."""
        with self._upkeep:
            segments = self._shelf.manifest.segments
            today = day_of(round(self._now() * SECOND))
            chosen = to_merge(segments, self._settings, today)
            frames = []
            for each in chosen:
                try:
                    frames.append(self._shelf.open(each).whole())
                except BROKEN as error:
                    self._shelf.quarantine(each, str(error))
                    return True
            if frames:
                level = FINAL_LEVEL if chosen[0].day < today else LEVEL
                fresh = sealed(self._shelf.days, frames, 2 * self._settings.rows, level)
                self._shelf.change(add=fresh, remove=chosen)
            return bool(frames)

    def retain(self) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        with self._upkeep:
            dropped = to_drop(self._shelf.manifest.segments, self._settings, self._now())
            if dropped:
                self._shelf.change(remove=dropped)

    def _round(self) -> None:
        self.retain()
        if self._intake.due:
            self.seal()
        while not self._rounds.stop.requested and self.compact():
            pass
