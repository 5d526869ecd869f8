"""HTTP/1.1 as S3's clients use it, parsed by llhttp; files go from disk to socket by sendfile."""

import asyncio
from collections import deque
from contextlib import aclosing
from typing import cast

import httptools

from dayfly.files.s3.answer import Answer, Followed, Headers, Lent
from dayfly.files.s3.exchange import Exchange
from dayfly.files.s3.head import MOST_HEAD, Head, text_of, written
from dayfly.files.s3.outgoing import Outgoing
from dayfly.files.s3.server import Server

IDLE_SECONDS = 60.0  # without anything that comes or goes
LENDING_SECONDS = 300.0  # for one MiB of a file
MOST_DISCARDED = 4 * 1024 * 1024  # bytes of a body that was refused
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = (204, 304)
_BAD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = _BAD.replace(b"400 Bad Request", b"431 Request Header Fields Too Large")


class Connection(asyncio.Protocol):
    """Answers its requests one after the other, also when they come at once."""

    def __init__(self, server: Server, known: "set[Connection]") -> None:
        self._server = server
        self._known = known
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._client = ""
        self._balanced = False
        self._head = Head("")
        self._taking: Exchange | None = None  # whose body is coming
        self._waiting: deque[Exchange] = deque()  # answered in this order; the first is under way
        self._task: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()
        self._drained.set()
        self._discarded = 0
        self._unread = 0  # bytes since the last head or body ended
        self._closing = False
        self._lending = False  # a file is on its way
        self.touched = self._loop.time()

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=256 * 1024)
        peer = self._transport.get_extra_info("peername")
        self._balanced = isinstance(peer, str)  # at a socket that only the balancer opens
        self._client = peer[0] if peer and not self._balanced else ""
        self._known.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._known.discard(self)
        self._drained.set()
        if self._taking:
            self._taking.break_off()

    def eof_received(self) -> bool:
        """True keeps the way out open, for who closed its own early."""
        if self._taking:
            self._taking.break_off()
        self._closing = True
        return bool(self._waiting)

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def data_received(self, data: bytes) -> None:
        self.touched = self._loop.time()
        self._unread += len(data)
        try:
            self._parser.feed_data(data)
            if self._taking is None and self._unread > MOST_HEAD:
                self._refuse(_TOO_LARGE)
        except httptools.HttpParserUpgrade:  # it is answered in this protocol, and that is all
            self._closing = True
            if self._taking or not self._waiting:
                self._transport.close()
        except httptools.HttpParserError:
            self._refuse(_TOO_LARGE if self._head.size > MOST_HEAD else _BAD)

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

    # What the parser tells

    def on_message_begin(self) -> None:
        self._head = Head(self._client)

    def on_url(self, url: bytes) -> None:
        self._head.target += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._grow(len(name) + len(value))
        self._head.headers.append((name.decode("latin-1").lower(), text_of(value)))

    def on_headers_complete(self) -> None:
        head, self._unread = self._head, 0
        head.method = self._parser.get_method().decode("latin-1")
        if self._balanced:
            head.forwarded()
        expects = any(name == "expect" and "100" in text for name, text in head.headers)
        exchange = Exchange(
            head=head,
            keep=self._parser.should_keep_alive() and not self._parser.should_upgrade(),
            expects=expects,
            flow=self._flow,
            go_on=lambda: self._transport.write(_GO_ON),
        )
        self._taking = exchange
        self._waiting.append(exchange)
        bodiless = head.method in ("GET", "HEAD") or self._task is not None
        if not bodiless and len(self._waiting) == 1:
            self._begin()

    def on_body(self, body: bytes) -> None:
        if not self._taking:
            return
        if self._discarded:
            self._discarded += len(body)
            if self._discarded > MOST_DISCARDED:
                self._transport.close()
        self._taking.push(body)

    def on_message_complete(self) -> None:
        exchange, self._taking = self._taking, None
        self._discarded = self._unread = 0
        if exchange:
            exchange.end()
        if self._waiting and self._task is None:
            self._begin()
        if self._waiting:
            self._transport.pause_reading()  # until it is answered

    # Answers

    def _begin(self) -> None:
        exchange = self._waiting[0]
        quick = exchange.ended and self._drained.is_set()
        if quick and (found := self._server.at_once(exchange.head)):
            answer, more = found
            if isinstance(answer.body, bytes):
                self._write(exchange, answer, more, answer.body)
                self._finish(exchange)
                return
            outgoing = self._lend(exchange, answer, more, cast("Lent", answer.body))
            if outgoing.send_now():
                self._finish(exchange)
                return
            self._task = self._loop.create_task(self._send_rest(outgoing))
        else:
            self._task = self._loop.create_task(self._answer(exchange))
        self._task.add_done_callback(self._done)

    async def _answer(self, exchange: Exchange) -> None:
        """Not before the answers to those before have gone out."""
        await self._drained.wait()
        answer, more = await self._server.answered(exchange.head, exchange)
        if isinstance(answer.body, Lent):
            await self._send_rest(self._lend(exchange, answer, more, answer.body))
        elif isinstance(answer.body, Followed):
            await self._follow(exchange, answer, more, answer.body)
        else:
            self._write(exchange, answer, more, answer.body)
            await self._drained.wait()

    async def _follow(
        self, exchange: Exchange, answer: Answer, more: Headers, followed: Followed
    ) -> None:
        """Until the reader leaves, or we end; the end of the connection is that of the answer."""
        exchange.keep = False
        self._transport.resume_reading()  # by which we see that the reader leaves
        self._transport.write(written(answer.status, [*answer.headers, *more], keep=False))
        async with aclosing(self._server.watchers.events(followed)) as pieces:
            async for piece in pieces:
                if self._closing or self._transport.is_closing():
                    return
                self._transport.write(piece)
                self._touch()
                await self._drained.wait()

    def _lend(self, exchange: Exchange, answer: Answer, more: Headers, lent: Lent) -> Outgoing:
        size = ("content-length", str(lent.part.size))
        self._write(exchange, answer, [*more, size], b"")
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

    def _write(self, exchange: Exchange, answer: Answer, more: Headers, body: bytes) -> None:
        headers = [*answer.headers, *more]
        told = any(name == "content-length" for name, _ in headers)
        if not told and answer.status not in _BODILESS:
            headers.append(("content-length", str(len(body))))
        keep = self._keeps(exchange)
        self._transport.write(written(answer.status, headers, keep=keep) + body)

    def _touch(self) -> None:
        self.touched = self._loop.time()

    def _keeps(self, exchange: Exchange) -> bool:
        """Who waits for a word before sending the body, and got none, may send it or not."""
        unsure = exchange.expects and not exchange.ended
        return exchange.keep and not self._closing and not unsure

    def _flow(self, wanted: bool) -> None:
        if self._transport.is_closing():
            return
        self._transport.resume_reading() if wanted else self._transport.pause_reading()

    def _grow(self, size: int) -> None:
        self._head.size += size
        if self._head.size > MOST_HEAD:
            raise ValueError

    def _refuse(self, answer: bytes) -> None:
        if not self._waiting:
            self._transport.write(answer)
        self._transport.close()
