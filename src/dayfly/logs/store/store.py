"""The store: takes records in, keeps them, and answers."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import polars as pl

from dayfly.clock import Stop
from dayfly.durable import translated
from dayfly.logs.query import tree
from dayfly.logs.record import Record
from dayfly.logs.store.aggregate import Answer
from dayfly.logs.store.facets import Facets
from dayfly.logs.store.files import free_bytes, held
from dayfly.logs.store.gaps import Gaps
from dayfly.logs.store.intake import WAL, Intake
from dayfly.logs.store.keeping import Deleted, Keeping
from dayfly.logs.store.line import Line, blanked, written
from dayfly.logs.store.outlook import Outlook, outlook
from dayfly.logs.store.reading import Reading
from dayfly.logs.store.sealing import sealed
from dayfly.logs.store.search import Limits
from dayfly.logs.store.settings import DEFAULTS, Settings
from dayfly.logs.store.shelf import Shelf
from dayfly.logs.store.upkeep import Usage, usage_of
from dayfly.logs.store.wanted import EARLIEST, LATEST, Wanted
from dayfly.rounds import Rounds

__all__ = ["ANYTIME", "EARLIEST", "LATEST", "Ask", "Found", "Store"]
ROUND_SECONDS = 0.5
REST_SECONDS = 30.0
MOST_SEQUENCE = 2**63


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a search is bound by; times are nanoseconds, from `since` on and before `until`."""

    since: int = EARLIEST
    until: int = LATEST
    seconds: float | None = None  # since `began`: waiting for its turn counts
    stop: Stop = field(default_factory=Stop)
    began: float = field(default_factory=time.monotonic)
    now: int = EARLIEST  # when it was asked, where somebody told

    def limits(self) -> Limits:
        return Limits(stop=self.stop, seconds=self.seconds, began=self.began)

    def wanted(self, where: tree.Node, *, newest_first: bool = True) -> Wanted:
        return Wanted(where=where, since=self.since, until=self.until, newest_first=newest_first)


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
        still_needed: Callable[[], int] = lambda: MOST_SEQUENCE,
    ) -> None:
        """`still_needed`: from this frame on the write-ahead log stays, though it is sealed."""
        self.folder = folder
        self._settings = settings
        self._now = now
        self._still_needed = still_needed
        self._rested = time.monotonic()
        self._exits = ExitStack()
        self._sealing = threading.Lock()

    def __enter__(self) -> Self:
        with ExitStack() as exits, translated(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            exits.enter_context(held(self.folder))
            gaps = Gaps(self.folder)
            self._shelf = Shelf(self.folder, gaps)
            sequence = self._shelf.manifest.sealed
            self._intake = Intake(
                self.folder, sequence, self._settings, self._now, self._still_needed, gaps
            )
            exits.callback(self._intake.close)
            self._keeping = Keeping(self._shelf, self._settings, self._now)
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
        return self._taken(self._intake.append(body, batch))

    def keep(self, lines: Sequence[Line], *, batch: str = "") -> int:
        """The same for records that somebody has read already, out of another form."""
        return self._taken(self._intake.append(written(lines), batch, lines))

    def keep_frame(self, frame: pl.DataFrame, *, batch: str = "") -> int:
        """The same for records that are columns already, as `frame_of` makes them."""
        return self._taken(self._intake.append_frame(frame, batch))

    def _taken(self, rows: int) -> int:
        """What is enough for a segment does not wait for the next round: it takes memory."""
        if self._intake.enough:
            self._rounds.soon()
        return rows

    @property
    def full(self) -> bool:
        """Whether nothing more is taken until there is room on the disk."""
        return self._intake.full

    def search(
        self, query: tree.Query, *, limit: int = 100, newest_first: bool = True, ask: Ask = ANYTIME
    ) -> Found:
        """The first `limit` records, whatever the query's pipes make of them."""
        limits, wanted = ask.limits(), ask.wanted(query.where, newest_first=newest_first)
        return Found(self._reading.records(wanted, limit, limits), limits)

    def aggregate(self, query: tree.Query, *, ask: Ask = ANYTIME) -> Answer:
        """The table that the first pipe of a query makes of all its records."""
        return self._reading.answer(query.pipes[0], ask.wanted(query.where), ask.limits())

    def facets(
        self, where: tree.Node, names: Sequence[str], *, size: int = 10, ask: Ask = ANYTIME
    ) -> Facets:
        """The most frequent values of fields, of all records that are wanted."""
        return self._reading.facets(names, size, ask.wanted(where), ask.limits())

    def span(self, ask: Ask = ANYTIME) -> tuple[int, int] | None:
        """Between which times there are records, as far as parts tell it; None without any."""
        return self._reading.span(ask.wanted(tree.Everything()))

    def fields(self, ask: Ask = ANYTIME) -> dict[str, str]:
        """Names of fields, as the newest segments have them, with the letters of their types."""
        return self._reading.fields(ask.wanted(tree.Everything()), ask.limits())

    def usage(self) -> list[Usage]:
        """Of what is sealed, by app and day."""
        return usage_of(self._shelf.manifest.segments)

    def outlook(self) -> Outlook:
        """How much is stored and free, and when the disk is full."""
        free = free_bytes(self.folder)
        return outlook(self._shelf.manifest.segments, free, self._settings, self._now())

    @property
    def problems(self) -> list[str]:
        """What is missing because it was damaged, until somebody has seen to it."""
        return [gap.told for gap in self._shelf.gaps.all]

    def seal(self) -> None:
        """Write what is in memory into segments, now."""
        with self._sealing:
            last, parts = self._intake.to_seal()
            frames = [part.frame for part in parts]
            fresh = sealed(self._shelf.days, frames, self._settings.rows) if frames else []
            self._intake.forget(last, lambda: self._shelf.change(add=fresh, sealed=last))

    def compact(self) -> bool:
        """Merge small segments, or pack those of a day that is over; whether there were any."""
        return self._keeping.compact()

    def retain(self) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        self._keeping.retain()

    def delete(self, where: tree.Node, *, ask: Ask = ANYTIME) -> Deleted:
        """Delete all wanted records that are acknowledged when it is called.

        They are gone, from every file of the store but those in `quarantine`, when it returns. When
        it fails or is killed, all of them or none are gone.
        """
        wanted = ask.wanted(where)
        self.seal()
        self._intake.erase(lambda body: blanked(body, wanted.has))
        return self._keeping.delete(wanted, ask.stop)

    @property
    def durable(self) -> int:
        """Sequence of the last frame of the write-ahead log that was acknowledged."""
        return self._intake.durable

    @property
    def log(self) -> Path:
        """The folder of the write-ahead log."""
        return self.folder / WAL

    def _round(self) -> None:
        """A deletion takes its time; sealing does not wait for it."""
        if not self._keeping.busy.locked():
            self.retain()
        if self._intake.due:
            self.seal()
        self._intake.tidy()
        if time.monotonic() - self._rested > REST_SECONDS:
            self._rested = time.monotonic()
            self._shelf.rest()
        while not (self._rounds.stop.requested or self._keeping.busy.locked()) and self.compact():
            pass
