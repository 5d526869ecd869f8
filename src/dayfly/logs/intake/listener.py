"""Listens to syslog and stores what it hears.

Over TCP and TLS a sender waits while the store can't take more: nothing more is read from it. UDP
can't wait: what finds no room is dropped, counted and told.
"""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from zoneinfo import ZoneInfo

from dayfly.logs.intake.datagrams import Datagrams
from dayfly.logs.intake.framing import Frames
from dayfly.logs.intake.keeping import Keeper
from dayfly.logs.intake.listening import Sockets
from dayfly.logs.parsing.parsed import UTC
from dayfly.logs.store.store import Store

PIECE = 256 * 1024  # bytes that are read from a sender, and stored, at once
MOST_SENDERS = 1000
DRAIN_SECONDS = 0.2  # without a word, when it is to stop
GRACE_SECONDS = 2.0  # for those that go on talking then
HANDSHAKE_SECONDS = 10.0
_log = logging.getLogger("logs")


class Listener:
    """One event loop owns it."""

    def __init__(
        self,
        store: Store,
        sockets: Sockets,
        zone: ZoneInfo = UTC,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keeper = Keeper(store, zone, now)
        self._sockets = sockets
        self._talking: set[asyncio.Task[None]] = set()
        self._stopping: asyncio.Future[None]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Until the context ends; what has arrived by then is stored."""
        self._stopping = asyncio.get_running_loop().create_future()
        servers = [server async for server in self._servers()]
        datagrams = Datagrams(self._keeper)
        if self._sockets.udp:
            await datagrams.open(self._sockets.udp)
        try:
            yield
        finally:
            for server in servers:
                server.close()
            self._stopping.set_result(None)
            await datagrams.close(DRAIN_SECONDS)
            await self._last_words()

    async def _servers(self) -> AsyncIterator[asyncio.Server]:
        sockets = self._sockets
        if sockets.tcp:
            yield await asyncio.start_server(self._hear, sock=sockets.tcp, limit=PIECE)
        if sockets.tls:
            yield await asyncio.start_server(
                self._hear,
                sock=sockets.tls,
                limit=PIECE,
                ssl=sockets.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )

    async def _last_words(self) -> None:
        if self._talking:
            _, still = await asyncio.wait(self._talking, timeout=GRACE_SECONDS)
            for task in still:
                task.cancel()
            await asyncio.gather(*still, return_exceptions=True)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One sender, until it goes."""
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        task = asyncio.current_task()
        if len(self._talking) >= MOST_SENDERS or task is None:
            _log.warning("syslog: %s is turned away: %d others talk", peer, MOST_SENDERS)
            writer.close()
            return
        self._talking.add(task)
        try:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            await self._talk(reader, peer)
        finally:
            self._talking.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, peer: str) -> None:
        frames = Frames()
        try:
            while data := await self._read(reader):
                await self._keeper.keep([(message, peer) for message in frames.feed(data)])
        except OSError as error:  # it, or the network, broke off
            _log.info("syslog: %s: %s", peer, error)
        await self._keeper.keep([(message, peer) for message in frames.end()])

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """Empty when the sender has gone, or has no more to say when we are to stop."""
        reading = asyncio.ensure_future(reader.read(PIECE))
        await asyncio.wait((reading, self._stopping), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            await asyncio.wait((reading,), timeout=DRAIN_SECONDS)
        if not reading.done():
            reading.cancel()
            return b""
        return reading.result()
