"""Does a packet for the other site really leave encrypted? Sent, and watched at the interfaces."""

import os
import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from random import SystemRandom

from dayfly.config.home import Home
from dayfly.config.tunnel_rules import Network
from dayfly.durable import translated
from dayfly.tunnel.host import require_root
from dayfly.tunnel.own import own_address
from dayfly.tunnel.packets import (
    UDP_HEADER,
    V4,
    V4_HEADER,
    V6_HEADER,
    Kind,
    Recording,
    kind_of,
    read,
)
from dayfly.tunnel.place import Place
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.prepared import plan_of, tunnel_of
from dayfly.tunnel.status import status_of
from dayfly.tunnel.wire import Seen, listening, seen

SECONDS = 1.0
PACKETS = 5  # to each address
MARKER = 16  # bytes
BLOCK = 16  # the largest of a cipher
SMALLEST, LARGEST = 96, 576  # bytes in one packet, which fits everywhere
ADDED = range(40, 140)  # bytes: the outer headers, ESP's own, and what fills the last block
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


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Packets to one address. No two are of one size: by that they are known when encrypted."""

    to: str
    marker: bytes
    sizes: tuple[int, ...]  # of what is in them

    @property
    def lengths(self) -> list[int]:
        header = V4_HEADER if ip_address(self.to).version == V4 else V6_HEADER
        return [header + UDP_HEADER + size for size in self.sizes]


def check(home: Home) -> Checked:
    require_root()
    place = Place(home.tunnel)
    plan = plan_of(home, tunnel_of(home))
    up = status_of(home, place, measure=False).is_up
    probes = [_probe(target) for target in targets(plan)]
    with listening() as wire:
        for probe in probes:
            _send(probe, plan)
        found = list(seen(wire, SECONDS))
    return judged(plan, found, probes, up=up)


def judged(plan: Plan, found: Iterable[Seen], probes: Sequence[Probe], *, up: bool) -> Checked:
    """What the packets say that were seen; those of others are not counted."""
    leaving = [each for each in found if each.leaving]
    clear = {each.interface for each in leaving for probe in probes if probe.marker in each.raw}
    esp: dict[str, list[int]] = {}
    for each in leaving:
        if kind_seen(plan, each) == "esp":
            esp.setdefault(each.interface, []).append(len(each.raw))
    return Checked(
        to=" and ".join(probe.to for probe in probes),
        sent=sum(len(probe.sizes) for probe in probes),
        encrypted=sum(recognised(probe.lengths, esp.values()) for probe in probes),
        clear=tuple(sorted(clear)),
        up=up,
    )


def recognised(lengths: Sequence[int], seen_on: Iterable[Sequence[int]]) -> int:
    """How many of these packets left encrypted: in their order, each longer by the same.

    What encryption adds is the same for each, as their lengths differ by whole blocks.
    """
    return max(
        (
            _in_order([length + more for length in lengths], seen)
            for seen in seen_on
            for more in ADDED
        ),
        default=0,
    )


def _in_order(wanted: Sequence[int], seen: Sequence[int]) -> int:
    rest = iter(seen)
    return sum(1 for length in wanted if any(each == length for each in rest))


def capture(home: Home, path: Path, seconds: float) -> Counter[Kind]:
    """Write what has to do with the tunnel as a pcap file, and count it."""
    require_root()
    plan = plan_of(home, tunnel_of(home))
    kinds: Counter[Kind] = Counter()
    with translated(path), open(path, "wb", opener=_own) as file, listening() as wire:
        recording = Recording(file)
        with suppress(KeyboardInterrupt):
            for each in seen(wire, seconds):
                kind = kind_seen(plan, each)
                if kind not in {None, "other"}:
                    kinds[kind] += 1
                    recording.add(each.time, each.raw)
    return kinds


def _own(path: str, flags: int) -> int:
    """For its owner alone: it tells who talks with whom."""
    return os.open(path, flags, 0o600)


def kind_seen(plan: Plan, one: Seen) -> Kind | None:
    packet = read(one.raw)
    if packet is None:
        return None
    gateways = frozenset(peer.address for peer in plan.peers if peer.address)
    return kind_of(packet, plan.theirs, gateways, leaving=one.leaving)


def targets(plan: Plan) -> list[str]:
    """One address of each family that the other site has."""
    first = {network.version: str(_first_host(network)) for network in reversed(plan.theirs)}
    if plan.probe:
        first[ip_address(plan.probe).version] = plan.probe
    return [first[version] for version in sorted(first)]


def _first_host(network: Network) -> object:
    return network.network_address + (1 if network.num_addresses > 1 else 0)


def _probe(target: str) -> Probe:
    sizes = SystemRandom().sample(range(SMALLEST, LARGEST + 1, BLOCK), PACKETS)
    return Probe(to=target, marker=os.urandom(MARKER), sizes=tuple(sizes))


def _send(probe: Probe, plan: Plan) -> None:
    version = ip_address(probe.to).version
    family = socket.AF_INET if version == V4 else socket.AF_INET6
    source = own_address([network for network in plan.ours if network.version == version])
    with socket.socket(family, socket.SOCK_DGRAM) as connection, suppress(OSError):
        if source is not None:
            connection.bind((source, 0))
        for size in probe.sizes:
            with suppress(OSError):  # held back, as it has to be while the tunnel is down
                connection.sendto(probe.marker.ljust(size, b"."), (probe.to, DISCARD))
