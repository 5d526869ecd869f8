"""One feed: from its position in the write-ahead log on, again and again until it is taken."""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from dayfly.clock import Stop
from dayfly.errors import DayflyError
from dayfly.logs import wire
from dayfly.logs.feeding import position as positions
from dayfly.logs.feeding.elastic import Elasticsearch
from dayfly.logs.feeding.entry import AgainError, Entry, Outcome, Receiver, UntakenError
from dayfly.logs.feeding.settings import Feed
from dayfly.logs.feeding.splunk import Splunk
from dayfly.logs.feeding.syslog import Syslog
from dayfly.logs.query.meaning import matches
from dayfly.logs.store.line import numbered
from dayfly.logs.store.tail import Tail

MOST_ENTRIES, MOST_BYTES = 500, 2 << 20  # of a request
MOST_REFUSED = 64 << 20  # bytes that are kept of what was refused
SOONEST, LATEST = 0.2, 30.0  # seconds until it is sent again
POLL_SECONDS = 0.5
RECEIVERS: dict[str, Callable[[Feed], Receiver]] = {
    "elasticsearch": Elasticsearch,
    "splunk": Splunk,
    "syslog": Syslog,
}
log = logging.getLogger(__name__)


class GivenUpError(DayflyError):
    """What was under way is too far behind: it is left out, and counted."""


class Feeding:
    """`run` it in a thread of its own."""

    def __init__(self, feed: Feed, folder: Path) -> None:
        self.feed = feed
        self.problem = ""
        self._where = feed.where()
        self._path = folder / f"{feed.name}.json"
        self._refused = folder / f"{feed.name}.refused"
        self.position = positions.load(self._path)

    def run(self, log_folder: Path, durable: Callable[[], int], stop: Stop) -> None:
        self._tail = Tail(log_folder, self.position.after)
        self._receiver, self._secret = RECEIVERS[self.feed.kind](self.feed), self.feed.secret()
        try:
            while True:
                stop.check()
                if not self._round(durable(), stop):
                    stop.wait(POLL_SECONDS)
        finally:
            self._receiver.close()

    def _round(self, durable: int, stop: Stop) -> bool:
        """Send what comes next; whether there was anything."""
        told = self.position
        resumed = told.until > told.after
        frames = self._tail.read(told.until if resumed else durable)
        if not frames:  # numbers that no frame has
            told.after = self._tail.after = told.until if resumed else max(durable, told.after)
            return resumed
        told.until = frames[-1].sequence
        positions.save(self._path, told)
        entries = [
            Entry(f"{told.id}-{frame.sequence:x}-{number:x}", record)
            for frame in frames
            for number, record in numbered(frame.plain())
            if matches(self._where, record)
        ]
        try:
            for chunk in chunks(entries):
                self._settle(chunk, stop)
        except GivenUpError as error:
            log.warning("feed %s: %s", self.feed.name, error.message)
        told.after = self._tail.after
        positions.save(self._path, told)
        return True

    def _settle(self, chunk: Sequence[Entry], stop: Stop) -> None:
        """Until every entry is taken or refused for good."""
        failures, waiting = 0, list(chunk)
        while waiting:
            stop.check()
            try:
                waiting = self._once(waiting)
                self.problem = f"{len(waiting)} records are not taken yet" if waiting else ""
            except AgainError as error:
                self._tell(error.message)
                self._renew()
            if waiting:
                self._give_up_if_behind()
                longest = min(LATEST, SOONEST * 2.0 ** min(failures, 16))
                stop.wait(longest * random.uniform(0.5, 1))  # noqa: S311 - no secret
                failures += 1

    def _once(self, entries: list[Entry]) -> list[Entry]:
        """What is to be sent again."""
        try:
            found = self._receiver.deliver(entries)
        except UntakenError as error:
            if len(entries) > 1:
                half = len(entries) // 2
                return [*self._once(entries[:half]), *self._once(entries[half:])]
            found = Outcome(refused=[(entries[0], error.message)])
        self._keep_refused(found)
        self.position.refused += len(found.refused)
        self.position.sent += len(entries) - len(found.again) - len(found.refused)
        return list(found.again)

    def _keep_refused(self, found: Outcome) -> None:
        if not found.refused:
            return
        self._tell(f"a record was refused: {found.refused[0][1]}")
        if self._refused.exists() and self._refused.stat().st_size > MOST_REFUSED:
            return
        with self._refused.open("ab") as file:
            for entry, why in found.refused:
                file.write(wire.json_line({"why": why, **wire.plain(entry.record)}))

    def _renew(self) -> None:
        """With another secret than before, if there is one by now: it may be what was wrong."""
        try:
            secret = self.feed.secret()
        except DayflyError as error:
            self._tell(error.message)
            return
        if secret != self._secret:
            self._receiver.close()
            self._receiver, self._secret = RECEIVERS[self.feed.kind](self.feed), secret

    def _give_up_if_behind(self) -> None:
        behind, skipped = Tail(self._tail.folder, self.position.after), 0
        while behind.behind() > self.feed.most_behind and (passed := behind.skip()):
            skipped += passed
        if skipped:
            self._tail = behind
            self.position.dropped += skipped
            raise GivenUpError(
                f"more than {self.feed.most_behind} bytes wait for it; the oldest are given up"
            )

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("feed %s: %s", self.feed.name, problem)
        self.problem = problem

    def told(self) -> dict[str, object]:
        counts = msgspec.to_builtins(self.position)
        kept = {name: counts[name] for name in ("sent", "refused", "dropped")}
        return {"name": self.feed.name, "kind": self.feed.kind, **kept, "problem": self.problem}


def chunks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Always the same ones for the same entries, so that a repetition is one."""
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        length = len(entry.record.message)
        if chunk and (len(chunk) >= MOST_ENTRIES or size + length > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += length
    if chunk:
        yield chunk
