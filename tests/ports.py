"""Ports that nobody listens at: below those that the kernel gives to clients and machines."""

import random
import socket

FIRST, LAST = 10_000, 19_999
_RANDOM = random.SystemRandom()  # the usual one begins alike in every test


def free_port(*, row: int = 1) -> int:
    """The first of so many free ones in a row."""
    while True:
        port = _RANDOM.randint(FIRST, LAST - row)
        if all(map(_free, range(port, port + row))):
            return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
