"""The first lines of a request, and those of its answer."""

import re
import time
from dataclasses import dataclass, field
from email.header import Header
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import quote, unquote_to_bytes

from dayfly.files.s3.problem import S3Error

_FILENAME = re.compile(r'filename\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.IGNORECASE)
Headers = list[tuple[str, str]]
_KEPT, _CLOSED = b"\r\n", b"connection: close\r\n\r\n"
MOST_HEAD = (
    64 * 1024
)  # bytes that are read without a whole one; what is allowed is less, and told politely


@dataclass(slots=True)
class Head:
    """Grows while it is read. `target` is as it was sent, names of headers are lower case."""

    client: str
    method: str = ""
    target: bytes = b""
    headers: Headers = field(default_factory=list)
    secure: bool = False

    def forwarded(self) -> None:
        """By the balancer, which says for whom."""
        told = dict(self.headers)
        self.client = told.get("x-forwarded-for", "").rpartition(",")[2].strip()
        self.secure = told.get("x-forwarded-proto") == "https"

    @property
    def announced(self) -> tuple[int | None, bool]:
        """How long the body is, if that is told, and whether a word is expected before it comes.

        llhttp has seen that the length is a number, and one only.
        """
        length, expects = None, False
        for name, value in self.headers:
            if name == "content-length":
                length = int(value)
            elif name == "expect":
                expects = "100" in value
        return length, expects

    @property
    def path(self) -> str:
        """S3Error where it is no UTF-8."""
        path = self.target.partition(b"?")[0]
        if not path.startswith(b"/"):  # as to a proxy, or no path at all
            _, proxied, path = path.partition(b"://")
            path = b"/" + path.partition(b"/")[2]
            if not proxied:
                raise S3Error("InvalidURI")
        try:
            return (unquote_to_bytes(path) if b"%" in path else path).decode()
        except UnicodeDecodeError as error:
            raise S3Error("InvalidURI") from error

    @property
    def query(self) -> str:
        return self.target.partition(b"?")[2].decode("latin-1")


@lru_cache(maxsize=512)
def name_of(name: bytes) -> str:
    """Of a header, as it is looked for."""
    return name.decode("latin-1").lower()


def text_of(value: bytes) -> str:
    """Of a header: UTF-8 as most send it, else what HTTP once meant."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def written(status: int, told: bytes, *, keep: bool) -> bytes:
    """Up to and with the empty line; `told` are the lines of `lines_of`."""
    return _begun(status, int(time.time())) + told + (_KEPT if keep else _CLOSED)


def lines_of(headers: Headers) -> bytes:
    return "".join([f"{name}: {_plain(name, value)}\r\n" for name, value in headers]).encode(
        "latin-1"
    )


@lru_cache(maxsize=32)
def _begun(status: int, second: int) -> bytes:
    phrase, date = HTTPStatus(status).phrase, formatdate(second, usegmt=True)
    return f"HTTP/1.1 {status} {phrase}\r\ndate: {date}\r\nserver: dayfly\r\n".encode()


def _plain(name: str, value: str) -> str:
    """HTTP's headers are ASCII; what is not is written as in mails, which S3 does too."""
    if value.isascii():
        return value if value.isprintable() else "".join(filter(str.isprintable, value))
    if name == "content-disposition":
        return _disposition(value)
    return Header(value, "utf-8", maxlinelen=10_000).encode()


def _disposition(value: str) -> str:
    """With the name of a file as RFC 6266 has it: written as in mails nobody would know it."""
    if "filename*" not in value.lower():
        value = _FILENAME.sub(_encoded, value)
    plain = value.encode("ascii", "replace").decode()
    return "".join(filter(str.isprintable, plain))


def _encoded(found: re.Match[str]) -> str:
    name = found[1].strip()
    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return found[0] if name.isascii() else f"filename*=UTF-8''{quote(name, safe='')}"
