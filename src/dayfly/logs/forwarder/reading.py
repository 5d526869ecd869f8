"""From files into the spool."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dayfly.logs.forwarder.body import body
from dayfly.logs.forwarder.cut import BLOCK, cut
from dayfly.logs.forwarder.finding import Finding
from dayfly.logs.forwarder.ledger import Ledger
from dayfly.logs.forwarder.opened import Opened
from dayfly.logs.forwarder.settings import Reading
from dayfly.logs.forwarder.stamps import Described, Watch
from dayfly.rounds import Told

LOOK_SHARE = 50  # looking for files takes at most one part of so many


class Reader:
    """Call `round` again and again, from one thread."""

    def __init__(
        self,
        watches: tuple[Watch, ...],
        ledger: Ledger,
        reading: Reading,
        *,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._told = Told("forwarder")
        self._ledger = ledger
        self._reading = reading
        self._now = now
        self._finding = Finding(watches, ledger.checkpoint, self._told.guard)
        self._looked = float("-inf")
        self._pause = 0.0  # between two looks for files

    def round(self) -> None:
        began = time.monotonic()
        looked = began - self._looked >= self._pause
        if looked:
            self._told.guard("looking for files", self._finding.look)
            self._ledger.save()
            self._looked = time.monotonic()
            took = self._looked - began
            self._pause = max(self._reading.look_seconds, took * LOOK_SHARE)
        for each in list(self._finding.opened.values()):
            found = each.look()
            if looked or found.st_size != each.position.read:
                self._told.guard(each.position.path, partial(self._read, each, found))

    def close(self) -> None:
        for each in list(self._finding.opened.values()):
            self._finding.close(each)

    def _read(self, each: Opened, found: os.stat_result) -> None:
        described = each.watch.describe(Path(each.position.base))
        grown = found.st_size - each.position.read
        if grown < 0 or (not grown and each.rewritten(found)):
            self._finding.replaced(each)
        elif not grown:
            if (described and described.ended) or each.idle >= self._reading.idle_seconds:
                self._finding.close(each)  # it is opened again as soon as it grows
        elif described:
            self._batches(each, described)

    def _batches(self, each: Opened, described: Described) -> None:
        while self._ledger.room() and self._batch(each, described):
            pass

    def _batch(self, each: Opened, described: Described) -> bool:
        """Whether there is more to read at once."""
        reading, idle = self._reading, each.idle
        data = each.block(BLOCK)
        if data is None:
            self._finding.replaced(each)
            return False
        more = len(data) == BLOCK
        ended = described.ended and each.look().st_size == each.position.read + len(data)
        made = cut(
            data,
            reading.bounds,
            more=more,
            quiet=ended or idle >= reading.bounds.seconds,
            last=ended or idle >= reading.partial_seconds,
        )
        if not made.end:
            return False
        whole, redactor = data[: made.end], reading.redactor(described.stamps)
        packed = body(
            made.records,
            described.stamps,
            self._now(),
            reading.zone,
            parse=reading.parse,
            hide=redactor if redactor.is_in(whole) else None,
        )
        self._ledger.add(each.position, whole, len(made.records), packed)
        return more
