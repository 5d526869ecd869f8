"""The addresses of a machine, and what they say of a tunnel."""

from pathlib import Path

import pytest

from dayfly.config.load import load_environment
from dayfly.tunnel.own import LOOPBACK, elsewhere, listed
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


def test_a_socket_can_be_made_at_a_path_that_is_short_enough() -> None:
    require_short(Path("/" + "x" * (LONGEST - 1)))
    with pytest.raises(TunnelError) as error:
        require_short(Path("/" + "ö" * (LONGEST // 2) + "x"))
    assert f"has {LONGEST + 1} bytes, and the path of a socket may have {LONGEST}" in str(
        error.value
    )
