"""Sees at once when somebody changes routes, rules or the firewall, and holds the guard."""

import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from dayfly.clock import Stop
from dayfly.rounds import Told
from dayfly.tunnel.guard import Guard

LOOK_SECONDS = 10.0  # between two looks when the kernel tells of nothing
PAUSE_SECONDS = 0.2  # where it tells of changes without end
LARGEST = 65536
# Groups of netlink: links, routes and rules of both families; changes of nftables.
ROUTING = 0x1 | 0x40 | 0x400 | 0x80 | 0x40000
NETFILTER, TABLES = 12, 0x40
ABOUT = "what lets nothing leave in clear"

log = logging.getLogger(__name__)


class Watch:
    """A thread that needs no daemon and no settings: it goes on while those are of no use."""

    def __init__(self, guard: Guard, restored: Callable[[list[str]], None]) -> None:
        self._guard = guard
        self._restored = restored
        self._told = Told("tunnel")
        self._pause = Stop()
        self.stirred = threading.Event()  # set by every change of routes and rules

    def start(self) -> None:
        """It is held when this returns; what is changed from here on is seen."""
        sockets = told_by_kernel()
        self._told.guard(ABOUT, self._hold)
        threading.Thread(target=self._run, args=[sockets], name="guard", daemon=True).start()

    def _run(self, sockets: Sequence[socket.socket]) -> None:
        while True:
            began = time.monotonic()
            ready, _, _ = select.select(sockets, [], [], LOOK_SECONDS)
            if ready and time.monotonic() - began < PAUSE_SECONDS:
                self._pause.wait(PAUSE_SECONDS)
            drain(sockets)
            self._told.guard(ABOUT, self._hold)
            self.stirred.set()

    def _hold(self) -> None:
        if gone := self._guard.hold():
            log.warning("put back, as somebody took it away: %s", ", ".join(gone))
            self._restored(gone)


def told_by_kernel() -> list[socket.socket]:
    """Sockets that have something to read as soon as anything is changed."""
    sockets = []
    for protocol, groups in ((socket.NETLINK_ROUTE, ROUTING), (NETFILTER, TABLES)):
        one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        one.setblocking(False)
        one.bind((0, groups))
        sockets.append(one)
    return sockets


def drain(sockets: Sequence[socket.socket]) -> None:
    """Only that something was told is of interest; so it is when it was more than there is room."""
    for one in sockets:
        with suppress(OSError):
            while True:
                one.recv(LARGEST)
