"""What was damaged and is missing since, told to everyone who asks for its time."""

import logging
import threading
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.logs.store.part import Needed
from dayfly.logs.store.search import Limits
from dayfly.logs.store.wanted import Wanted

log = logging.getLogger(__name__)
QUARANTINE, SUFFIX = "quarantine", ".missing.json"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Records that may lie between two times, and why they are missing."""

    told: str
    first: int
    last: int


class Gaps:
    """Each has a file in `quarantine`; who has seen to it removes the file, and it is told no more.

    A gap whose file can't be written is told until the store is closed.
    """

    def __init__(self, folder: Path) -> None:
        self.aside = folder / QUARANTINE
        self._lock = threading.Lock()
        self._unwritten: list[Gap] = []
        self._known: dict[str, Gap] = {}
        for path in sorted(self.aside.glob(f"*{SUFFIX}")):
            try:
                self._known[path.name] = typed.decode(path.read_bytes(), Gap)
            except (OSError, msgspec.MsgspecError) as error:
                log.error("%s: %s", path, error)  # noqa: TRY400 - nobody needs to see where

    def add(self, name: str, gap: Gap) -> None:
        """`name` is of what was damaged; the same gap may be found again."""
        log.error("%s; what is left of it lies in %s", gap.told, self.aside)
        path = self.aside / f"{name}{SUFFIX}"
        with self._lock:
            try:
                self.aside.mkdir(exist_ok=True)
                write_atomically(path, msgspec.json.encode(gap))
                self._known[path.name] = gap
            except OSError as error:
                log.error("%s: %s", path, error.strerror)  # noqa: TRY400
                self._unwritten.append(gap)

    @property
    def all(self) -> Sequence[Gap]:
        with self._lock:
            self._known = {
                name: gap for name, gap in self._known.items() if (self.aside / name).exists()
            }
            return [*self._known.values(), *self._unwritten]

    def forget(self, before: int) -> None:
        """What would be too old by now would be gone anyway."""
        for name, gap in list(self._known.items()):
            if gap.last < before:
                (self.aside / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Missing:
    """A part that has nothing any more, and says so to who reads it."""

    gap: Gap
    limits: Limits

    @property
    def first(self) -> int:
        return self.gap.first

    @property
    def last(self) -> int:
        return self.gap.last

    @property
    def columns(self) -> AbstractSet[str]:
        return frozenset(self._tell().columns)

    def select(self, _wanted: Wanted, _limit: int) -> pl.DataFrame:
        return self._tell()

    def scan(self, _wanted: Wanted, _needed: Needed) -> pl.DataFrame:
        return self._tell()

    def summary(self, _wanted: Wanted) -> pl.DataFrame | None:
        return self._tell()

    def _tell(self) -> pl.DataFrame:
        self.limits.tell(f"without {self.gap.told}")
        return pl.DataFrame()
