"""What [tunnel] may not say, and how that is told."""

import pytest

from dayfly.config.load import load_environment
from dayfly.config.problem import SettingsError
from gateways import SITES

AWS = SITES.replace('gateway = "198.51.100.2"', 'aws = "vpn.xml"')
ONE_FAMILY_EACH = SITES.replace('"10.2.0.0/16", ', "").replace(', "fd00:1::/48"', "")
HEAD = '[tunnel]\nhere = "dev"\n'


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as error:
        load_environment(text)
    return error.value.message


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (('here = "dev"', 'here = "test"'), 'here: found "test", allowed is "dev" or "production"'),
        (("10.2.0.0/16", "10.1.128.0/17"), "10.1.0.0/16 and 10.1.128.0/17 overlap"),
        (("fd00:2::/48", "fd00:1::/64"), "fd00:1::/48 and fd00:1::/64 overlap"),
        (("10.2.0.0/16", "10.2.0.1/16"), 'found "10.2.0.1/16", allowed is a network'),
        (("10.2.0.0/16", "0.0.0.0/0"), 'found "0.0.0.0/0", allowed is a network'),
        (("198.51.100.2", "10.2.0.1"), "10.2.0.1 is in 10.2.0.0/16, which goes through the tunnel"),
        (("198.51.100.2", "vpn example"), 'found "vpn example", allowed is an address or a name'),
        (("198.51.100.2", "127.0.0.1"), 'found "127.0.0.1", allowed is an address or a name'),
        (("198.51.100.2", "localhost"), 'found "localhost", allowed is an address or a name'),
        (("198.51.100.2", "0.0.0.0"), 'found "0.0.0.0", allowed is an address or a name'),
        (("198.51.100.2", "::"), 'found "::", allowed is an address or a name'),
        (("198.51.100.2", "224.0.0.1"), 'found "224.0.0.1", allowed is an address or a name'),
        (("198.51.100.2", "fe80::1"), 'found "fe80::1", allowed is an address or a name'),
        (("198.51.100.2", "192.0.2.2"), 'found "192.0.2.2" for both sites, allowed is a gateway'),
        (("10.2.0.0/16", "224.1.0.0/16"), "224.1.0.0/16 has addresses of 224.0.0.0/4, which stay"),
        (("10.2.0.0/16", "127.0.0.0/8"), "127.0.0.0/8 has addresses of 127.0.0.0/8, which stay"),
        (("10.2.0.0/16", "169.254.7.0/24"), "169.254.7.0/24 has addresses of 169.254.0.0/16"),
        (("10.2.0.0/16", "255.255.255.255/32"), "has addresses of 255.255.255.255/32, which stay"),
        (("fd00:2::/48", "::ffff:10.9.0.0/112"), "/112 has addresses of ::ffff:0:0/96, which stay"),
        (("198.51.100.2", "169.254.1.1"), 'found "169.254.1.1", allowed is an address or a name'),
        (("198.51.100.2", "::ffff:198.51.100.2"), "allowed is an address or a name"),
        (("fd00:2::/48", "fe80::/64"), "fe80::/64 has addresses of fe80::/10, which stay"),
        (('probe = "10.2.0.1"', 'identity = "0.0.0.0"'), 'found "0.0.0.0", allowed is a name'),
        (('probe = "10.2.0.1"', 'identity = "DEV"'), '"dev" is what both sites are called'),
        (('probe = "10.2.0.1"', 'aws = " "'), "aws: is empty, allowed is a file such as"),
        (("198.51.100.2", "300.1.1.1"), 'found "300.1.1.1", allowed is an address or a name'),
        (('probe = "10.2.0.1"', 'probe = "10.1.0.1"'), "is in none of this site's networks"),
        (('probe = "10.2.0.1"', 'probe = "x"'), 'found "x", allowed is an address'),
        (('probe = "10.2.0.1"', 'allow = ["tcp 10.2.0.1"]'), 'found "tcp 10.2.0.1", allowed is'),
        (('probe = "10.2.0.1"', 'allow = ["10.2.0.1:80"]'), 'found "10.2.0.1:80", allowed is'),
        (('probe = "10.2.0.1"', 'allow = ["tcp 10.1.0.1:80"]'), "10.1.0.1/32 is in none of this"),
        (('probe = "10.2.0.1"', 'allow = ["tcp 10.2.0.1:0"]'), 'found "tcp 10.2.0.1:0"'),
        (('probe = "10.2.0.1"', 'identity = "a b"'), 'found "a b", allowed is a name'),
        (('here = "dev"', 'here = "dev"\nsecret = "key"'), 'found the name "key"'),
        (("[tunnel.site.production]", "[tunnel.site.Prod]"), 'found the name "Prod"'),
        (("[tunnel.site.dev]", "[tunnel.site.a]\nnetworks = []\n[tunnel.site.dev]"), "3 sites"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(changed: tuple[str, str], says: str) -> None:
    assert changed[0] in HEAD + SITES

    assert says in refused((HEAD + SITES).replace(*changed, 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + AWS, "networks: found 2, allowed with AWS is one network that holds all"),
        (HEAD + 'secret = "KEY"\n' + AWS, "secret: is not for AWS: its file holds the keys"),
        (HEAD + AWS + 'gateway = "1.2.3.4"', "gateway: is not for AWS"),
        (HEAD.replace("dev", "production") + AWS, "aws: is for the site that AWS is"),
        (
            HEAD + "\n".join(line for line in SITES.splitlines() if "gateway" not in line),
            "one of the two sites needs the address of its gateway",
        ),
        ("[tunnel]\n" + SITES, "tunnel.here: missing"),
        (HEAD + ONE_FAMILY_EACH, "networks: are of IPv4 at one site and of IPv6 at the other"),
        (HEAD + SITES.replace("198.51.100.2", "VPN.a").replace("192.0.2.2", "vpn.a"), "for both"),
    ],
)
def test_keys_that_do_not_go_together_are_named(text: str, says: str) -> None:
    assert says in refused(text)


def test_names_and_addresses_of_both_families_are_taken() -> None:
    text = SITES.replace("198.51.100.2", "vpn.example.org").replace("192.0.2.2", "2001:db8::1")
    found = load_environment(HEAD + text).tunnel

    assert found is not None
    assert found.there == "production"
    assert found.site["production"].gateway == "vpn.example.org"
