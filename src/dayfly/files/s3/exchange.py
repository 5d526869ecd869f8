"""One request and its answer: the body waits here until somebody takes it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from dayfly.files.s3.head import Head
from dayfly.files.s3.problem import S3Error

MOST_HELD = 64 * 1024  # bytes that are read before anybody takes them, if there is no room for more
SMALL = 4 * 1024  # bytes; a room has more
SLOW_SECONDS = 1.0  # after which a piece is given as it is, though there is room in it
Piece = bytes | memoryview


@dataclass(eq=False, slots=True)
class Exchange:
    """`flow` is told whether more of the body is wanted; `go_on` that its sender may begin.

    What is still to come of a body may be put into a `room` by the kernel itself, and is told with
    `filled`; who took such a piece may use its room again.
    """

    head: Head
    keep: bool  # the connection afterwards
    expects: bool  # a word before the body is sent
    flow: Callable[[bool], None]
    go_on: Callable[[], None]
    left: int | None = None  # bytes that are to come; None: who sends them tells at the end
    ended: bool = False
    broken: bool = False
    _pieces: deque[Piece] = field(default_factory=deque)
    _held: int = 0
    _room: memoryview | None = None
    _full: int = 0  # bytes of the room
    _waiter: asyncio.Future[None] | None = None
    _discards: bool = False

    def push(self, piece: Piece) -> None:
        if self.left is not None:
            self.left -= len(piece)
        self._hold(piece)

    def room(self, fresh: Callable[[int], memoryview]) -> memoryview:
        """Where the next bytes may be put; `fresh` gives one for so many bytes at most."""
        left = self.left or 0
        if self._room is None:
            self._room, self._full = fresh(left), 0
        return self._room[self._full : self._full + left]

    def filled(self, size: int) -> None:
        if self._room is None or self.left is None:
            raise ValueError("nobody asked for a room")
        self.left -= size
        self._full += size
        if self._discards:
            self._full = 0
        elif self._full == len(self._room) or not self.left:
            self._give()

    def end(self) -> None:
        self.ended = True
        self._rouse()

    def break_off(self) -> None:
        self.broken = True
        self._rouse()

    def discard(self) -> None:
        """What is still to come, since it was answered already."""
        self._discards = True
        self._pieces.clear()
        self._room = None
        self.flow(True)

    async def __aiter__(self) -> AsyncIterator[Piece]:
        if self.expects and not self.ended:
            self.expects = False
            self.go_on()
        while True:
            while self._pieces:
                piece = self._next()
                self._held -= len(piece)
                if self._held <= MOST_HELD // 2 and not self.ended:
                    self.flow(True)
                yield piece
            if self.ended:
                return
            if self.broken:
                raise S3Error("IncompleteBody")
            await self._more()

    def _next(self) -> Piece:
        """Small ones at once: whoever takes one does as much for a byte as for kilobytes."""
        piece = self._pieces.popleft()
        if len(piece) >= SMALL or not self._pieces:
            return piece
        few, size = [piece], len(piece)
        while self._pieces and len(self._pieces[0]) < SMALL and size < MOST_HELD:
            few.append(self._pieces.popleft())
            size += len(few[-1])
        return b"".join(few)

    async def _more(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(SLOW_SECONDS, self._hurry)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _hurry(self) -> None:
        """Whoever waits counts pieces, so a slow one must not seem to be none.

        It is copied, since many such pieces with a room each would hold much memory for little.
        """
        if self._room is not None and self._full:
            self._hold(bytes(self._room[: self._full]))
            self._full = 0
        self._rouse()

    def _give(self) -> None:
        room, self._room = self._room, None
        full, self._full = self._full, 0
        if room is not None:
            self._hold(room[:full])

    def _hold(self, piece: Piece) -> None:
        if self._discards:
            return
        self._pieces.append(piece)
        self._held += len(piece)
        self._rouse()
        if self._held > MOST_HELD and self.left != 0:
            self.flow(False)

    def _rouse(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
