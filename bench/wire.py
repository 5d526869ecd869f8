"""A client of S3 and of WebDAV that costs little and holds nothing: it is not what is measured."""

import hashlib
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from dayfly.files.s3.call import call_of
from dayfly.files.s3.signature import ALGORITHM, UNSIGNED, Claim, canonical, signature_of

KEY, SECRET, REGION = "BENCHKEY", "bench-secret", "us-east-1"
SIGNED = ("host", "x-amz-content-sha256", "x-amz-date")
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Ask:
    """`signed` is as S3's clients do it: the body's SHA-256 is part of it."""

    method: str
    target: str
    body: bytes = b""
    signed: bool = True


class Wire:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._into = memoryview(bytearray(PIECE))

    def send(self, ask: Ask) -> None:
        self.socket.sendall(head_of(ask, self.host) + ask.body)

    def answered(self) -> int:
        """Wait for all of an answer, and drop it unseen; how many bytes its body had."""
        head = b""
        while b"\r\n\r\n" not in head:
            got = self.socket.recv(4096)
            if not got:
                raise ConnectionError("the server has hung up")
            head += got
        head, _, begun = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{head.decode()}\n{begun.decode(errors='replace')}")
        size = _length(head)
        left = size - len(begun)
        while left:
            more = self.socket.recv_into(self._into, min(left, PIECE), socket.MSG_TRUNC)
            if not more:
                raise ConnectionError("the server has hung up in the middle")
            left -= more
        return size

    def ask(self, ask: Ask) -> int:
        self.send(ask)
        return self.answered()


@contextmanager
def wires(port: int, number: int) -> Iterator[list[Wire]]:
    with ExitStack() as stack:
        found = [Wire(port) for _ in range(number)]
        for each in found:
            stack.enter_context(each.socket)
        yield found


def asked(found: Sequence[Wire], asks: Sequence[Ask]) -> None:
    sent(found, written(found, asks))


def written(found: Sequence[Wire], asks: Sequence[Ask]) -> list[tuple[bytes, bytes]]:
    """Signed and ready, so that it takes no time when time counts."""
    return [(head_of(ask, found[0].host), ask.body) for ask in asks]


def sent(found: Sequence[Wire], requests: Sequence[tuple[bytes, bytes]]) -> None:
    """All of them, as many at once as there are connections."""
    for start in range(0, len(requests), len(found)):
        pairs = list(zip(found, requests[start : start + len(found)], strict=False))
        for wire, (head, body) in pairs:
            wire.socket.sendall(head + body)
        for wire, _ in pairs:
            wire.answered()


def head_of(ask: Ask, host: str, payload: str = "") -> bytes:
    lines = [f"{ask.method} {ask.target} HTTP/1.1", f"Host: {host}"]
    if ask.body or payload:
        lines.append(f"Content-Length: {len(ask.body)}")
    if ask.signed:
        lines += [f"{name}: {value}" for name, value in signature(ask, host, payload)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def signature(ask: Ask, host: str, payload: str) -> list[tuple[str, str]]:
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    payload = payload or hashlib.sha256(ask.body).hexdigest()
    headers = [("host", host), ("x-amz-content-sha256", payload), ("x-amz-date", at)]
    parts = urlsplit(ask.target)
    claim = Claim(
        key_id=KEY,
        day=at[:8],
        region=REGION,
        signed=SIGNED,
        signature="",
        at=at,
        payload=payload,
    )
    request = canonical(claim, call_of(ask.method, parts.path, parts.query, headers))
    told = f"{ALGORITHM} Credential={KEY}/{claim.scope}, SignedHeaders={';'.join(SIGNED)}, "
    told += f"Signature={signature_of(claim, SECRET, request)}"
    return [*headers[1:], ("Authorization", told)]


def upload(wire: Wire, target: str, size: int, piece: bytes) -> None:
    """A body that is too large to be held, of the same piece again and again."""
    lines = head_of(Ask("PUT", target), wire.host, UNSIGNED).replace(
        b"Content-Length: 0", f"Content-Length: {size}".encode()
    )
    wire.socket.sendall(lines)
    for _ in range(size // len(piece)):
        wire.socket.sendall(piece)
    wire.answered()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
