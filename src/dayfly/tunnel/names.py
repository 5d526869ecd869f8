"""Where the names of gateways lead, asked without waiting for the answer.

The IKE daemon would ask in the middle of its work, and answer nobody for as long as DNS is silent.
So it is given addresses, and what a name leads to is asked here, anew while its connection is down.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import msgspec

from dayfly.durable import FileError, write_atomically
from dayfly.stored import read_json
from dayfly.tunnel.plan import Peer, Plan

# Between two questions for the same name, before it led anywhere and afterwards: to where it leads
# is called meanwhile, and given up after 2.5 s.
LOST_SECONDS, KNOWN_SECONDS = 1.0, 3.0
UNRESOLVED = "the name of the other gateway, {0}, can't be resolved"
Ask = Callable[[str], Sequence[str]]


def asked(name: str) -> list[str]:
    """As the machine resolves it, best first; OSError where it can't."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    return [str(address[0]) for *_, address in found]


class Names:
    """What is known of them, also from before: an old answer is better than none."""

    def __init__(self, file: Path, ask: Ask = asked) -> None:
        self._file = file
        self._ask = ask
        self._known = _read(file)
        self._threads: dict[str, threading.Thread] = {}
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()

    def ask(self, names: Iterable[str]) -> None:
        now = time.monotonic()
        for name in names:
            thread = self._threads.get(name)
            if now < self._due.get(name, now) or (thread is not None and thread.is_alive()):
                continue
            self._threads[name] = threading.Thread(target=self._find, args=(name,), daemon=True)
            self._threads[name].start()

    def wait(self, seconds: float) -> None:
        """For what was asked, so long at most."""
        until = time.monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))

    def known(self) -> Mapping[str, str]:
        return self._known

    def _find(self, name: str) -> None:
        in_vain = time.monotonic() - self._due.get(name, -KNOWN_SECONDS) < KNOWN_SECONDS
        with suppress(OSError, UnicodeError, FileError):
            self._learn(name, self._ask(name), in_vain=in_vain)
        pause = KNOWN_SECONDS if name in self._known else LOST_SECONDS
        self._due[name] = time.monotonic() + pause

    def _learn(self, name: str, answers: Sequence[str], *, in_vain: bool) -> None:
        """Of several addresses the one that is known stays, unless it was called `in_vain`."""
        with self._lock:
            known = self._known.get(name)
            chosen = _chosen(answers, known, in_vain=in_vain) if answers else known
            if chosen is not None and chosen != known:
                self._known = {**self._known, name: chosen}
                write_atomically(self._file, msgspec.json.encode(self._known))


def _chosen(answers: Sequence[str], known: str | None, *, in_vain: bool) -> str:
    """In an order of our own: servers of names turn theirs from answer to answer."""
    if known is None or known not in answers:
        return answers[0]
    turn = sorted(set(answers))
    return turn[(turn.index(known) + in_vain) % len(turn)]


def name_of(peer: Peer) -> str:
    """Empty where it has an address, or none."""
    if peer.named or peer.address is None:
        return peer.named
    try:
        ip_address(peer.address)
    except ValueError:
        return peer.address
    return ""


def led(plan: Plan, known: Mapping[str, str], *, but: Iterable[str] = ()) -> Plan:
    """With addresses in the place of names; `but` those connections, which stand as they are.

    Where a name leads nowhere yet the other side can call still, as one without an address does.
    """
    peers = (
        replace(peer, named=name, address=known.get(name))
        if (name := name_of(peer)) and peer.name not in but
        else peer
        for peer in plan.peers
    )
    return replace(plan, peers=tuple(peers))


def unresolved(peers: Iterable[Peer]) -> str:
    """What to say of those without an address; empty where there is none."""
    lost = [peer.named for peer in peers if peer.named and peer.address is None]
    return UNRESOLVED.format(lost[0]) if lost else ""


def _read(file: Path) -> dict[str, str]:
    try:
        return read_json(file, dict[str, str], absent={})
    except FileError:
        return {}
