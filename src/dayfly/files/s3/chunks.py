"""The aws-chunked body: pieces with their length, each signed or none, and trailers after them."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dayfly.files.s3.problem import S3Error, not_implemented
from dayfly.files.s3.signature import Claim, signed

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
KINDS = frozenset((SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER))
MOST_LINE = 1024  # bytes of a chunk's first line
SMALL, MOST_SMALL = 8 * 1024, 1000  # bytes of a chunk for which it is not small, and those that are
MOST_TRAILERS = 8 * 1024  # bytes of all of them
_NOTHING = hashlib.sha256(b"").hexdigest()
_SIGNATURE = "x-amz-trailer-signature"


@dataclass
class Chain:
    """Each signature covers the one before, beginning with that of the request."""

    claim: Claim
    secret: str
    previous: str = ""

    def __post_init__(self) -> None:
        self.previous = self.claim.signature

    def check(self, shown: str, digest: str) -> None:
        self._check(shown, f"{_NOTHING}\n{digest}", "AWS4-HMAC-SHA256-PAYLOAD")

    def check_trailer(self, shown: str, digest: str) -> None:
        self._check(shown, digest, "AWS4-HMAC-SHA256-TRAILER")

    def _check(self, shown: str, rest: str, kind: str) -> None:
        text = f"{kind}\n{self.claim.at}\n{self.claim.scope}\n{self.previous}\n{rest}"
        wanted = signed(self.claim, self.secret, text)
        if not hmac.compare_digest(wanted.encode(), shown.encode()):
            raise S3Error("SignatureDoesNotMatch", "The signature of a chunk does not match.")
        self.previous = wanted


@dataclass
class Chunked:
    """Takes the body as it comes, gives what it means. Nothing is trusted before `finish`."""

    chain: Chain | None
    trailing: bool
    trailers: dict[str, str] = field(default_factory=dict)
    _held: bytearray = field(default_factory=bytearray)
    _left: int = 0  # bytes of the chunk that are still to come
    _small: int = 0  # chunks that were
    _shown: str = ""
    _state: Callable[["Chunked"], Iterator[bytes]] | None = None
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _done: bool = False
    _raw_trailers: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._state = Chunked._line

    def feed(self, piece: bytes | memoryview) -> Iterator[bytes]:
        self._held += piece
        while self._state and self._held:
            state = self._state
            before = len(self._held)
            yield from state(self)
            if self._state is state and len(self._held) == before:
                return  # it waits for more
        if self._held:
            raise S3Error("InvalidRequest", "The body goes on after its last chunk.")

    def finish(self) -> None:
        if not self._done:
            raise S3Error("IncompleteBody", "The body ended before its last chunk.")

    def _line(self) -> Iterator[bytes]:
        text = self._taken_line(MOST_LINE)
        if text is not None:
            size, _, rest = text.partition(";")
            self._left = _hexadecimal(size)
            self._count(self._left)
            self._shown = rest.removeprefix("chunk-signature=") if self.chain else ""
            self._hash = hashlib.sha256()
            self._state = Chunked._data if self._left else self._last_chunk()
        yield from ()

    def _count(self, size: int) -> None:
        """Each costs as much as some kilobytes do. Amazon allows one that is small, the last."""
        self._small += size < SMALL
        if self._small > MOST_SMALL:
            raise S3Error("InvalidChunkSizeError")

    def _data(self) -> Iterator[bytes]:
        piece = bytes(self._held[: self._left])
        del self._held[: len(piece)]
        self._left -= len(piece)
        if self.chain:
            self._hash.update(piece)
        if not self._left:
            self._state = Chunked._end
        yield piece

    def _end(self) -> Iterator[bytes]:
        if len(self._held) > 1:
            if self._held[:2] != b"\r\n":
                raise S3Error("InvalidRequest", "A chunk is longer than it says.")
            del self._held[:2]
            self._check_chunk()
            self._state = Chunked._line
        yield from ()

    def _last_chunk(self) -> "Callable[[Chunked], Iterator[bytes]]":
        self._check_chunk()
        return Chunked._trailer if self.trailing else Chunked._blank

    def _blank(self) -> Iterator[bytes]:
        if len(self._held) > 1:
            if self._held[:2] != b"\r\n":
                raise S3Error("InvalidRequest", "The body goes on after its last chunk.")
            del self._held[:2]
            self._state, self._done = None, True
        yield from ()

    def _trailer(self) -> Iterator[bytes]:
        text = self._taken_line(MOST_TRAILERS)
        if text:
            name, _, value = text.partition(":")
            self._take_trailer(name.strip().lower(), value.strip())
        elif text is not None:
            self._check_trailers()
            self._state, self._done = None, True
        yield from ()

    def _take_trailer(self, name: str, value: str) -> None:
        self.trailers[name] = value
        if name != _SIGNATURE:
            self._raw_trailers += f"{name}:{value}\n".encode()
        if len(self._raw_trailers) > MOST_TRAILERS:
            raise S3Error("InvalidRequest", "The trailers are too large.")

    def _check_chunk(self) -> None:
        if self.chain:
            self.chain.check(self._shown, self._hash.hexdigest())

    def _check_trailers(self) -> None:
        shown = self.trailers.pop(_SIGNATURE, "")
        if self.chain and self.trailers:
            self.chain.check_trailer(shown, hashlib.sha256(self._raw_trailers).hexdigest())

    def _taken_line(self, most: int) -> str | None:
        """The next line without its end; None while it is not whole."""
        end = self._held.find(b"\n", 0, most)
        if end < 0:
            if len(self._held) >= most:
                raise S3Error("InvalidRequest", "A line between chunks is too long.")
            return None
        line = self._held[:end].decode("latin-1").rstrip("\r")
        del self._held[: end + 1]
        return line


def chunked(claim: Claim, secret: str) -> Chunked:
    """For a body whose payload says STREAMING."""
    if claim.payload not in KINDS:
        raise not_implemented(f"A body signed as {claim.payload[:100]}")
    chain = None if claim.payload == UNSIGNED_TRAILER else Chain(claim, secret)
    return Chunked(chain, trailing=claim.payload != SIGNED)


def _hexadecimal(text: str) -> int:
    text = text.strip()
    if not (0 < len(text) <= 16 and all(each in "0123456789abcdefABCDEF" for each in text)):  # noqa: PLR2004 - digits
        raise S3Error("InvalidRequest", f"The size of a chunk is {text[:40]!r}.")
    return int(text, 16)
