"""A long answer: a thread finds lines, the loop sends them, and who leaves stops the thread."""

import threading
from collections.abc import Callable, Generator
from contextlib import closing

from anyio import CapacityLimiter, Event, create_task_group, from_thread, sleep, to_thread
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from dayfly.clock import Stop
from dayfly.errors import DayflyError, StoppedError
from dayfly.logs.answers import told

MOST_WAITING = 1 << 20  # bytes that were found and not sent
READER_SECONDS = 60.0  # so long a reader may take for them
GATHER_SECONDS = 0.02  # what is found in it is sent at once


class Streamed:
    """An ASGI application for one request. `failed` is a last line about an error in between."""

    def __init__(
        self,
        lines: Generator[bytes],
        *,
        media_type: str,
        stop: Stop,
        threads: CapacityLimiter,
        failed: Callable[[DayflyError], bytes],
    ) -> None:
        self._lines = lines
        self._type = media_type
        self._stop = stop
        self._threads = threads
        self._failed = failed
        self._waiting = bytearray()
        self._changed = threading.Condition()  # guards what waits
        self._error: DayflyError | None = None
        self._ended = False
        self._news: Event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._news = Event()
        async with create_task_group() as group:
            group.start_soon(self._until_left, receive)
            group.start_soon(self._found)
            try:
                await self._answer(scope, receive, send)
            finally:
                self._leave("answered")
                group.cancel_scope.cancel()

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._leave("who asked has left")

    def _leave(self, why: str) -> None:
        self._stop.request(why)
        with self._changed:
            self._changed.notify_all()

    async def _found(self) -> None:
        try:
            await to_thread.run_sync(self._find, limiter=self._threads)
        except StoppedError:
            pass
        except DayflyError as error:
            self._error = error
        self._ended = True
        self._news.set()

    def _find(self) -> None:
        """In a thread; goes on only as fast as the reader reads."""
        with closing(self._lines):  # and what the search holds open
            for line in self._lines:
                self._add(line)

    def _add(self, line: bytes) -> None:
        with self._changed:
            room = self._changed.wait_for(self._has_room, READER_SECONDS)
            self._stop.check()
            if not room:
                raise DayflyError(f"what was found is not read for {READER_SECONDS:g} s")
            first = not self._waiting
            self._waiting += line
        if first:
            from_thread.run_sync(self._tell)

    def _has_room(self) -> bool:
        return len(self._waiting) < MOST_WAITING or self._stop.requested

    def _tell(self) -> None:
        self._news.set()

    def _taken(self) -> bytes:
        with self._changed:
            taken = bytes(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        return taken

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An error before the first line has a status of its own."""
        await self._news.wait()
        if self._error and not self._waiting:
            await (await told(Request(scope), self._error))(scope, receive, send)
            return
        headers = [(b"content-type", self._type.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        ended = False
        while not ended:
            await self._news.wait()
            if not self._ended:
                await sleep(GATHER_SECONDS)
                self._news = Event()
            ended = self._ended
            if taken := self._taken():
                await send({"type": "http.response.body", "body": taken, "more_body": True})
        last = self._failed(self._error) if self._error else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})
