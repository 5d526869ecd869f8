"""What goes over this machine's interfaces, seen where it leaves and enters."""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch

from dayfly.command import output_of
from dayfly.tunnel.packets import LARGEST
from dayfly.tunnel.strongswan import DEVICES

EVERYTHING = 0x0003  # ETH_P_ALL
_IP = frozenset({0x0800, 0x86DD})
LOOPBACK = "lo"


@dataclass(frozen=True, kw_only=True)
class Seen:
    time: float
    interface: str
    leaving: bool
    raw: bytes  # from IP's header on


@contextmanager
def listening() -> Iterator[socket.socket]:
    """From here on nothing is missed; needs root."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERYTHING)) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024**2)
        yield wire


def inside() -> frozenset[str]:
    """Interfaces of packets before they are encrypted, or after: strongSwan's TUN devices."""
    links = json.loads(output_of(["ip", "-j", "link", "show", "type", "tun"]))
    names = {str(link["ifname"]) for link in links if "ifname" in link}
    return frozenset(name for name in names if fnmatch(name, DEVICES)) | {LOOPBACK}


def seen(wire: socket.socket, seconds: float) -> Iterator[Seen]:
    """IP packets on every interface but those that the tunnel encrypts behind."""
    unseen = inside()
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        if not select.select([wire], [], [], left)[0]:
            return
        raw, (interface, protocol, kind, *_) = wire.recvfrom(LARGEST)
        if protocol in _IP and interface not in unseen:
            leaving = kind == socket.PACKET_OUTGOING
            yield Seen(time=time.time(), interface=interface, leaving=leaving, raw=raw)
