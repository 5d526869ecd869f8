"""Ports that nobody listens at: below those that the kernel gives to clients and machines."""

import os
import random
import socket
from collections import deque

FIRST, LAST = 10_000, 19_999
_RANDOM = random.SystemRandom()  # the usual one begins alike in every test
_given = deque[int](maxlen=200)  # who asked may not listen there yet


def free_port(*, row: int = 1) -> int:
    """The first of so many free ones in a row, none of them given away a moment ago."""
    first, last = _own()
    while True:
        port = _RANDOM.randint(first, last - row)
        wanted = range(port, port + row)
        if not any(each in _given for each in wanted) and all(map(_free, wanted)):
            _given.extend(wanted)
            return port


def _own() -> tuple[int, int]:
    """Each of the suite's workers has a part for itself."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (LAST + 1 - FIRST) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return FIRST + worker * size, FIRST + (worker + 1) * size - 1


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
