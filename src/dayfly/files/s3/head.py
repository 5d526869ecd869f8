"""The first lines of a request, and those of its answer."""

import time
from dataclasses import dataclass, field
from email.header import Header
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from dayfly.files.s3.answer import Headers
from dayfly.files.s3.problem import S3Error

MOST_HEAD = 64 * 1024  # bytes that are read of one; what is allowed is less, and told politely


@dataclass(slots=True)
class Head:
    """Grows while it is read. `target` is as it was sent, names of headers are lower case."""

    client: str
    method: str = ""
    target: bytes = b""
    headers: Headers = field(default_factory=list)
    size: int = 0
    secure: bool = False

    def forwarded(self) -> None:
        """By the balancer, which says for whom."""
        told = dict(self.headers)
        self.client = told.get("x-forwarded-for", "").rpartition(",")[2].strip()
        self.secure = told.get("x-forwarded-proto") == "https"

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


def text_of(value: bytes) -> str:
    """Of a header: UTF-8 as most send it, else what HTTP once meant."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def written(status: int, headers: Headers, *, keep: bool) -> bytes:
    """Up to and with the empty line."""
    lines = [_line(status), f"date: {_date(int(time.time()))}", "server: dayfly"]
    lines += [f"{name}: {_plain(value)}" for name, value in headers]
    if not keep:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@lru_cache(maxsize=100)
def _line(status: int) -> str:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _plain(value: str) -> str:
    """HTTP's headers are ASCII; what is not is written as in mails, which S3 does too."""
    if value.isascii():
        return value if value.isprintable() else "".join(filter(str.isprintable, value))
    return Header(value, "utf-8", maxlinelen=10_000).encode()
