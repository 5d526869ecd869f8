"""HTTP/1.1 as S3's clients use it; files go from disk to socket by sendfile."""

import asyncio
import socket
from collections import deque
from contextlib import aclosing
from typing import cast

import httptools

from dayfly.files.s3.answer import Followed, Lent, Ready
from dayfly.files.s3.exchange import Exchange
from dayfly.files.s3.head import written
from dayfly.files.s3.outgoing import Outgoing
from dayfly.files.s3.parsing import Parsing
from dayfly.files.s3.server import Server

IDLE_SECONDS = 60.0  # without anything that comes or goes
LENDING_SECONDS = 300.0  # for one MiB of a file
MOST_DISCARDED = 4 * 1024 * 1024  # bytes of a body that was refused
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = (204, 304)
_BAD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = _BAD.replace(b"400 Bad Request", b"431 Request Header Fields Too Large")


class Connection(asyncio.BufferedProtocol):
    """Answers its requests one after the other, also when they come at once."""

    def __init__(self, server: Server, known: "set[Connection]") -> None:
        self._server = server
        self._known = known
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Exchange] = deque()  # answered in this order; the first is under way
        self._task: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()
        self._drained.set()
        self._discarded = 0
        self._closing = False
        self._lending = False  # a file is on its way
        self.touched = self._loop.time()

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=256 * 1024)
        theirs = self._transport.get_extra_info("socket")
        self._socket = socket.socket(
            theirs.family, theirs.type, theirs.proto, fileno=theirs.fileno()
        )
        peer = self._transport.get_extra_info("peername")
        balanced = isinstance(peer, str)  # at a socket that only the balancer opens
        client = peer[0] if peer and not balanced else ""
        self._parsing = Parsing(client, self, balanced=balanced)
        self._known.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._socket.detach()  # it is the transport's to close
        self._known.discard(self)
        self._drained.set()
        if self._parsing.taking:
            self._parsing.taking.break_off()

    def eof_received(self) -> bool:
        """True keeps the way out open, for who closed its own early."""
        if self._parsing.taking:
            self._parsing.taking.break_off()
        self._closing = True
        return bool(self._waiting)

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def get_buffer(self, _: int) -> memoryview:
        return self._parsing.room(self._server.incoming, self._server.rooms.fresh)

    def buffer_updated(self, size: int) -> None:
        self.touched = self._loop.time()
        try:
            self._parsing.came(size, self._server.incoming)
        except httptools.HttpParserUpgrade:  # it is answered in this protocol, and that is all
            self._closing = True
            if self._parsing.taking or not self._waiting:
                self._transport.close()
        except (httptools.HttpParserError, ValueError):
            self._refuse(_TOO_LARGE if self._parsing.too_large else _BAD)

    def idle(self, now: float) -> bool:
        """Whether nothing came or went for long: a client that is gone, or slow on purpose."""
        quiet = now - self.touched
        if self._lending:
            return quiet > LENDING_SECONDS
        return quiet > IDLE_SECONDS and (not self._waiting or not self._drained.is_set())

    def close(self, *, gently: bool = False) -> None:
        """`gently`: after the answer that is under way."""
        self._closing = True
        if not gently:
            if self._lending and self._task:  # asyncio would wait for the closed socket forever
                self._task.cancel()
            self._transport.abort()
        elif not self._waiting:
            self._transport.close()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    # What is told of requests

    def begun(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)
        bodiless = exchange.head.method in ("GET", "HEAD") or self._task is not None
        if not bodiless and len(self._waiting) == 1:
            self._begin()

    def grown(self, size: int) -> None:
        if self._discarded:
            self._discarded += size
            if self._discarded > MOST_DISCARDED:
                self._transport.close()

    def ended(self) -> None:
        self._discarded = 0
        if self._task is None and self._waiting:
            self._begin()
        if self._waiting:
            self._transport.pause_reading()  # until it is answered

    def flow(self, wanted: bool) -> None:
        if self._transport.is_closing():
            return
        self._transport.resume_reading() if wanted else self._transport.pause_reading()

    def go_on(self) -> None:
        self._transport.write(_GO_ON)

    # Answers

    def _begin(self) -> None:
        exchange = self._waiting[0]
        quick = exchange.ended and self._drained.is_set()
        if quick and (ready := self._server.at_once(exchange.head)):
            head, body = self._head_of(exchange, ready), ready.body
            if isinstance(body, bytes):
                self._transport.write(head + body)
                self._finish(exchange)
                return
            outgoing = self._outgoing(cast("Lent", body))
            if outgoing.send_now(head, self._socket):
                self._finish(exchange)
                return
            self._task = self._loop.create_task(self._send_rest(outgoing))
        else:
            self._task = self._loop.create_task(self._answer(exchange))
        self._task.add_done_callback(self._done)

    async def _answer(self, exchange: Exchange) -> None:
        """Not before the answers to those before have gone out."""
        await self._drained.wait()
        ready = await self._server.answered(exchange.head, exchange)
        head, body = self._head_of(exchange, ready), ready.body
        if isinstance(body, Lent):
            self._transport.write(head)
            await self._send_rest(self._outgoing(body))
        elif isinstance(body, Followed):
            self._transport.write(head)
            await self._follow(body)
        else:
            self._transport.write(head + body)
            await self._drained.wait()

    async def _follow(self, followed: Followed) -> None:
        """Until the reader leaves, or we end; the end of the connection is that of the answer."""
        self._transport.resume_reading()  # by which we see that the reader leaves
        async with aclosing(self._server.watchers.events(followed)) as pieces:
            async for piece in pieces:
                if self._closing or self._transport.is_closing():
                    return
                self._transport.write(piece)
                self._touch()
                await self._drained.wait()

    def _head_of(self, exchange: Exchange, ready: Ready) -> bytes:
        status, told, body = ready.status, ready.told, ready.body
        if isinstance(body, Followed):
            exchange.keep = False
        elif ready.sized and status not in _BODILESS:
            size = body.part.size if isinstance(body, Lent) else len(body)
            told += b"content-length: %d\r\n" % size
        return written(status, told, keep=self._keeps(exchange))

    def _outgoing(self, lent: Lent) -> Outgoing:
        return Outgoing(lent, self._transport, self._server.threads)

    async def _send_rest(self, outgoing: Outgoing) -> None:
        self._lending = True
        try:
            await outgoing.send_rest(self._touch)
        finally:
            self._lending = False

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()):
            if not self._transport.is_closing():
                self._server.failed(error)
            self._transport.abort()
        if self._waiting:
            self._finish(self._waiting[0])

    def _finish(self, exchange: Exchange) -> None:
        """Go on with the next one, unless the connection is to end here."""
        self._waiting.popleft()
        self.touched = self._loop.time()
        if self._transport.is_closing():
            return
        if not self._keeps(exchange):
            self._transport.close()
            return
        if not exchange.ended:
            self._discarded = 1
            exchange.discard()
        if self._waiting:
            self._loop.call_soon(self._next)
        else:
            self._transport.resume_reading()

    def _next(self) -> None:
        if self._waiting and self._task is None and not self._transport.is_closing():
            self._begin()

    def _touch(self) -> None:
        self.touched = self._loop.time()

    def _keeps(self, exchange: Exchange) -> bool:
        """Who waits for a word before sending the body, and got none, may send it or not."""
        unsure = exchange.expects and not exchange.ended
        return exchange.keep and not self._closing and not unsure

    def _refuse(self, answer: bytes) -> None:
        if not self._waiting:
            self._transport.write(answer)
        self._transport.close()
