"""What the IKE daemon tells of its SAs, as the state of a connection."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dayfly.tunnel.observed import connection_of, observed, overall, to_initiate, versions
from dayfly.tunnel.plan import Peer, Plan, Seen
from dayfly.tunnel.recalled import recalled, remember

PEER = Peer(name="x", address="192.0.2.1", identity="x", own_identity="y", key="k")
CALLED = Peer(name="x", address=None, identity="x", own_identity="y", key="k")
SEEN = replace(CALLED, seen=Seen(address="192.0.2.9", port=4500))
CHILD = {
    "state": "INSTALLED", "install-time": "7", "bytes-in": "10", "bytes-out": "20",
    "packets-in": "1", "packets-out": "2", "encr-alg": "AES_GCM_16", "encr-keysize": "256",
}  # fmt: skip


def sa(state: str, *children: Mapping[str, object], **more: str) -> dict[str, Any]:
    named = {f"x-{number}": child for number, child in enumerate(children)}
    return {"state": state, "remote-host": "192.0.2.9", "child-sas": named, **more}


@pytest.mark.parametrize(
    ("sas", "state", "tried"),
    [
        ([], "down", True),
        ([sa("CONNECTING")], "connecting", False),
        ([sa("ESTABLISHED", {**CHILD, "state": "INSTALLING"})], "connecting", False),
        ([sa("ESTABLISHED", CHILD)], "established", False),
        ([sa("REKEYING", {**CHILD, "state": "REKEYING"})], "established", False),
        ([sa("ESTABLISHED")], "down", True),  # no networks in common
        ([sa("DELETING", CHILD), sa("CONNECTING")], "connecting", False),
        ([sa("ESTABLISHED", CHILD), sa("CONNECTING")], "established", False),
    ],
)
def test_the_state_of_a_connection(sas: list[dict[str, Any]], state: str, tried: bool) -> None:
    assert connection_of(PEER, sas).state == state
    assert bool(to_initiate(plan(PEER), {"x": sas}, first=False)) is tried
    assert to_initiate(plan(CALLED), {"x": sas}, first=True) == []  # nobody knows where it is
    assert to_initiate(plan(SEEN), {"x": sas}, first=False) == []  # it calls
    assert bool(to_initiate(plan(SEEN), {"x": sas}, first=True)) is tried


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (["10.1.0.0/16"], ["10.2.0.0/16"], {4}),
        (["10.1.0.0/16", "fd00:1::/48"], ["10.2.0.0/16", "fd00:2::/48"], {4, 6}),
        (["10.1.0.0/16", "fd00:1::/48"], ["10.2.0.1..10.2.0.9"], {4}),
        (["fd00:1::/48[tcp/22]"], ["fd00:2::/48"], {6}),
        ([], [], set()),
    ],
)
def test_what_goes_through_a_tunnel_is_what_both_sites_have(
    ours: list[str], theirs: list[str], found: set[int]
) -> None:
    child = {**CHILD, "local-ts": ours, "remote-ts": theirs}
    assert versions({"x": [sa("ESTABLISHED", child)]}) == found
    assert versions({"x": [sa("CONNECTING", child)]}) == set()


def plan(*peers: Peer) -> Plan:
    return Plan(here="y", there="x", ours=(), theirs=(), peers=peers, leads=True)


def test_traffic_of_all_that_carries_is_added() -> None:
    found = connection_of(PEER, [sa("ESTABLISHED", CHILD, CHILD, established="60")])

    assert (found.bytes_in, found.bytes_out, found.packets_out) == (20, 40, 4)
    assert (found.seconds, found.rekeyed, found.gateway) == (60, 7, "192.0.2.9")
    assert found.cipher == "AES_GCM_16-256"


@pytest.mark.parametrize("kernel", [True, False])
def test_a_nat_is_told_only_where_it_is_known(kernel: bool) -> None:
    sas = {"x": [sa("ESTABLISHED", CHILD, **{"nat-remote": "yes"})]}

    assert observed(plan(PEER), sas, kernel=kernel)[0].behind_nat is kernel


def test_one_of_two_that_stands_is_enough() -> None:
    up, down = connection_of(PEER, [sa("ESTABLISHED", CHILD)]), connection_of(PEER, [])

    assert overall([down, up]) == "established"
    assert overall([down, connection_of(PEER, [sa("CONNECTING")])]) == "connecting"
    assert overall([down]) == "down"


def test_where_one_that_calls_was_last_is_known_at_the_next_start(tmp_path: Path) -> None:
    file, called = tmp_path / "seen.json", plan(CALLED)
    assert recalled(called, file) == called
    assert not remember(called, {}, file)
    assert remember(called, {"x": [sa("ESTABLISHED", CHILD, **{"remote-port": "23465"})]}, file)
    assert not remember(called, {"x": [sa("CONNECTING")]}, file)

    (peer,) = recalled(called, file).peers
    assert peer.seen == Seen(address="192.0.2.9", port=23465)
    assert recalled(plan(PEER), file) == plan(PEER)
    assert remember(plan(PEER), {}, tmp_path / "no.json")
    assert not (tmp_path / "no.json").exists()
