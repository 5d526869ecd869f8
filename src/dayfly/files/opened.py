"""An object with its bytes."""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from dayfly.files.objects import Version
from dayfly.files.system import PIECE


class Opened(msgspec.Struct, frozen=True):
    """Its bytes stay what they are, whoever puts or deletes meanwhile, until it is closed."""

    version: Version
    descriptor: int

    @property
    def path(self) -> str:
        """What another opener in this process finds the same bytes by, while this is open."""
        return f"/proc/self/fd/{self.descriptor}"

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`."""
        left = (self.version.size if end is None else end) - start
        while left > 0 and (piece := os.pread(self.descriptor, min(PIECE, left), start)):
            yield piece
            start, left = start + len(piece), left - len(piece)

    def read(self) -> bytes:
        return b"".join(self.pieces())

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
