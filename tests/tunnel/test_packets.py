"""What a packet on the wire is."""

import io
import struct
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.tunnel.check import recognised, targets
from dayfly.tunnel.packets import Recording, kind_of, read
from dayfly.tunnel.plan import Plan

THEIRS = (ip_network("10.2.0.0/16"), ip_network("fd00:2::/48"))
GATEWAYS = frozenset({"198.51.100.2"})
A, B = "192.0.2.2", "198.51.100.2"


def packet(source: str, target: str, protocol: int, rest: bytes = b"", fragment: int = 0) -> bytes:
    one, another = ip_address(source), ip_address(target)
    if one.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(rest), 1, fragment, 64, protocol, 0)
    else:
        head = struct.pack("!IHBB", 6 << 28, len(rest), protocol, 64)
    return head + one.packed + another.packed + rest


def udp(port: int, payload: bytes = b"") -> bytes:
    return struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload


@pytest.mark.parametrize(
    ("raw", "leaving", "kind"),
    [
        (packet(A, B, 17, udp(500, b"x" * 30)), True, "ike"),
        (packet(A, B, 17, udp(4500, bytes(4) + b"x" * 30)), True, "ike"),
        (packet(A, B, 17, udp(4500, b"\xff")), True, "ike"),
        (packet(A, B, 17, udp(4500, b"\1\2\3\4" + b"x" * 30)), True, "esp"),
        (packet(A, B, 50, b"x" * 30), True, "esp"),
        (packet("2001:db8::1", "2001:db8::2", 50, b"x" * 30), False, "esp"),
        (packet(A, B, 17, b"x" * 30, fragment=185), True, "esp"),
        (packet(A, "192.0.2.77", 17, b"x" * 30, fragment=185), True, "other"),
        (packet("10.1.0.9", "10.2.0.9", 17, udp(53)), True, "clear"),
        (packet("10.1.0.9", "10.2.0.9", 17, udp(4500)), True, "clear"),
        (packet("fd00:1::9", "fd00:2::9", 58, b"x" * 30), True, "clear"),
        (packet("10.1.0.9", "10.2.0.9", 17, udp(53)), False, "other"),  # has yet to be encrypted
        (packet("10.2.0.9", "10.1.0.9", 17, udp(53)), True, "other"),  # for a host behind it
        (packet(A, "192.0.2.1", 6, b"x" * 30), True, "other"),
        (packet(A, B, 17), True, "other"),
    ],
)
def test_a_packet_is_known_by_what_it_is(raw: bytes, leaving: bool, kind: str) -> None:
    found = read(raw)

    assert found is not None
    assert kind_of(found, THEIRS, GATEWAYS, leaving=leaving) == kind


@given(some.binary(max_size=200))
def test_whatever_comes_is_read(raw: bytes) -> None:
    found = read(raw)

    assert found is None or kind_of(found, THEIRS, GATEWAYS, leaving=True)


def test_a_recording_holds_whole_packets() -> None:
    file = io.BytesIO()
    recording = Recording(file)
    recording.add(1.5, b"abc")

    head, record = file.getvalue()[:24], file.getvalue()[24:]
    assert head[:4] == bytes.fromhex("d4c3b2a1")
    assert record == struct.pack("<IIII", 1, 500_000, 3, 3) + b"abc"


SENT = [124, 300, 252]
LONGER = [186, 362, 314]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], 0),
        ([LONGER], 3),
        ([[1400, *LONGER[:1], 1400, *LONGER[1:]]], 3),  # others' packets between them
        ([[186] * 50], 1),  # only others'; one of theirs has the size of one of ours
        ([LONGER[:2]], 2),
        ([LONGER, LONGER], 3),  # a bridge and its port
        ([[186, 363, 315]], 1),  # not longer by the same
        ([[24, 30, 52]], 0),
    ],
)
def test_packets_are_known_by_their_sizes_when_they_are_encrypted(
    seen: list[list[int]], expected: int
) -> None:
    assert recognised(SENT, seen) == expected


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (None, ["10.2.0.1", "fd00:2::1"]),
        ("10.2.0.9", ["10.2.0.9", "fd00:2::1"]),
        ("fd00:2::9", ["10.2.0.1", "fd00:2::9"]),
    ],
)
def test_each_family_is_tried(probe: str | None, expected: list[str]) -> None:
    plan = Plan(
        here="dev", there="production", ours=(), theirs=THEIRS, peers=(), leads=True, probe=probe
    )

    assert targets(plan) == expected
