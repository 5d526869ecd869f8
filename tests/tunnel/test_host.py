"""What of a machine is in the way of a tunnel."""

from ipaddress import ip_network
from typing import Any

import pytest

from dayfly.tunnel.host import in_the_way

THEIRS = ip_network("10.2.0.0/16")
BLACKHOLE = {"type": "blackhole", "dst": "10.2.0.0/16", "metric": 4_200_000_000}
LAN = {"dev": "lan", "protocol": "kernel"}


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"dst": "10.2.7.0/24", "dev": "lan"}, ["10.2.7.0/24 dev lan"]),
        ({"dst": "10.2.0.0/16", "dev": "wan", "table": "220"}, ["10.2.0.0/16 dev wan"]),
        (
            {"dst": "10.2.7.0/24", "gateway": "10.1.0.9", "dev": "lan"},
            ["10.2.7.0/24 via 10.1.0.9 dev lan"],
        ),
        ({"dst": "10.0.0.0/8", **LAN}, ["10.0.0.0/8 dev lan"]),
        (
            {"type": "local", "dst": "10.2.0.77", "table": "local", **LAN},
            ["an address of this machine, 10.2.0.77 dev lan"],
        ),
        ({"dst": "10.0.0.0/8", "gateway": "10.1.0.9", "dev": "lan"}, []),  # less exact than ours
        ({"dst": "10.1.0.0/16", **LAN}, []),
        ({"dst": "default", "gateway": "192.0.2.1", "dev": "wan"}, []),
        ({"type": "broadcast", "dst": "10.2.0.255", "table": "local", **LAN}, []),
        ({**BLACKHOLE, "protocol": "113"}, []),  # ours
        (BLACKHOLE, ["10.2.0.0/16 (blackhole)"]),  # the machine's own
        ({"dst": "10.2.0.0/16", "dev": "ipsec0", "table": "7220"}, []),
    ],
)
def test_networks_of_the_other_site_are_in_use_here(
    route: dict[str, Any], expected: list[str]
) -> None:
    assert list(in_the_way(THEIRS, [route])) == expected
