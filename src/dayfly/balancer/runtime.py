"""Talks to a running HAProxy over its stats socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dayfly.balancer.render import SOCKET
from dayfly.balancer.routing import BalancerError

SECONDS = 10.0
CHUNK = 65536


class NoAnswerError(BalancerError):
    """HAProxy is not running, or it hangs."""


def command(folder: Path, text: str, *, payload: str = "") -> str:
    """What HAProxy answers to one command; `payload` holds no empty line, which would end it."""
    sent = f"{text} <<\n{payload}\n\n" if payload else f"{text}\n"
    try:
        with connected(folder) as connection:
            connection.sendall(sent.encode())
            return b"".join(iter(lambda: connection.recv(CHUNK), b"")).decode(errors="replace")
    except OSError as error:
        raise NoAnswerError(
            f"HAProxy does not answer at {folder / SOCKET}: {error.strerror or error}",
            hint="`dayfly up` starts it; its own words are in haproxy.out next to the socket.",
        ) from error


def expect(folder: Path, text: str, *words: str, payload: str = "") -> None:
    """Run a command that has to answer with one of `words`, or with nothing when there are none."""
    answer = command(folder, text, payload=payload).strip()
    if (words and not any(word in answer for word in words)) or (not words and answer):
        raise BalancerError(f"HAProxy refused `{text}`: {answer or 'no answer'}")


@contextmanager
def connected(folder: Path) -> Iterator[socket.socket]:
    """A connection to the stats socket. By way of /proc, as such an address has 107 bytes only."""
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(f"/proc/self/fd/{directory}/{SOCKET}")
            yield connection
    finally:
        os.close(directory)
