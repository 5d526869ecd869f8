"""The addresses of a machine, and what they say of a tunnel."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from dayfly.config.load import load_environment
from dayfly.tunnel.own import LOOPBACK, elsewhere, listed, to_take
from dayfly.tunnel.plan import planned
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.talk import LONGEST, require_short
from gateways import SITES

SHOWN = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: lan    inet 10.1.0.1/16 scope global lan\\       valid_lft forever preferred_lft forever
3: ppp0    inet 203.0.113.7 peer 203.0.113.1/32 scope global ppp0\\       valid_lft forever
2: lan    inet6 fd00:1::1/48 scope global nodad \\       valid_lft forever preferred_lft forever
"""


def test_addresses_are_read() -> None:
    assert [(own.device, str(own.address)) for own in listed(SHOWN)] == [
        (LOOPBACK, "127.0.0.1"),
        ("lan", "10.1.0.1"),
        ("ppp0", "203.0.113.7"),
        ("lan", "fd00:1::1"),
    ]


def test_an_own_address_is_known_however_it_is_written() -> None:
    sites = SITES.replace("198.51.100.2", "2001:DB8:1:0:0::2")
    tunnel = load_environment(f'[tunnel]\nhere = "dev"\n{sites}').tunnel
    assert tunnel
    found = listed("2: wan    inet6 2001:db8:1::2/64 scope global")

    assert "the gateway of production, is an address" in elsewhere(
        planned(tunnel, "key", lambda _: ()), found
    )


@pytest.mark.parametrize(
    ("addresses", "says"),
    [
        ("192.0.2.2 10.1.0.1", ""),
        ("192.0.2.2", ""),  # behind it are only others
        ("198.51.100.2 10.2.0.1", "198.51.100.2, the gateway of production, is an address of this"),
        ("10.0.0.5 10.2.0.1", "has 10.2.0.1, which is in a network of production, and no address"),
        ("fd00:2::1", "this machine has fd00:2::1, which is in a network of production"),
        ("10.1.0.1 10.2.0.77", ""),  # overlapping networks, which is said as what it is
    ],
)
def test_a_machine_of_the_other_site_is_known_by_its_addresses(addresses: str, says: str) -> None:
    tunnel = load_environment(f'[tunnel]\nhere = "dev"\n{SITES}').tunnel
    assert tunnel
    found = listed("\n".join(f"2: lan    inet {each}/16" for each in addresses.split()))
    said = elsewhere(planned(tunnel, "key", lambda _: ()), found)

    assert says in said if says else said == ""


@pytest.mark.parametrize(
    ("ours", "taken", "kernel", "expected"),
    [
        ("10.1.0.0/16 fd00:1::/48", "", False, ""),
        ("10.1.0.0/16 10.7.0.0/16 fd00:7::/48", "", False, "10.7.0.0/16 fd00:7::/48"),
        ("10.1.0.0/16 10.7.0.0/16 fd00:7::/48", "", True, "fd00:7::/48"),
        ("10.8.0.0/16", "10.8.0.0/16", False, "10.8.0.0/16"),  # there is none but what was taken
        ("10.8.0.0/16", "", False, ""),  # the same, and somebody else gave it to this machine
        ("10.1.0.0/16 10.9.9.9/32", "", True, ""),
    ],
)
def test_an_address_is_taken_where_the_gateway_has_none(
    ours: str, taken: str, kernel: bool, expected: str
) -> None:
    found = list(listed(f"{SHOWN}1: lo    inet 10.8.0.0/32 scope global lo\n"))
    networks, before = (list(map(ip_network, text.split())) for text in (ours, taken))

    assert to_take(networks, found, before, kernel=kernel) == [*map(ip_network, expected.split())]


def test_an_address_that_may_be_a_hosts_is_not_taken() -> None:
    with pytest.raises(TunnelError, match=r"no address in 10\.9\.9\.9/32, and none is free there"):
        to_take([ip_network("10.9.9.9/32")], [], [], kernel=False)


def test_a_socket_can_be_made_at_a_path_that_is_short_enough() -> None:
    require_short(Path("/" + "x" * (LONGEST - 1)))
    with pytest.raises(TunnelError) as error:
        require_short(Path("/" + "ö" * (LONGEST // 2) + "x"))
    assert f"has {LONGEST + 1} bytes, and the path of a socket may have {LONGEST}" in str(
        error.value
    )
