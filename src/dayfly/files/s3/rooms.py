"""Memory for bodies that come in, used again, so that the kernel need not clear it each time."""

from dataclasses import dataclass, field

from dayfly.files.s3.exchange import Piece

MOST_PIECE = 1024 * 1024  # bytes that are handed to a thread at once
LEAST_PIECE = 64 * 1024  # when many send at once, so that all of them together hold little
FEW = 16  # bodies that come at the same time


@dataclass
class Rooms:
    bodies: int = 0  # that are coming in
    _free: list[bytearray] = field(default_factory=list)

    @property
    def piece(self) -> int:
        """How much of a body may wait in memory, by how many there are."""
        return max(LEAST_PIECE, MOST_PIECE * FEW // max(FEW, self.bodies))

    def fresh(self, wanted: int) -> memoryview:
        """For `wanted` bytes at most."""
        size = min(wanted, self.piece)
        if size <= MOST_PIECE // 2:
            return memoryview(bytearray(size))
        return memoryview(self._free.pop() if self._free else bytearray(MOST_PIECE))[:size]

    def used(self, piece: Piece) -> None:
        """Nobody looks at it any more."""
        if isinstance(piece, memoryview):
            room = piece.obj
            piece.release()
            if isinstance(room, bytearray) and len(room) == MOST_PIECE and len(self._free) < FEW:
                self._free.append(room)
