"""Peers without Dayfly: AWS's two tunnels, and a plain strongSwan."""

import time
from pathlib import Path

from gateways import DEV, PRODUCTION, SITES, World, foreign, two_sites
from gateways.downloads import Told, xml

KEY = "one key, the same on both gateways"
ONE_NETWORK = SITES.replace(', "fd00:1::/48"', "").replace(', "fd00:2::/48"', "")
AT_AWS = ONE_NETWORK.replace('gateway = "198.51.100.2"', 'aws = "vpn-0a1b.xml"')
# How AWS answers: any networks, and the ciphers that its documents list.
AWS_ENDPOINT = """
connections {{
  customer {{
    version = 2
    local_addrs = {theirs}
    remote_addrs = {ours}
    proposals = aes256gcm16-prfsha384-ecp384, aes256-sha2_256-modp2048
    mobike = no
    dpd_delay = 10s
    local {{
      auth = psk
      id = {theirs}
    }}
    remote {{
      auth = psk
      id = {ours}
    }}
    children {{
      all {{
        local_ts = 0.0.0.0/0
        remote_ts = 0.0.0.0/0
        esp_proposals = aes256gcm16-ecp384, aes256-sha2_256-modp2048
      }}
    }}
  }}
}}
secrets {{
  ike-customer {{
    id-1 = {theirs}
    id-2 = {ours}
    secret = "{key}"
  }}
}}
"""
TUNNELS: tuple[Told, Told] = (
    ("192.0.2.2", "198.51.100.2", "first.key_of_32_characters_aaaaa"),
    ("192.0.2.2", "203.0.113.2", "second.key_of_32_characters_bbbb"),
)


def endpoint(told: Told) -> str:
    ours, theirs, key = told
    return AWS_ENDPOINT.format(ours=ours, theirs=theirs, key=key)


def second_endpoint(world: World) -> None:
    """AWS's other end, on other ground, with a way of its own to the same host."""
    world.add("second")
    world.wire("internet", "tosecond 203.0.113.1/24", "second", "wan 203.0.113.2/24")
    world.wire("second", "lan 10.2.200.1/24", f"host.{PRODUCTION}", "eth1 10.2.200.9/24")
    world.spaces["second"].ip("route add default via 203.0.113.1")
    world.spaces["second"].ip("route add 10.2.0.9/32 via 10.2.200.9")
    world.forward("second")
    host = world.host(PRODUCTION)
    host.ip("route add 10.1.0.0/16 via 10.2.0.1 metric 10")
    host.ip("route add 10.1.0.0/16 via 10.2.200.1 metric 20")


def test_of_two_tunnels_as_aws_gives_them_one_dies_and_traffic_goes_on(tmp_path: Path) -> None:
    with two_sites(tmp_path) as world:
        second_endpoint(world)
        world.dev.settings(sites=AT_AWS)
        (world.dev.home / "vpn-0a1b.xml").write_text(xml(TUNNELS))
        with (
            foreign(world.spaces[PRODUCTION], tmp_path / "aws-1", endpoint(TUNNELS[0])) as one,
            foreign(world.spaces["second"], tmp_path / "aws-2", endpoint(TUNNELS[1])) as another,
        ):
            world.dev.dayfly("tunnel", "up")
            until_both(world)
            assert world.pings("10.2.0.9")
            assert "left encrypted, none in clear" in world.dev.dayfly("tunnel", "check")

            dead, left = carrying(world), 1 - carrying(world)
            (one, another)[dead]()  # and AWS sends over its other end
            if dead == 0:
                world.host(PRODUCTION).ip("route del 10.1.0.0/16 via 10.2.0.1 metric 10")
            world.until_pings("10.2.0.9")
            states = [each["state"] for each in world.dev.status()["connections"]]
            assert states[left] == "established"
            assert states[dead] != "established"


def carrying(world: World) -> int:
    """Which of the two the packets of dev take."""
    sent = [each["bytes_out"] for each in world.dev.status()["connections"]]
    return sent.index(max(sent))


def until_both(world: World) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        states = [each["state"] for each in world.dev.status()["connections"]]
        if states == ["established", "established"]:
            return
    raise AssertionError(states)


def test_a_plain_strongswan_takes_the_written_configuration(tmp_path: Path) -> None:
    with two_sites(tmp_path) as world:
        world.dev.settings('secret = "TUNNEL_KEY"')
        world.dev.dayfly("tunnel", "key", stdin=KEY)
        with_key = world.dev.dayfly("tunnel", "conf").replace("PUT-THE-KEY-HERE", f'"{KEY}"')
        with foreign(world.spaces[PRODUCTION], tmp_path / "plain", with_key):
            assert "established" in world.dev.dayfly("tunnel", "up")
            assert world.pings("10.2.0.9")
            world.dev.dayfly("tunnel", "down")

        world.dev.settings()
        for site in (DEV, PRODUCTION):
            world.dev.dayfly("tunnel", "certificate", site)
        put_apart(world.dev.home / "tunnel/production.pem", tmp_path / "certified")
        conf = world.dev.dayfly("tunnel", "conf", PRODUCTION)
        with foreign(world.spaces[PRODUCTION], tmp_path / "certified", conf):
            assert "established" in world.dev.dayfly("tunnel", "up")
            assert world.pings("10.2.0.9")


def put_apart(pem: Path, folder: Path) -> None:
    """The three parts of a site's file, as swanctl wants them."""
    parts = [f"-----BEGIN{part}" for part in pem.read_text().split("-----BEGIN")[1:]]
    for name, part in zip(("private", "x509", "x509ca"), parts, strict=True):
        (folder / name).mkdir(parents=True)
        (folder / name / "site.pem").write_text(part)
