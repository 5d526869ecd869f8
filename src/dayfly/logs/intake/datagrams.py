"""Syslog over UDP: who sends does not wait, so what finds no room is dropped, and told."""

import asyncio
import logging
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from dayfly.logs.intake.keeping import Keeper

MOST_WAITING = 20_000
AT_ONCE = 2000
TELL_SECONDS = 10.0
GRACE_SECONDS = 2.0
_log = logging.getLogger("logs")


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._waiting: deque[tuple[bytes, str]] = deque()
        self._news = asyncio.Event()
        self._quiet = asyncio.Event()  # nothing waits
        self._quiet.set()
        self._dropped = 0
        self._told_at = 0.0
        self._transport: asyncio.DatagramTransport | None = None
        self._storing: asyncio.Task[None] | None = None

    async def open(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=bound)
        self._storing = asyncio.create_task(self._store())

    async def close(self, seconds: float) -> None:
        """What comes in so many seconds is still taken, and stored if the store can."""
        if not self._transport or not self._storing:
            return
        await asyncio.sleep(seconds)
        self._transport.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), GRACE_SECONDS)
        self._storing.cancel()
        await asyncio.gather(self._storing, return_exceptions=True)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
        else:
            self._waiting.append((data, addr[0]))
            self._quiet.clear()
        self._news.set()

    async def _store(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                some = list(islice(self._waiting, AT_ONCE))
                await self._keep(some)
                for _ in some:
                    self._waiting.popleft()
                self._tell()
            self._quiet.set()

    async def _keep(self, some: Sequence[tuple[bytes, str]]) -> None:
        try:
            await self._keeper.keep(some)
        except Exception:  # noqa: BLE001 - a task's edge: what comes later has to be stored
            _log.exception("syslog: %d datagrams are lost by a defect in Dayfly", len(some))

    def _tell(self) -> None:
        if self._dropped and time.monotonic() - self._told_at > TELL_SECONDS:
            _log.warning("syslog: %d datagrams found no room and were dropped", self._dropped)
            self._dropped, self._told_at = 0, time.monotonic()
