"""The body of a request: whole, unpacked, and never more than fits."""

import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import cramjam
from anyio import CapacityLimiter, Event, move_on_after, to_thread
from starlette.requests import Request

from dayfly.errors import DayflyError
from dayfly.logs.store.problems import BodyError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MB = 1 << 20
MOST_BODY = 64 * MB  # of one request, packed or not
MOST_HELD = 256 * MB  # of all requests that are being taken
MOST_AT_ONCE = 64  # bodies that wait for the disk, which takes them together
PATIENCE_SECONDS = 20.0  # so long a body waits, unread, until there is room for it
_PIECE = MB


class TooLargeError(DayflyError):
    """A body is larger than is taken at once."""


class BusyError(DayflyError):
    """Too much comes at once; a moment later there is room again."""


class EncodingError(DayflyError):
    """A body is packed in a way that is not unpacked here."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


@dataclass
class Room:
    """Counts the bytes of all bodies that are being taken. One event loop owns it."""

    most_body: int = MOST_BODY
    most_held: int = MOST_HELD
    patience: float = PATIENCE_SECONDS
    held: int = 0
    threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MOST_AT_ONCE))
    _freed: Event = field(default_factory=Event)

    @asynccontextmanager
    async def body(self, request: Request, packing: str = "") -> AsyncIterator[bytes]:
        """The unpacked body of a request, counted until the context ends.

        `packing` is that of a protocol which packs whatever the headers say.
        """
        packing = packing or packing_of(request)
        expected = _number(request.headers.get("content-length"))
        self._refuse_long(expected)
        begun, size, pieces = await self._reserved(expected), 0, list[bytes]()
        try:
            async for piece in request.stream():
                size += len(piece)
                self._refuse_long(size)
                begun += self._take(max(0, size - begun))
                pieces.append(piece)
            whole = b"".join(pieces)
            pieces.clear()
            if packing != "identity":
                whole = await to_thread.run_sync(self._unpacked, packing, whole)
                begun += self._take(len(whole))
            yield whole
        finally:
            self._free(begun)

    @asynccontextmanager
    async def holding(self, size: int) -> AsyncIterator[None]:
        """Room for a body that is taken piece by piece, none larger than this."""
        begun = await self._reserved(size)
        try:
            yield
        finally:
            self._free(begun)

    async def _reserved(self, size: int) -> int:
        """A sender that waits slows down by itself; few do well what a refusal asks of them."""
        with move_on_after(self.patience):
            while self.held + size > self.most_held:
                await self._freed.wait()
        return self._take(size)

    def _free(self, size: int) -> None:
        self.held -= size
        freed, self._freed = self._freed, Event()
        freed.set()

    def _take(self, size: int) -> int:
        if self.held + size > self.most_held:
            raise BusyError("Too much comes at once.", hint="Send it again in a second.")
        self.held += size
        return size

    def _refuse_long(self, size: int) -> None:
        if size > self.most_body:
            raise TooLargeError(
                f"The body has more than {self.most_body} bytes.", hint="Send smaller batches."
            )

    def _unpacked(self, packing: str, packed: bytes) -> bytes:
        if packing == "snappy":
            return self._unsnapped(packed)
        pieces, size = list[bytes](), 0
        for piece in _pieces(_gunzip if packing == "gzip" else _unzstd, packed, packing):
            size += len(piece)
            self._refuse_long(size)
            pieces.append(piece)
        return b"".join(pieces)

    def _unsnapped(self, packed: bytes) -> bytes:
        """A block of snappy tells its length first."""
        try:
            self._refuse_long(cramjam.snappy.decompress_raw_len(packed))
            return bytes(cramjam.snappy.decompress_raw(packed))
        except cramjam.DecompressionError as error:
            raise BodyError(f"The body is no snappy: {error}") from error


def packing_of(request: Request) -> str:
    """What its Content-Encoding says: identity, gzip or zstd."""
    packing = request.headers.get("content-encoding", "").strip().lower() or "identity"
    if packing not in ("identity", "gzip", "zstd"):
        raise EncodingError(f"Content-Encoding {packing!r}; allowed are gzip, zstd and identity")
    return packing


def _pieces(unpacker: Callable[[], _Unpacker], packed: bytes, packing: str) -> Iterator[bytes]:
    """Of one packed text after the other, as both formats allow."""
    while packed:
        one = unpacker()
        rest = packed
        while not one.eof:
            try:
                piece = one.decompress(rest, _PIECE)
            except (zlib.error, zstd.ZstdError) as error:
                raise BodyError(f"The body is no {packing}: {error}") from error
            rest = getattr(one, "unconsumed_tail", b"")  # zstd's keeps it
            if not piece and not one.eof and not rest:
                raise BodyError(f"The body is {packing} that breaks off.")
            yield piece
        packed = one.unused_data


def _gunzip() -> _Unpacker:
    return zlib.decompressobj(wbits=31)


def _unzstd() -> _Unpacker:
    return zstd.ZstdDecompressor()


def _number(text: str | None) -> int:
    """0 for a body that comes without its length."""
    return int(text) if text and text.isdecimal() and len(text) < 20 else 0  # noqa: PLR2004
