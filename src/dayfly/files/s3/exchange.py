"""One request and its answer: the body waits here until somebody takes it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from dayfly.files.s3.head import Head
from dayfly.files.s3.problem import S3Error

MOST_HELD = 64 * 1024  # bytes that are read before anybody takes them


@dataclass(eq=False)
class Exchange:
    """`flow` is told whether more of the body is wanted; `go_on` that its sender may begin."""

    head: Head
    keep: bool  # the connection afterwards
    expects: bool  # a word before the body is sent
    flow: Callable[[bool], None]
    go_on: Callable[[], None]
    ended: bool = False
    broken: bool = False
    _pieces: deque[bytes] = field(default_factory=deque)
    _held: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _discards: bool = False

    def push(self, piece: bytes) -> None:
        if self._discards:
            return
        self._pieces.append(piece)
        self._held += len(piece)
        self._wake.set()
        if self._held > MOST_HELD:
            self.flow(False)

    def end(self) -> None:
        self.ended = True
        self._wake.set()

    def break_off(self) -> None:
        self.broken = True
        self._wake.set()

    def discard(self) -> None:
        """What is still to come, since it was answered already."""
        self._discards = True
        self._pieces.clear()
        self.flow(True)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.expects and not self.ended:
            self.expects = False
            self.go_on()
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._held -= len(piece)
                if self._held <= MOST_HELD // 2:
                    self.flow(True)
                yield piece
            if self.ended:
                return
            if self.broken:
                raise S3Error("IncompleteBody")
            self._wake.clear()
            await self._wake.wait()
