"""What AWS offers for download becomes two tunnels; everything else is refused by name."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.tunnel.aws import AwsTunnel, read_aws
from dayfly.tunnel.problem import TunnelError
from gateways.downloads import Told, generic, strongswan, xml

TUNNELS: Sequence[Told] = (
    ("203.0.113.10", "34.194.10.1", "kX2.first_key_of_32_characters_aa"),
    ("203.0.113.10", "52.7.20.2", "second.key_of_32_characters_bbbb_"),
)
EXPECTED = tuple(AwsTunnel(ours=ours, theirs=theirs, key=key) for ours, theirs, key in TUNNELS)
FORMATS = pytest.mark.parametrize("written", [xml, generic, strongswan])
Write = Callable[[Sequence[Told]], str]


@FORMATS
def test_both_tunnels_are_read(written: Write) -> None:
    assert read_aws(written(TUNNELS), "vpn.txt") == EXPECTED
    assert read_aws("\ufeff" + written(TUNNELS).replace("\n", "\r\n"), "vpn.txt") == EXPECTED


@FORMATS
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("34.194.10.1", "not-an-address"), "tunnel 1: found 'not-an-address' as the address"),
        (("34.194.10.1", "0.0.0.0"), "tunnel 1: found '0.0.0.0' as the address"),
        (("52.7.20.2", "fe80::1%eth0"), "tunnel 2: found 'fe80::1%eth0' as the address"),
        (("34.194.10.1", "52.7.20.2"), "two tunnels with one address"),
        (("second.key_of_32_characters_bbbb_", "short"), "tunnel 2: its pre-shared key is missing"),
    ],
)
def test_a_damaged_file_is_refused_by_name(
    written: Write, changed: tuple[str, str], says: str
) -> None:
    with pytest.raises(TunnelError) as error:
        read_aws(written(TUNNELS).replace(*changed), "vpn.txt")

    assert error.value.message.startswith("vpn.txt: ")
    assert says in error.value.message
    assert "kX2.first" not in error.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no tunnel is described in it"),
        ("Dear operator,", "no tunnel is described in it"),
        ("<html><body>Sign in to AWS</body></html>", "no tunnel is described in it"),
        ("<vpn_connection><ipsec_tunnel>", "no element found"),
        ("<a>" * 40, "nested too deeply"),
        ('<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><x>&a;</x>', "it declares a document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "it declares a document type"),
        ("x" * 300_000, "larger than 262144 characters"),
        ("<vpn_connection><ipsec_tunnel/></vpn_connection>", "it ends before its second tunnel"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, says: str) -> None:
    with pytest.raises(TunnelError, match=says):
        read_aws(text, "vpn.xml")


@FORMATS
def test_a_file_that_is_cut_off_is_refused(written: Write) -> None:
    with pytest.raises(TunnelError, match="it ends before its second tunnel"):
        read_aws(written(TUNNELS[:1]), "vpn.txt")


@FORMATS
def test_a_file_that_is_cut_within_its_last_address_is_refused(written: Write) -> None:
    last = "203.0.113.118"  # without its end it is an address still
    whole = written((TUNNELS[0], (TUNNELS[1][0], last, TUNNELS[1][2])))

    with pytest.raises(TunnelError, match=r"vpn\.txt: "):
        read_aws(whole[: whole.rindex(last) + len(last) - 1], "vpn.txt")


def test_two_keys_of_one_tunnel_are_refused() -> None:
    twice = xml(TUNNELS).replace(
        "<pre_shared_key>", "<pre_shared_key>another</pre_shared_key><pre_shared_key>", 1
    )

    with pytest.raises(TunnelError, match="ike/pre_shared_key is there twice in one tunnel"):
        read_aws(twice, "vpn.xml")


@given(some.text(), some.integers(0, 5000), some.integers(0, 200), some.sampled_from([0, 1, 2]))
def test_whatever_is_in_it_nothing_but_a_clear_refusal_comes_of_it(
    noise: str, at: int, length: int, which: int
) -> None:
    whole = (xml, generic, strongswan)[which](TUNNELS)

    with suppress(TunnelError):
        assert read_aws(whole[:at] + noise + whole[at + length :], "vpn")
