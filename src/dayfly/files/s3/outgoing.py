"""A file on its way to a socket, without a detour through our memory."""

import asyncio
import os
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO

from dayfly.files.s3.answer import Lent

AT_ONCE = 1024 * 1024  # bytes, between which others have their turn


@dataclass
class Outgoing:
    """Closes the file when all is sent, or nobody takes it any more."""

    lent: Lent
    transport: asyncio.Transport
    threads: Executor  # that wait for the disk
    at: int = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.lent.part.start

    def send_now(self, head: bytes, to: socket.socket) -> bool:
        """What goes out without waiting, after the head; True where that was all."""
        size, number = min(AT_ONCE, self.lent.part.size), self.lent.opened.descriptor
        if not self.transport.get_write_buffer_size() and in_memory(number, self.at, size):
            with suppress(OSError):  # there is no room, or nobody is there; the transport finds out
                head = head[to.send(head, socket.MSG_MORE) :]
                if not head:
                    self.at += os.sendfile(to.fileno(), number, self.at, size)
        if head:
            self.transport.write(head)
        done = self.at == self.lent.part.end
        if done:
            self.lent.opened.close()
        return done

    async def send_rest(self, sent: Callable[[], None]) -> None:
        """`sent` is told of each step."""
        loop, end = asyncio.get_running_loop(), self.lent.part.end
        with self.lent.opened as opened, FileIO(opened.descriptor, closefd=False) as file:
            while self.at < end and not self.transport.is_closing():
                size, number = min(AT_ONCE, end - self.at), opened.descriptor
                if not in_memory(number, self.at, size):
                    await loop.run_in_executor(self.threads, os.pread, number, size, self.at)
                try:
                    await loop.sendfile(self.transport, file, self.at, size, fallback=False)
                except (ConnectionError, RuntimeError):  # the reader is gone
                    self.transport.abort()
                    raise
                sent()
                self.at += size


def in_memory(descriptor: int, at: int, size: int) -> bool:
    """Whether the first and the last byte are, so that sending will hardly wait for a disk."""
    one = bytearray(1)
    try:
        return all(
            os.preadv(descriptor, [one], place, os.RWF_NOWAIT) == 1 for place in (at, at + size - 1)
        )
    except OSError:
        return False
