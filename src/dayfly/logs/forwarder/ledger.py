"""What was read and what the store has: one book for the two threads that read and send."""

import logging
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from dayfly.durable import translated, write_atomically
from dayfly.logs.forwarder import checkpoint as checkpoints
from dayfly.logs.forwarder.checkpoint import Position
from dayfly.logs.forwarder.opened import anchor_after
from dayfly.logs.forwarder.spool import Batch, Spool

Full = Literal["block", "drop oldest"]
log = logging.getLogger(__name__)


class Ledger:
    """The order of writes keeps every line once.

    A content's id is on disk before a batch carries it; a batch is in the spool before the position
    behind it counts; the position is on disk before the batch leaves the spool.
    """

    def __init__(self, folder: Path, *, limit: int, full: Full) -> None:
        self._folder = folder
        self._limit = limit
        self._full = full
        self._lock = threading.Lock()
        self._under_way = 0  # number of the batch that is being sent
        self._dropping = False
        self._written = b""  # as the checkpoint's file is
        self._spool = Spool(folder / "spool")
        self.checkpoint = checkpoints.load(folder)
        known = self.checkpoint.by_id()
        for batch in self._spool.batches.values():
            if position := known.get(batch.content):
                position.advance(batch.end, batch.anchor)
        self._saved = set(known)

    def room(self) -> bool:
        """Whether there is some; made by dropping, if that is the policy."""
        with self._lock:
            return self._room()

    def add(self, position: Position, data: bytes, lines: int, body: bytes) -> None:
        """What follows the position, read; `body` has its lines."""
        anchor = anchor_after(data, position.anchor)
        with self._lock:
            if position.id not in self._saved:
                self._save()
            if lines:
                span = position.read, position.read + len(data)
                self._spool.put(position.id, span, lines, anchor, body)
            position.begin(data)
            position.advance(position.read + len(data), anchor)

    def waiting(self) -> list[Batch]:
        """The oldest of each content, to be sent in this order."""
        with self._lock:
            return list(self._spool.first())

    def begin(self, batch: Batch) -> bytes | None:
        """Its body; None when it was dropped meanwhile."""
        with self._lock:
            if batch.number not in self._spool.batches:
                return None
            self._under_way = batch.number
            return self._spool.body(batch)

    def settle(self, batches: Sequence[Batch]) -> None:
        """The store has them."""
        with self._lock:
            self._under_way = 0
            self._acknowledge(batches)

    def refuse(self, batch: Batch) -> None:
        """The store will never take it: it is put aside, for a person to look at."""
        with self._lock:
            self._under_way = 0
            aside = self._folder / "refused"
            with translated(aside):
                aside.mkdir(exist_ok=True, mode=0o700)
            write_atomically(aside / f"{batch.identity}.ndjson.zst", self._spool.body(batch))
            self.checkpoint.lost.refused_batches += 1
            self._acknowledge([batch])

    def save(self) -> None:
        """For the thread that reads: no other may change which positions there are."""
        with self._lock:
            self.checkpoint.forget(batch.content for batch in self._spool.batches.values())
            self._save()

    def _acknowledge(self, batches: Sequence[Batch]) -> None:
        positions = self.checkpoint.by_id()
        for batch in batches:
            if position := positions.get(batch.content):
                position.advance(batch.end, batch.anchor)
                position.acknowledged = max(position.acknowledged, batch.end)
        self._save(settled={batch.number for batch in batches})
        for batch in batches:
            self._spool.remove(batch)

    def _room(self) -> bool:
        if self._spool.size < self._limit:
            self._dropping = False
            return True
        if self._full == "block":
            return False
        batches = [each for each in self._spool.batches.values() if each.number != self._under_way]
        if batches:
            self._drop(batches[0])
        return self._spool.size < self._limit

    def _drop(self, batch: Batch) -> None:
        if not self._dropping:
            log.warning("the spool is full: the oldest lines are dropped until the store is back")
        self._dropping = True
        self.checkpoint.lost.dropped_lines += batch.lines
        self._acknowledge([batch])

    def _save(self, settled: Collection[int] = ()) -> None:
        batches = self._spool.batches.values()
        waiting = {batch.content for batch in batches if batch.number not in settled}
        for position in self.checkpoint.positions:
            if position.id not in waiting:
                position.acknowledged = position.read  # blank lines are in no batch
        raw = checkpoints.encoded(self.checkpoint)
        if raw == self._written:
            return
        checkpoints.save(self._folder, raw)
        self._written = raw
        self._saved = set(self.checkpoint.by_id())
