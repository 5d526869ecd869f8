"""Requests at a steady pace, each one kept with its moment and how long it took."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CONNECTIONS = 8
PATIENCE = 10.0  # seconds for an answer


@dataclass(frozen=True)
class Sample:
    began: float  # seconds since the epoch
    seconds: float
    good: bool


@dataclass
class Load:
    """`samples` grow while it runs."""

    port: int
    path: str
    rate: float  # per second, of all connections together
    samples: list[Sample] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def between(self, begin: float, end: float) -> list[float]:
        """Milliseconds of the good ones that began then."""
        return [s.seconds * 1000 for s in self.samples if s.good and begin <= s.began < end]

    @property
    def failed(self) -> int:
        return sum(not sample.good for sample in self.samples)

    async def run(self) -> None:
        await asyncio.gather(*(self._client(number) for number in range(CONNECTIONS)))

    async def _client(self, number: int) -> None:
        """Every other request comes over a new connection."""
        pause = CONNECTIONS / self.rate
        due = time.monotonic() + pause * number / CONNECTIONS
        wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not self.over.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += pause
            began, started = time.time(), time.monotonic()
            try:
                wire = wire or await asyncio.open_connection("127.0.0.1", self.port)
                good = await asyncio.wait_for(ask(*wire, self.path), PATIENCE)
                kept = good and len(self.samples) % 2 == 0
            except (OSError, EOFError, TimeoutError):
                good = kept = False
            self.samples.append(Sample(began, time.monotonic() - started, good))
            if wire and not kept:
                wire[1].close()
                wire = None
        if wire:
            wire[1].close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bool:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    await reader.readexactly(size)
    return head.startswith(b"HTTP/1.1 200")


@contextmanager
def steady(port: int, path: str, rate: float) -> Iterator[Load]:
    """Load while the block runs, from a thread of its own."""
    load = Load(port, path, rate)
    thread = threading.Thread(target=lambda: asyncio.run(load.run()))
    thread.start()
    try:
        yield load
    finally:
        load.over.set()
        thread.join()
