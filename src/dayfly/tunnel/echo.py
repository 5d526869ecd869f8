"""The round trip of a packet: ICMP's echo, by hand, as not every machine has a `ping`."""

import os
import select
import socket
import struct
import time
from ipaddress import ip_address

SECONDS = 1.0
TRIES = 3
REQUEST_4, REQUEST_6 = 8, 128
_IP_HEADER = 20


def round_trip(
    target: str, source: str | None, *, tries: int = TRIES, seconds: float = SECONDS
) -> float | None:
    """Milliseconds, the best of so many; None when no answer comes within the seconds of each."""
    four = ip_address(target).version == 4  # noqa: PLR2004 - of IP
    family = socket.AF_INET if four else socket.AF_INET6
    protocol = socket.IPPROTO_ICMP if four else socket.IPPROTO_ICMPV6
    try:
        with socket.socket(family, socket.SOCK_RAW, protocol) as connection:
            if source is not None and ip_address(source).version == ip_address(target).version:
                connection.bind((source, 0))
            found = [_once(connection, target, each, seconds, four=four) for each in range(tries)]
    except OSError:
        return None
    return min((each for each in found if each is not None), default=None)


def _once(
    connection: socket.socket, target: str, number: int, seconds: float, *, four: bool
) -> float | None:
    name = os.urandom(8)
    kind = REQUEST_4 if four else REQUEST_6
    packet = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, number) + name
    if four:  # the kernel does it for IPv6
        packet = packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]
    began = time.monotonic()
    connection.sendto(packet, (target, 0))
    while (left := began + seconds - time.monotonic()) > 0:
        if not select.select([connection], [], [], left)[0]:
            return None
        answer = connection.recv(2048)[_IP_HEADER if four else 0 :]
        if answer[0] in {0, 129} and answer[8:16] == name:
            return (time.monotonic() - began) * 1000
    return None


def checksum(data: bytes) -> int:
    """As IP, ICMP and TCP add them up.

    >>> hex(checksum(bytes.fromhex("0800000012340001")))
    '0xe5ca'
    """
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
