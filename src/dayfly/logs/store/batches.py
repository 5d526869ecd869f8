"""The identities of batches that were stored, so that none is stored twice."""

import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dayfly.durable import write_atomically

MOST = 250_000
DAYS = 7
_ENTRY = struct.Struct("<16sd")
_DAY = 86_400


class Batches:
    """Remembers the newest quarter of a million batches of the last seven days.

    A batch that comes again later than that, or after so many others, is stored again.
    """

    def __init__(self, path: Path, now: float) -> None:
        self._path = path
        self._seen: dict[bytes, float] = {}
        self._under_way: set[bytes] = set()
        self._changed = threading.Condition()
        data = path.read_bytes() if path.exists() else b""
        whole = len(data) // _ENTRY.size * _ENTRY.size
        for digest, arrived in _ENTRY.iter_unpack(data[:whole]):
            if arrived >= now - DAYS * _DAY:
                self._seen[digest] = arrived

    def remember(self, batch: str, arrived: float) -> None:
        with self._changed:
            self._seen[_digest(batch)] = arrived
            while len(self._seen) > MOST:
                del self._seen[next(iter(self._seen))]

    @contextmanager
    def once(self, batch: str) -> Iterator[bool]:
        """Whether a batch is new; who brings it a second time waits for how the first one ends."""
        if not batch:
            yield True
            return
        digest = _digest(batch)
        with self._changed:
            self._changed.wait_for(lambda: digest not in self._under_way)
            fresh = digest not in self._seen
            if fresh:
                self._under_way.add(digest)
        try:
            yield fresh
        finally:
            if fresh:
                with self._changed:
                    self._under_way.discard(digest)
                    self._changed.notify_all()

    def save(self, now: float) -> None:
        with self._changed:
            oldest = now - DAYS * _DAY
            self._seen = {one: arrived for one, arrived in self._seen.items() if arrived >= oldest}
            entries = list(self._seen.items())
        write_atomically(self._path, b"".join(_ENTRY.pack(*entry) for entry in entries))


def _digest(batch: str) -> bytes:
    return hashlib.blake2b(batch.encode(), digest_size=16).digest()
