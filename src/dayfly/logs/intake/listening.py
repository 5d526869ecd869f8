"""The sockets that syslog is listened to: UDP and TCP at one address, TLS at another."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from dayfly.config.address import address_of
from dayfly.errors import DayflyError, UsageError
from dayfly.logs.parsing.parsed import UTC

_WAITING = 4 << 20  # bytes of datagrams that the kernel keeps while we are busy, if it may
_BACKLOG = 128


@dataclass(frozen=True, kw_only=True)
class Syslog:
    """What is listened to; nothing where an address is left out."""

    plain: str = ""  # HOST:PORT
    tls: str = ""
    certificate: Path | None = None  # PEM: certificate, chain and key
    clients: Path | None = None  # PEM: who signs the certificates that senders have to show
    zone: ZoneInfo = UTC  # of times that tell none


NO_SYSLOG = Syslog()


@dataclass(frozen=True, kw_only=True)
class Sockets:
    udp: socket.socket | None = None
    tcp: socket.socket | None = None
    tls: socket.socket | None = None
    context: ssl.SSLContext | None = None


@contextmanager
def bound(wanted: Syslog) -> Iterator[Sockets]:
    """Bound before anything is served; UsageError says what is wrong with an address."""
    with ExitStack() as exits:
        udp, tcp, tls = (
            exits.enter_context(_socket(listen, kind)) if listen else None
            for listen, kind in (
                (wanted.plain, socket.SOCK_DGRAM),
                (wanted.plain, socket.SOCK_STREAM),
                (wanted.tls, socket.SOCK_STREAM),
            )
        )
        yield Sockets(udp=udp, tcp=tcp, tls=tls, context=_context(wanted) if tls else None)


def _socket(listen: str, kind: socket.SocketKind) -> socket.socket:
    address = address_of(listen)
    if address is None:
        raise UsageError(f"{listen} is no address to listen on", hint="Write it as HOST:PORT.")
    try:
        family, _, _, _, where = socket.getaddrinfo(*address, type=kind)[0]
        with ExitStack() as exits:
            made = exits.enter_context(socket.socket(family, kind))
            if kind == socket.SOCK_DGRAM:  # two could share it otherwise
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WAITING)
            else:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(where)
            if kind == socket.SOCK_STREAM:
                made.listen(_BACKLOG)
            exits.pop_all()
    except OSError as error:
        raise DayflyError(f"syslog can't be listened to at {listen}: {error}") from error
    return made


def _context(wanted: Syslog) -> ssl.SSLContext:
    if not wanted.certificate:
        raise UsageError("syslog over TLS needs a certificate", hint="A PEM file with its key.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(wanted.certificate)
        if wanted.clients:
            context.load_verify_locations(wanted.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        files = " or ".join(str(file) for file in (wanted.certificate, wanted.clients) if file)
        raise UsageError(f"{files}: {error}", hint="A PEM file with its key.") from error
    return context
