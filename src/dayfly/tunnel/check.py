"""Does a packet for the other site really leave encrypted? Sent, and watched at the interfaces."""

import os
import socket
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from dayfly.config.home import Home
from dayfly.config.tunnel_rules import Network
from dayfly.durable import translated
from dayfly.tunnel.host import own_address, require_root
from dayfly.tunnel.packets import Kind, Recording, kind_of, read
from dayfly.tunnel.place import Place
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.prepared import plan_of, tunnel_of
from dayfly.tunnel.status import status_of
from dayfly.tunnel.wire import Seen, listening, seen

SECONDS = 1.0
PACKETS = 5
DISCARD = 9  # the port of who throws away what comes


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What left this machine while packets were sent to the other site."""

    to: str
    sent: int
    encrypted: int
    clear: tuple[str, ...]  # interfaces that one was seen on as it was written
    up: bool

    @property
    def good(self) -> bool:
        return self.up and not self.clear and self.encrypted >= self.sent

    def sentence(self) -> str:
        if self.clear:
            return f"packets for {self.to} leave in clear, over {', '.join(self.clear)}"
        if self.encrypted >= self.sent:
            return f"{self.sent} packets for {self.to} left encrypted, none in clear"
        held = f"of {self.sent} packets for {self.to} none left in clear"
        why = "the tunnel is down, and they were held back" if not self.up else "not all left"
        return f"{held}; {why}"


def check(home: Home) -> Checked:
    require_root()
    place = Place(home.tunnel)
    plan = plan_of(home, tunnel_of(home))
    up = status_of(home, place, measure=False).is_up
    marker, target = os.urandom(16), _target(plan)
    with listening() as wire:
        _send(marker, target, own_address(plan.ours))
        found = list(seen(wire, SECONDS))
    return judged(plan, found, marker, to=target, up=up)


def judged(plan: Plan, found: Iterable[Seen], marker: bytes, *, to: str, up: bool) -> Checked:
    """What the packets say that were seen."""
    leaving = [each for each in found if each.leaving]
    clear = {each.interface for each in leaving if marker in each.raw}
    kinds = Counter(kind for each in leaving if (kind := kind_seen(plan, each)))
    return Checked(to=to, sent=PACKETS, encrypted=kinds["esp"], clear=tuple(sorted(clear)), up=up)


def capture(home: Home, path: Path, seconds: float) -> Counter[Kind]:
    """Write what has to do with the tunnel as a pcap file, and count it."""
    require_root()
    plan = plan_of(home, tunnel_of(home))
    kinds: Counter[Kind] = Counter()
    with translated(path), path.open("wb") as file, listening() as wire:
        recording = Recording(file)
        with suppress(KeyboardInterrupt):
            for each in seen(wire, seconds):
                kind = kind_seen(plan, each)
                if kind not in {None, "other"}:
                    kinds[kind] += 1
                    recording.add(each.time, each.raw)
    return kinds


def kind_seen(plan: Plan, one: Seen) -> Kind | None:
    packet = read(one.raw)
    if packet is None:
        return None
    gateways = frozenset(peer.address for peer in plan.peers if peer.address)
    return kind_of(packet, plan.theirs, gateways, leaving=one.leaving)


def _target(plan: Plan) -> str:
    return plan.probe or str(_first_host(plan.theirs[0]))


def _first_host(network: Network) -> object:
    return network.network_address + (1 if network.num_addresses > 1 else 0)


def _send(marker: bytes, target: str, source: str | None) -> None:
    four = ip_address(target).version == 4  # noqa: PLR2004 - of IP
    family = socket.AF_INET if four else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as connection, suppress(OSError):
        if source is not None and ip_address(source).version == ip_address(target).version:
            connection.bind((source, 0))
        for _ in range(PACKETS):
            with suppress(OSError):  # held back, as it has to be while the tunnel is down
                connection.sendto(marker, (target, DISCARD))
