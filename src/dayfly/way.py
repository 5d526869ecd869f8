"""How a server is reached that no network reaches: through something that ends beside it."""

import http.client
import socket
import ssl
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from dayfly.errors import DayflyError


class Line(Protocol):
    """One connection."""

    @property
    def socket(self) -> socket.socket: ...

    def failure(self) -> DayflyError | None:
        """What is wrong with the way, once nothing comes through; None where it is the server."""


class Way(Protocol):
    @property
    def end(self) -> str:
        """Where it ends, for people."""

    def line(self, host: str, port: int) -> AbstractContextManager[Line]:
        """To what listens there, seen from the end of the way."""


def is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # a half-open [, or a port that is none
        return False
    return known and bool(parts.hostname)


def unprotected(address: str) -> bool:
    """Whether what is sent there can be read on the way."""
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def connection(
    address: str, *, ca: str, seconds: float, line: Line | None
) -> http.client.HTTPConnection:
    """To a server, by `line` where it is not reached otherwise. OSError where TLS fails at once."""
    parts = urlsplit(address)
    host, secure = parts.hostname or "", parts.scheme == "https"
    context = ssl.create_default_context(cadata=ca or None) if secure else None
    if line:
        line.socket.settimeout(seconds)
        made = http.client.HTTPConnection(host, parts.port, timeout=seconds)
        made.sock = (
            context.wrap_socket(line.socket, server_hostname=host) if context else line.socket
        )
        return made
    if context:
        return http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=seconds)


def line_to(way: Way | None, address: str) -> AbstractContextManager[Line | None]:
    """A new one, where there is a way."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return way.line(parts.hostname or "", port) if way else nullcontext()
