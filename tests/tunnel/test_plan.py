"""From the settings to what strongSwan, the kernel and the firewall are told."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from dayfly.config.load import load_environment
from dayfly.config.tunnel import Tunnel
from dayfly.tunnel.aws import AwsTunnel
from dayfly.tunnel.changes import changes, leftovers
from dayfly.tunnel.connections import REQID, connections, text
from dayfly.tunnel.credentials import Credentials
from dayfly.tunnel.firewall import firewall, owner
from dayfly.tunnel.plan import Plan, Seen, planned
from dayfly.tunnel.prepared import Prepared
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.waiting import Waiting
from dayfly.tunnel.written import swanctl
from gateways import SITES, need_strongswan

AWS = (
    AwsTunnel(ours="192.0.2.2", theirs="34.1.1.1", key="first-key"),
    AwsTunnel(ours="192.0.2.2", theirs="34.2.2.2", key="second-key"),
)
AT_AWS = """
[tunnel.site.dev]
networks = ["10.1.0.0/16"]
[tunnel.site.production]
networks = ["10.2.0.0/16"]
aws = "vpn.xml"
"""
CALLS = SITES.replace('gateway = "198.51.100.2"\n', "")


def tunnel(sites: str = SITES, here: str = "dev", more: str = "") -> Tunnel:
    loaded = load_environment(f'[tunnel]\nhere = "{here}"\n{more}\n{sites}').tunnel
    assert loaded is not None
    return loaded


def plan(sites: str = SITES, here: str = "dev", key: str | None = "key", more: str = "") -> Plan:
    return planned(tunnel(sites, here, more), key, lambda _: AWS)


def seen_at(plan: Plan, address: str) -> Plan:
    peers = (replace(peer, seen=Seen(address=address, port=500)) for peer in plan.peers)
    return replace(plan, peers=tuple(peers))


@pytest.mark.parametrize(
    ("sites", "here", "leads"),
    [
        (SITES, "dev", True),
        (SITES, "production", False),
        (CALLS, "dev", False),
        (CALLS, "production", True),
        (AT_AWS, "dev", True),
    ],
)
def test_one_of_two_sites_connects(sites: str, here: str, leads: bool) -> None:
    found = plan(sites, here)

    assert found.leads is leads
    for peer in found.peers:
        written = text(connections(found, kernel=False))
        starts = leads and peer.address is not None
        assert f"start_action = {'start' if starts else 'none'}" in written


def test_a_connection_offers_modern_ciphers_only() -> None:
    written = text(connections(plan(), kernel=False))

    assert "version = 2" in written
    assert "aes256gcm16" in written
    for old in ("3des", "md5", "sha1", "modp1024", "modp1536", "modp768"):
        assert old not in written


@pytest.mark.parametrize(
    ("key", "here", "renewed"),
    [
        ("secret-key", "dev", {"rekey_time": "4h"}),
        (None, "dev", {"rekey_time": "0s", "reauth_time": "4h"}),
        (None, "production", {"rekey_time": "0s", "reauth_time": "5h"}),
    ],
)
def test_with_certificates_the_sides_prove_anew_who_they_are_one_sooner_than_the_other(
    key: str | None, here: str, renewed: dict[str, str]
) -> None:
    (found,) = connections(plan(key=key, here=here), kernel=False).values()
    assert isinstance(found, dict)
    told = {name: found[name] for name in ("rekey_time", "reauth_time") if name in found}

    assert told == renewed


@pytest.mark.parametrize(
    ("seen", "where"),
    [
        (None, ["%any"]),
        (Seen(address="192.0.2.9", port=500), ["192.0.2.9", "%any"]),
        (Seen(address="192.0.2.9", port=23465), ["192.0.2.9", "%any", "4500", "23465"]),
    ],
)
def test_one_that_calls_is_called_where_it_was_last_and_may_come_from_elsewhere(
    seen: Seen | None, where: list[str]
) -> None:
    called = plan(CALLS, "dev")
    (peer,) = called.peers
    seen_there = replace(called, peers=(replace(peer, seen=seen),))
    (found,) = connections(seen_there, kernel=False).values()
    assert isinstance(found, dict)
    ports = [found[name] for name in ("local_port", "remote_port") if name in found]

    assert [*found["remote_addrs"], *ports] == where
    assert found["dpd_delay"] == "10s"
    (calling,) = connections(plan(CALLS, "production"), kernel=False).values()
    assert isinstance(calling, dict)
    assert calling["dpd_delay"] == "1s"


def test_what_a_killed_daemon_left_is_known_from_that_of_other_programs() -> None:
    assert f"reqid = {REQID}" in text(connections(plan(), kernel=True))
    left = [" ".join(argv) for argv in leftovers(plan(), kernel=True)]

    assert f"ip xfrm state deleteall reqid {REQID}" in left
    assert not [argv for argv in left if "198.51.100.2" in argv]


def test_with_aws_each_tunnel_takes_over_from_the_other() -> None:
    found = connections(plan(AT_AWS, key=None), kernel=False)

    assert list(found) == ["production-1", "production-2"]
    for name, theirs in (("production-1", "34.1.1.1"), ("production-2", "34.2.2.2")):
        connection = found[name]
        assert isinstance(connection, dict)
        assert connection["remote_addrs"] == [theirs]
        assert connection["dpd_delay"] == "1s"
        assert connection["local"] == {"auth": "psk", "id": "192.0.2.2"}
        assert connection["children"][name]["remote_ts"] == ["10.2.0.0/16"]  # type: ignore[index,call-overload]


def test_no_value_shows_a_key() -> None:
    assert "first-key" not in repr(AWS)
    assert "secret-key" not in repr(plan(key="secret-key"))


UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
SHOWN = Credentials(key=b"key", certificate=b"own", ca=b"ca", until=UNTIL, ca_until=UNTIL)
GIVEN = Prepared(plan=plan(), credentials=SHOWN, crl=b"nobody")
CALLER = Prepared(plan=plan(CALLS))


@pytest.mark.parametrize(
    ("before", "now", "another"),
    [
        (GIVEN, replace(GIVEN), False),
        (GIVEN, replace(GIVEN, plan=plan(key="other")), True),
        (GIVEN, replace(GIVEN, plan=plan(more="required = true")), True),
        (GIVEN, replace(GIVEN, crl=b"somebody"), True),
        (GIVEN, replace(GIVEN, credentials=replace(SHOWN, certificate=b"new")), True),
        (GIVEN, replace(GIVEN, credentials=replace(SHOWN, ca=b"new")), True),
        # Where one that calls was last is nothing that anybody set.
        (CALLER, replace(CALLER, plan=seen_at(CALLER.plan, "192.0.2.9")), False),
    ],
)
def test_settings_are_other_ones_when_what_a_daemon_is_told_has_changed(
    before: Prepared, now: Prepared, another: bool
) -> None:
    assert (before.fingerprint != now.fingerprint) is another


def test_nothing_leaves_in_clear_by_a_route_behind_all_others() -> None:
    wanted = changes(plan().theirs, Path("/x.nft"))
    undone = [" ".join(change.undo) for change in wanted]

    assert [" ".join(change.do) for change in wanted] == [
        "nft -f /x.nft",
        "ip -4 route replace blackhole 10.2.0.0/16 metric 4200000000 proto 113",
        "ip -6 route replace blackhole fd00:2::/48 metric 4200000000 proto 113",
        "ip -4 rule add to 10.2.0.0/16 priority 2 blackhole",
        "ip -6 rule add to fd00:2::/48 priority 2 blackhole",
    ]
    assert undone[0] == "nft delete table inet dayfly_tunnel"
    assert undone[1] == "ip -4 route del blackhole 10.2.0.0/16 metric 4200000000 proto 113"
    assert undone[3] == "ip -4 rule del to 10.2.0.0/16 priority 2 blackhole"


ALLOW = 'allow = ["tcp 10.1.0.10:443", "udp [fd00:1::53]:53", "icmp 10.1.0.0/16", "10.1.9.0/24"]'


@pytest.mark.parametrize(("translated", "kernel"), [(True, False), (False, True)])
@pytest.mark.parametrize("allow", ["", "allow = []", ALLOW])
def test_nft_takes_the_rules_again_and_again(
    tmp_path: Path, allow: str, translated: bool, kernel: bool
) -> None:
    need_strongswan()
    sites = SITES.replace('probe = "10.1.0.1"', allow)
    file = tmp_path / "firewall.nft"
    file.write_text(firewall(plan(sites), tmp_path, translated=translated, kernel=kernel))
    story = f"nft -f {file} && nft -f {file} && nft list ruleset"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", story], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("table inet") == 1
    assert owner(done.stdout) == tmp_path
    assert ("chain to_forward" in done.stdout) is bool(allow)
    assert ("type nat" in done.stdout) is translated
    assert ('"ipsec*"' in done.stdout) is not kernel  # which needs no interface of its own
    if allow == ALLOW:
        tcp, udp = (
            "ip daddr 10.1.0.10 ct original proto-dst 443",
            "ip6 daddr fd00:1::53 ct original",
        )
        assert f"meta l4proto tcp ct original {tcp} accept" in done.stdout
        assert f"meta l4proto udp ct original {udp} proto-dst 53 accept" in done.stdout


def test_a_peer_is_given_its_own_side_without_the_key() -> None:
    said = swanctl(tunnel(more='secret = "KEY"'), "production", lambda _: AWS)

    assert "remote_addrs = 192.0.2.2" in said
    assert "local_ts = 10.2.0.0/16, fd00:2::/48" in said.replace('"', "")
    assert "PUT-THE-KEY-HERE" in said
    assert "x509ca" in swanctl(tunnel(), "production", lambda _: AWS)


@pytest.mark.parametrize(
    ("sites", "site", "says"),
    [
        (SITES, "prod", "prod: no such site; there are dev and production"),
        (AT_AWS, "production", "production is at AWS, which needs no file"),
    ],
)
def test_a_file_of_a_site_that_needs_none_is_refused(sites: str, site: str, says: str) -> None:
    with pytest.raises(TunnelError, match=says):
        swanctl(tunnel(sites), site, lambda _: AWS)


@pytest.mark.parametrize(
    ("leads", "first", "at"),
    [(True, True, 1.0), (False, True, 0.5), (False, False, 1.0)],
)
def test_the_side_that_does_not_lead_gives_the_other_a_moment(
    leads: bool, first: bool, at: float
) -> None:
    waiting = Waiting(leads=leads)
    steps = [step / 4 for step in range(5)]
    tried = [now for now in steps if waiting.ready(["x"], now, first=first)]

    assert tried[0] == at


def test_another_address_is_called_as_soon_as_the_first() -> None:
    waiting = Waiting(leads=True)
    for step in range(400):
        waiting.ready(["x"], step / 4, first=False)
    waiting.anew("x")

    assert [at for at in (100, 101) if waiting.ready(["x"], at, first=False)] == [101]


def test_what_fails_again_and_again_is_tried_less_often() -> None:
    waiting = Waiting(leads=True)
    steps = [step / 4 for step in range(400)]
    tried = [now for now in steps if waiting.ready(["x"], now, first=False)]

    assert tried[0] == 1.0
    assert max(later - sooner for sooner, later in pairwise(tried)) <= 10
    assert len(tried) < 20
