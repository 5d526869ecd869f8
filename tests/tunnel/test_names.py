"""Gateways that have a name: where they are by now, and what is said where nobody knows."""

import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.tunnel.connections import connections
from dayfly.tunnel.names import Names, led, unresolved
from dayfly.tunnel.observed import to_initiate
from dayfly.tunnel.plan import Peer, Plan, within

NAMED = Peer(name="x", address="vpn.example", identity="x", own_identity="y", key="k")
CALLS = replace(NAMED, address=None)
SOON = 5.0


def plan(peer: Peer) -> Plan:
    return Plan(here="y", there="x", ours=(), theirs=(), peers=(peer,), leads=True)


@pytest.mark.parametrize(
    ("peer", "known", "where", "called", "says"),
    [
        (NAMED, {"vpn.example": "192.0.2.1"}, ["192.0.2.1", "%any"], True, ""),
        (NAMED, {"vpn.example": "2001:db8::1"}, ["2001:db8::1", "%any"], True, ""),
        # It may call still; nothing that a daemon would have to look up.
        (NAMED, {}, ["%any"], False, "the other gateway, vpn.example, can't be resolved"),
        (replace(NAMED, address="192.0.2.7"), {"192.0.2.7": "x"}, ["192.0.2.7"], True, ""),
        (replace(NAMED, address="2001:db8::7"), {}, ["2001:db8::7"], True, ""),
        (CALLS, {"": "192.0.2.1"}, ["%any"], False, ""),
    ],
)
def test_a_daemon_is_told_addresses_only(
    peer: Peer, known: Mapping[str, str], where: list[str], called: bool, says: str
) -> None:
    found = led(plan(peer), known)
    (told,) = connections(found, kernel=False).values()
    assert isinstance(told, dict)

    assert told["remote_addrs"] == where
    assert bool(to_initiate(found, {}, first=False)) is called
    assert says in unresolved(found.peers)
    assert bool(unresolved(found.peers)) is bool(says)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("10.2.0.1", "10.2.0.1 is in 10.2.0.0/16, which goes through the tunnel"),
        ("192.0.2.1", ""),
        ("", ""),
    ],
)
def test_a_name_that_leads_into_the_tunnel_itself_is_told(address: str, says: str) -> None:
    known = {"vpn.example": address} if address else {}
    found = led(replace(plan(NAMED), theirs=(ip_network("10.2.0.0/16"),)), known)

    assert within(found.peers, found) == says


def test_a_name_that_leads_elsewhere_moves_what_does_not_stand() -> None:
    before = led(plan(NAMED), {"vpn.example": "192.0.2.1"})
    moved = led(before, {"vpn.example": "192.0.2.2"})

    assert moved.peers[0].address == "192.0.2.2"
    assert led(before, {"vpn.example": "192.0.2.2"}, but=["x"]) == before


def test_nobody_waits_for_a_dns_that_is_silent(tmp_path: Path) -> None:
    silent, asked = threading.Event(), []

    def ask(name: str) -> list[str]:
        asked.append(name)
        silent.wait(SOON)
        return ["192.0.2.1"]

    names = Names(tmp_path / "names.json", ask)
    for _ in range(3):
        names.ask(["vpn.example"])
        names.wait(0.01)
        assert names.known() == {}
    assert asked == ["vpn.example"]
    silent.set()
    names.wait(SOON)
    assert names.known() == {"vpn.example": "192.0.2.1"}


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        (["192.0.2.2"], "192.0.2.2"),
        (["192.0.2.2", "192.0.2.1"], "192.0.2.1"),  # in turns, as some servers do
        ([], "192.0.2.1"),
        (socket.gaierror(-2, "Name or service not known"), "192.0.2.1"),
        (UnicodeError("label too long"), "192.0.2.1"),
    ],
)
def test_an_address_of_before_is_kept_until_there_is_another(
    tmp_path: Path, answers: list[str] | Exception, known: str
) -> None:
    def ask(_: str) -> list[str]:
        if isinstance(answers, Exception):
            raise answers
        return answers

    file = tmp_path / "names.json"
    file.write_text('{"vpn.example": "192.0.2.1"}')
    names = Names(file, ask)
    names.ask(["vpn.example"])
    names.wait(SOON)

    assert names.known() == {"vpn.example": known}
    assert Names(file).known() == {"vpn.example": known}  # also after a boot without DNS


def test_the_next_address_is_called_where_one_is_called_in_vain(tmp_path: Path) -> None:
    names = Names(tmp_path / "names.json", lambda _: ["192.0.2.1", "192.0.2.2"])
    called = []

    def led_to(address: str) -> bool:
        names.ask(["vpn.example"])  # as for as long as it is down
        names.wait(SOON)
        called.append(names.known()["vpn.example"])
        return called[-1] == address

    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        wait_until(lambda: led_to(address), seconds=2 * SOON, what=address)  # noqa: B023 - called at once
    assert called[0] == "192.0.2.1"


def test_a_damaged_file_of_addresses_is_as_none(tmp_path: Path) -> None:
    file = tmp_path / "names.json"
    file.write_text("{")

    assert Names(file).known() == {}
