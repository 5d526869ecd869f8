"""Packets on the wire: what they are, and a file of them that others can read."""

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import BinaryIO, Literal

from dayfly.config.tunnel_rules import Network

Kind = Literal["ike", "esp", "clear", "other"]
IKE_PORT, NAT_PORT = 500, 4500
UDP, ESP, FRAGMENT = 17, 50, 44
V4, V6 = 4, 6
V4_HEADER, V6_HEADER, UDP_HEADER = 20, 40, 8
RAW_IP = 101  # pcap's number for packets that begin with IP
LARGEST = 262_144


@dataclass(frozen=True, kw_only=True)
class Packet:
    """What is read of one; `rest` begins behind IP's own header."""

    source: IPv4Address | IPv6Address
    target: IPv4Address | IPv6Address
    protocol: int
    rest: bytes
    later: bool = False  # a fragment that is not the first

    @property
    def ports(self) -> tuple[int, int]:
        if self.protocol != UDP or self.later or len(self.rest) < UDP_HEADER:
            return 0, 0
        return struct.unpack("!HH", self.rest[:4])


def read(raw: bytes) -> Packet | None:
    """None for what is no IP."""
    if len(raw) >= V4_HEADER and raw[0] >> 4 == V4:
        header = (raw[0] & 0xF) * 4
        return Packet(
            source=IPv4Address(raw[12:16]),
            target=IPv4Address(raw[16:20]),
            protocol=raw[9],
            rest=raw[header:],
            later=bool(int.from_bytes(raw[6:8], "big") & 0x1FFF),
        )
    if len(raw) >= V6_HEADER and raw[0] >> 4 == V6:
        protocol, rest, later = raw[6], raw[V6_HEADER:], False
        if protocol == FRAGMENT and len(rest) >= UDP_HEADER:
            later = bool(int.from_bytes(rest[2:4], "big") & 0xFFF8)
            protocol, rest = rest[0], rest[8:]
        return Packet(
            source=IPv6Address(raw[8:24]),
            target=IPv6Address(raw[24:40]),
            protocol=protocol,
            rest=rest,
            later=later,
        )
    return None


def kind_of(
    packet: Packet, theirs: Iterable[Network], gateways: frozenset[str], *, leaving: bool
) -> Kind:
    """`clear` is what leaves for the other site's networks as it was written.

    What enters for them comes from hosts behind this gateway, and has yet to be encrypted.
    """
    if leaving and any(packet.target in network for network in theirs):
        return "clear"
    if packet.protocol == ESP:
        return "esp"
    if packet.later and packet.protocol == UDP:
        between = {str(packet.source), str(packet.target)} & gateways
        return "esp" if between else "other"  # a piece of one that was too large for the way
    ports = packet.ports
    if IKE_PORT in ports:
        return "ike"
    if NAT_PORT in ports:
        return "ike" if _is_ike(packet.rest[UDP_HEADER:]) else "esp"
    return "other"


def _is_ike(payload: bytes) -> bool:
    """IKE behind a marker of four zeros, and the one byte that keeps a NAT's door open."""
    return payload[:4] == bytes(4) or payload == b"\xff"


def summary(kinds: Counter[Kind]) -> str:
    told = {"ike": "IKE", "esp": "ESP", "clear": "in clear"}
    return ", ".join(f"{kinds[kind]:,} {name}" for kind, name in told.items())  # type: ignore[index]


class Recording:
    """A pcap file, which tcpdump and Wireshark read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, LARGEST, RAW_IP))

    def add(self, time: float, raw: bytes) -> None:
        seconds, micros = int(time), int(time % 1 * 1e6)
        self._file.write(struct.pack("<IIII", seconds, micros, len(raw), len(raw)) + raw)
