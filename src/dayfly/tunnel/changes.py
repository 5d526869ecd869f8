"""What is changed on the machine, and what takes it back: routes and firewall, as values."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from dayfly.config.tunnel_rules import Network
from dayfly.tunnel import firewall
from dayfly.tunnel.connections import REQID
from dayfly.tunnel.own import LOOPBACK
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.strongswan import MARK, PRIORITY, TABLE

METRIC = 4_200_000_000  # behind every other route to the same network
PROTOCOL = 113  # of our routes; the kernel keeps it and shows it
CLOSED = PRIORITY + 1  # of the rules behind the tunnel's: what finds no way into it ends there

Argv = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    what: str  # as a person knows it
    do: Argv
    undo: Argv
    show: Argv  # prints `shown` for as long as it is there
    shown: str


def changes(
    theirs: Sequence[Network], rules: Path, taken: Sequence[Network] = ()
) -> tuple[Change, ...]:
    """In the order to do them: nothing may leave in clear before the tunnel is there.

    `taken`: own networks that an address is taken in, as this machine has none there.
    """
    table = ("table", "inet", firewall.TABLE)
    guard = Change(
        what="the firewall's table of the tunnel",
        do=("nft", "-f", str(rules)),
        undo=("nft", "delete", *table),
        show=("nft", "-s", "list", *table),
        shown=" ".join(table),
    )
    held = (guard, *map(_blackhole, theirs), *map(_closed, theirs))
    return (*held, *map(_address, taken))


def missing(wanted: Sequence[Change], listings: Mapping[Argv, str]) -> list[Change]:
    """Those that the listings of what is there don't show."""
    return [each for each in wanted if each.shown not in listings[each.show]]


def script(wanted: Sequence[Change]) -> str:
    """The same for a shell, which needs nothing of ours: at boot nothing else may run yet.

    Done again it changes nothing: a rule that is there already is refused by the kernel.
    """
    guard, *rest = (shlex.join(change.do) for change in wanted)
    return "\n".join(["#!/bin/sh", *rest, f"exec {guard}", ""])


def entrance() -> Argv:
    """The rule by which packets find the tunnel, as strongSwan makes it."""
    return ("priority", str(PRIORITY), "not", "fwmark", f"{MARK:#x}", "lookup", str(TABLE))


def leftovers(plan: Plan, *, kernel: bool) -> tuple[Argv, ...]:
    """What takes away that a killed daemon left."""
    found: list[Argv] = []
    for version in (4, 6):
        found.append(("ip", f"-{version}", "rule", "del", *entrance()))
        found.append(("ip", f"-{version}", "route", "flush", "table", str(TABLE)))
    return (*found, *(_policies(plan) if kernel else ()))


def _policies(plan: Plan) -> Iterator[Argv]:
    """Of the kernel; what others have put there stays."""
    for ours in plan.ours:
        for theirs in plan.theirs:
            if ours.version == theirs.version:
                for source, target, way in (
                    (ours, theirs, "out"),
                    (theirs, ours, "in"),
                    (theirs, ours, "fwd"),
                ):
                    selector = ("src", str(source), "dst", str(target), "dir", way)
                    yield ("ip", "xfrm", "policy", "delete", *selector)
    yield ("ip", "xfrm", "state", "deleteall", "reqid", str(REQID))


def _blackhole(network: Network) -> Change:
    route = ("blackhole", str(network), "metric", str(METRIC), "proto", str(PROTOCOL))
    ip = ("ip", f"-{network.version}", "route")
    return Change(
        what=f"the blackhole route of {network}",
        do=(*ip, "replace", *route),
        undo=(*ip, "del", *route),
        show=(*ip, "show", "proto", str(PROTOCOL)),
        shown=f"blackhole {_as_ip_shows(network)} ",
    )


def _closed(network: Network) -> Change:
    """Routes of the machine that are more exact, or a table of its own, lead nothing past it."""
    rule = ("to", str(network), "priority", str(CLOSED), "blackhole")
    ip = ("ip", f"-{network.version}", "rule")
    return Change(
        what=f"the blackhole rule of {network}",
        do=(*ip, "add", *rule),
        undo=(*ip, "del", *rule),
        show=(*ip, "show", "priority", str(CLOSED)),
        shown=f"to {_as_ip_shows(network)} blackhole",
    )


def _address(network: Network) -> Change:
    """That of the network itself, which no host has: a way into the tunnel begins at an address."""
    address = ip_network(network.network_address)
    ip, at = ("ip", f"-{network.version}", "addr"), (str(address), "dev", LOOPBACK)
    return Change(
        what=f"the address {network.network_address} of this gateway",
        do=(*ip, "add", *at),
        undo=(*ip, "del", *at),
        show=("ip", f"-{network.version}", "-o", "addr", "show", "dev", LOOPBACK),
        shown=f"{'inet' if network.version == 4 else 'inet6'} {address} ",  # noqa: PLR2004 - of IP
    )


def _as_ip_shows(network: Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)
