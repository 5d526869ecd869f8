"""Hands listening sockets to HAProxy and takes them back from it, as HAProxies do among themselves.

The protocol is the one behind `haproxy -x`: the asking side says `_getsocks`, learns how many there
are, and gets them in groups, each socket with a few bytes that describe it, each group answered
with four bytes. It
needs no privilege, unlike pidfd_getfd, and works with every HAProxy since 1.8.
"""

import os
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dayfly.balancer.routing import BalancerError
from dayfly.balancer.runtime import NoAnswerError, connected

GROUP = 252  # what HAProxy sends at once
BACKLOG = 4096
_COUNT = struct.Struct("i")
_PLAIN = struct.pack("BBi", 0, 0, 0)  # no namespace, no interface, no options
_ASK = b"_getsocks\n"


def listening(address: str) -> socket.socket:
    """A new listening socket at host:port; `[::]:443` for IPv6."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        found = socket.getaddrinfo(host or None, int(port), type=socket.SOCK_STREAM, flags=1)
        family, kind, _, _, where = found[0]
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where)
        made.listen(BACKLOG)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not host:port"
        raise BalancerError(
            f"can't listen on {address}: {reason}",
            hint="Choose another under [balancer] in environment.toml, or end what holds it.",
        ) from error
    return made


def give(connection: socket.socket, held: Sequence[socket.socket]) -> None:
    """Answer a starting HAProxy that asks for its listening sockets."""
    if connection.recv(len(_ASK)) != _ASK:
        raise BalancerError("HAProxy asked for something else than its sockets")
    connection.sendall(_COUNT.pack(len(held)))
    if held:
        socket.send_fds(connection, [_PLAIN * len(held)], [each.fileno() for each in held])
        connection.recv(_COUNT.size)


def taken(folder: Path) -> list[socket.socket]:
    """Copies of the TCP sockets on which the running HAProxy listens."""
    numbers: list[int] = []
    try:
        with connected(folder) as connection:
            connection.sendall(_ASK)
            (count,) = _COUNT.unpack(connection.recv(_COUNT.size, socket.MSG_WAITALL))
            while len(numbers) < count:
                _, found, _, _ = socket.recv_fds(connection, 65536, GROUP)
                if not found:
                    raise NoAnswerError("HAProxy hands over fewer sockets than it said")
                numbers += found
                with suppress(BrokenPipeError):  # after the last group it may not listen any more
                    connection.sendall(_COUNT.pack(len(numbers)))
    except (OSError, struct.error) as error:
        for number in numbers:
            os.close(number)
        raise NoAnswerError(f"HAProxy does not hand over its sockets: {error}") from error
    everything = [socket.socket(fileno=number) for number in numbers]
    return [each for each in everything if _is_tcp(each)]


def _is_tcp(found: socket.socket) -> bool:
    if found.family in (socket.AF_INET, socket.AF_INET6):
        return True
    found.close()
    return False
