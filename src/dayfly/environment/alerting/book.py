"""What is known of all alerts, in one file: a restart repeats nothing."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from dayfly.durable import FileError, write_atomically
from dayfly.environment.alerting.alert import Known
from dayfly.stored import read_json

SAVED_SECONDS = 30.0  # what only a look changes is written so often
log = logging.getLogger(__name__)


class Book:
    """Safe to use from several threads."""

    def __init__(self, path: Path, names: Collection[str]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known = {name: known for name, known in _load(path).items() if name in names}
        self._saved = 0.0

    def all(self) -> Mapping[str, Known]:
        with self._lock:
            return self._known.copy()

    def change(self, name: str, change: Callable[[Known | None], Known]) -> Known:
        with self._lock:
            before = self._known.get(name)
            self._known[name] = after = change(before)
            if _matters(before, after) or time.monotonic() - self._saved > SAVED_SECONDS:
                self._save()
            return after

    def close(self) -> None:
        with self._lock:
            self._save()

    def _save(self) -> None:
        write_atomically(self._path, msgspec.json.format(msgspec.json.encode(self._known)))
        self._saved = time.monotonic()


def _load(path: Path) -> dict[str, Known]:
    """A damaged file may cost a repetition, but no alert and no environment."""
    try:
        return read_json(path, dict[str, Known], absent={})
    except FileError as error:
        log.warning("alerts: %s; what it said of them is forgotten", error.message)
        return {}


def _matters(before: Known | None, after: Known) -> bool:
    """Whether it is more than another look."""
    if before is None:
        return True
    same = {
        name: getattr(before, name)
        for name in ("looked", "count", "held", "counted_from", "problem", "event")
    }
    return replace(after, **same) != before
