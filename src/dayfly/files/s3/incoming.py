"""The body of a request as it comes: whole or not at all, never slower than is bearable."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dayfly.files.s3.call import Call
from dayfly.files.s3.chunks import Chunked, chunked
from dayfly.files.s3.exchange import Piece
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.request import Caller
from dayfly.files.s3.signature import UNSIGNED

PATIENCE_SECONDS = 60.0  # for the next piece, and before the slowest rate counts
MOST_BYTES = 5 * 1024**3  # of an object or a part that comes at once
SLOWEST = 1024  # bytes a second, of the whole body


class Pieces(Protocol):
    def __aiter__(self) -> AsyncIterator[Piece]: ...


@dataclass
class Incoming:
    """`pieces` unpacks what is aws-chunked, whose trailers are known at its end."""

    source: Pieces
    call: Call
    caller: Caller
    patience: float = PATIENCE_SECONDS
    size: int = 0  # of what came over the wire
    _chunked: Chunked | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        claim = self.caller.claim
        if claim and claim.payload.startswith("STREAMING-"):
            self._chunked = chunked(claim, self.caller.secret)
        elif claim is None and self.call.header("x-amz-content-sha256").startswith("STREAMING-"):
            raise S3Error("InvalidRequest", "Chunks need a signature to begin with.")

    @property
    def trailers(self) -> Mapping[str, str]:
        return self._chunked.trailers if self._chunked else {}

    @property
    def announced(self) -> int | None:
        """How many bytes the body has, if that is known before."""
        name = "x-amz-decoded-content-length" if self._chunked else "content-length"
        text = self.call.header(name)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - digits

    async def pieces(self) -> AsyncIterator[Piece]:
        """S3Error where it breaks off, is too slow, or is not what was signed."""
        size = 0
        async for piece in self._timed():
            for part in self._chunked.feed(piece) if self._chunked else (piece,):
                size += len(part)
                yield part
        if self._chunked:
            self._chunked.finish()
        if self.announced not in (None, size) or self._wire_length not in (None, self.size):
            raise S3Error("IncompleteBody")

    async def whole(self, most: int) -> bytes:
        """All of a body that is a document."""
        if (self._wire_length or 0) > most:
            raise S3Error("MaxMessageLengthExceeded", MaxMessageLengthBytes=str(most))
        found = bytearray()
        async for piece in self.pieces():
            found += piece
            if len(found) > most:
                raise S3Error("MaxMessageLengthExceeded", MaxMessageLengthBytes=str(most))
        return bytes(found)

    def check_length(self) -> None:
        """Of an object the end must be told: a body that breaks off looks like a short one."""
        if self._chunked and self.announced is None:
            raise S3Error("MissingContentLength")
        claim = self.caller.claim
        signed = claim is not None and claim.payload != UNSIGNED
        if self.announced is None and not (signed and "transfer-encoding" in self.call.headers):
            raise S3Error("MissingContentLength")
        if (self.announced or 0) > MOST_BYTES:
            raise S3Error("EntityTooLarge", MaxSizeAllowed=str(MOST_BYTES))

    @property
    def _wire_length(self) -> int | None:
        text = self.call.header("content-length")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - digits

    async def _timed(self) -> AsyncIterator[Piece]:
        """Only waiting for a piece counts, not what is done with it."""
        loop = asyncio.get_running_loop()
        begun, source = loop.time(), aiter(self.source)
        while True:
            slowest = begun + self.patience + self.size / SLOWEST
            try:
                async with asyncio.timeout_at(min(loop.time() + self.patience, slowest)):
                    piece = await anext(source, b"")
            except TimeoutError as error:
                raise S3Error("RequestTimeout") from error
            if not piece:
                return
            self.size += len(piece)
            yield piece
