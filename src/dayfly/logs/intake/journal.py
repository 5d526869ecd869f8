"""What systemd-journal-upload sends: a journal, as long as it is, in one request."""

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.clock import SECOND
from dayfly.logs.intake.body import EncodingError, Room, packing_of
from dayfly.logs.intake.journalentries import CURSOR, Entries, Entry, line_of
from dayfly.logs.store.store import Store

_TYPE = "application/vnd.fdo.journal"
AT_ONCE = 1000  # entries that are taken together, or fewer, if they are large
LARGE = 1 << 20  # bytes of them
HELD = 4 * LARGE  # of one upload; an entry may be larger, but hardly one is


@dataclass(frozen=True)
class Journal:
    """Taken in pieces: what came before an error is stored, and taken once when it comes again."""

    store: Store
    room: Room
    now: Callable[[], float] = time.time

    def routes(self) -> list[BaseRoute]:
        return [Route("/upload", self._upload, methods=["POST"])]

    async def _upload(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _TYPE or packing_of(request) != "identity":
            raise EncodingError(f"Content-Type {kind!r}; allowed is {_TYPE}, not packed")
        async with self.room.holding(HELD):
            async for entries in _pieces(request):
                await to_thread.run_sync(self._take, entries, limiter=self.room.threads)
        return PlainTextResponse("OK.\n", 202)

    def _take(self, entries: Sequence[Entry]) -> None:
        now = round(self.now() * SECOND)
        body = b"\n".join(line_of(entry, now) for entry in entries)
        self.store.append(body, batch=batch_of(entries))


async def _pieces(request: Request) -> AsyncIterator[list[Entry]]:
    entries, waiting, size = Entries(), list[Entry](), 0
    async for data in request.stream():
        for entry in entries.feed(data):
            waiting.append(entry)
            size += sum(map(len, entry.values()))
            if len(waiting) >= AT_ONCE or size >= LARGE:
                yield waiting
                waiting, size = [], 0
    waiting.extend(entries.end())
    if waiting:
        yield waiting


def batch_of(entries: Sequence[Entry]) -> str:
    """The same for the same entries; a journal gives each a cursor, which is its alone."""
    cursors = [entry.get(CURSOR, b"") for entry in entries]
    if not all(cursors):
        return ""
    return "journal-" + hashlib.sha256(b"\n".join(cursors)).hexdigest()
