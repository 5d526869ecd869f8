"""What is changed on the machine, and what takes it back: routes and firewall, as values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.config.tunnel_rules import Network
from dayfly.tunnel.plan import Allowance, Plan
from dayfly.tunnel.strongswan import DEVICES, MARK, TABLE

METRIC = 4_200_000_000  # behind every other route to the same network
PROTOCOL = 113  # of our routes; the kernel keeps it and shows it
FIREWALL = "dayfly_tunnel"
# Bytes of TCP in one packet, so many that what is added to them fits as well.
SEGMENT = {"ip": 1360, "ip6": 1340}

Argv = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    do: Argv
    undo: Argv


def changes(plan: Plan, firewall: Path) -> tuple[Change, ...]:
    """In the order to do them: nothing may leave in clear before the tunnel is there."""
    table = ("nft", "delete", "table", "inet", FIREWALL)
    guard = Change(do=("nft", "-f", str(firewall)), undo=table)
    return (guard, *(_blackhole(network) for network in plan.theirs))


def leftovers(plan: Plan, *, kernel: bool) -> tuple[Argv, ...]:
    """What takes away that a killed daemon left."""
    found: list[Argv] = []
    for version in (4, 6):
        rule = ("priority", str(TABLE), "not", "fwmark", f"{MARK:#x}", "lookup", str(TABLE))
        found.append(("ip", f"-{version}", "rule", "del", *rule))
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
    for peer in plan.peers:
        if peer.address is not None:
            yield ("ip", "xfrm", "state", "deleteall", "dst", peer.address, "proto", "esp")
            yield ("ip", "xfrm", "state", "deleteall", "src", peer.address, "proto", "esp")


def _blackhole(network: Network) -> Change:
    route = ("blackhole", str(network), "metric", str(METRIC), "proto", str(PROTOCOL))
    ip = ("ip", f"-{network.version}", "route")
    return Change(do=(*ip, "replace", *route), undo=(*ip, "del", *route))


def firewall(plan: Plan, *, translated: bool) -> str:
    """Rules of nft in a table that is ours alone; reading them again replaces it as a whole.

    `translated`: the machine translates addresses, which packets between the sites are spared.
    Without that a rule of ours would only make the kernel follow every connection.
    """
    addresses = _addresses(plan) if translated else ()
    chains = (*_guard(plan), *addresses, *_segments(plan), *_entrance(plan))
    body = "\n".join(chains)
    return (
        f"table inet {FIREWALL}\ndelete table inet {FIREWALL}\n"
        f"table inet {FIREWALL} {{\n{body}\n}}\n"
    )


def _guard(plan: Plan) -> Iterator[str]:
    """Nothing for the other site leaves in clear, and nothing in clear is taken for theirs.

    Behind the machine's own address translation, as that may turn a packet away from the tunnel.
    """
    leaves = (
        f'{at} daddr {among} oifname != "{DEVICES}" oifname != "lo" rt ipsec missing counter drop'
        for at, among in _among(plan.theirs)
    )
    enters = (
        f'{at} saddr {among} iifname != "{DEVICES}" iifname != "lo" meta ipsec missing counter drop'
        for at, among in _among(plan.theirs)
    )
    yield _chain("leaving", "type filter hook postrouting priority 300", leaves)
    yield _chain("entering", "type filter hook prerouting priority -310", enters)


def _addresses(plan: Plan) -> Iterator[str]:
    """Between the sites everyone keeps their own address, where the machine translates others."""
    theirs = dict(_among(plan.theirs))
    kept = (
        f"{at} saddr {among} {at} daddr {theirs[at]} snat {at} to {at} saddr"
        for at, among in _among(plan.ours)
        if at in theirs
    )
    yield _chain("keeping", "type nat hook postrouting priority 90", kept)


def _segments(plan: Plan) -> Iterator[str]:
    """TCP is told to send what fits; a larger packet would be cut in pieces, or lost."""
    both = (
        f"tcp flags & (syn|rst) == syn {at} {way} {among} tcp option maxseg size set {SEGMENT[at]}"
        for at, among in _among(plan.theirs)
        for way in ("saddr", "daddr")
    )
    yield _chain("fitting", "type filter hook forward priority -150", both)


def _entrance(plan: Plan) -> Iterator[str]:
    if plan.allow is None:
        return
    rules = ["ct state established,related accept", *(_accept(each) for each in plan.allow)]
    theirs = [f"{at} saddr {among}" for at, among in _among(plan.theirs)]
    inner = [*(f"{who} jump allowed" for who in theirs), *(f"{who} drop" for who in theirs)]
    yield _plain(rules)
    for hook in ("input", "forward"):
        yield _chain(f"to_{hook}", f"type filter hook {hook} priority -10", inner)


def _accept(allowance: Allowance) -> str:
    at = _family(allowance.to)
    what = f"{at} daddr {allowance.to}"
    if allowance.protocol == "icmp":
        return f"{what} meta l4proto {{ icmp, ipv6-icmp }} accept"
    if allowance.port is not None:
        return f"{what} {allowance.protocol} dport {allowance.port} accept"
    return f"{what} accept"


def _plain(rules: Sequence[str]) -> str:
    body = "\n    ".join(rules)
    return f"  chain allowed {{\n    {body}\n  }}"


def _chain(name: str, hook: str, rules: Iterator[str] | Sequence[str]) -> str:
    body = "\n    ".join((f"{hook}; policy accept;", *rules))
    return f"  chain {name} {{\n    {body}\n  }}"


def _among(networks: Sequence[Network]) -> Iterator[tuple[str, str]]:
    """The networks of each family, as nft writes them; one alone is quicker than a set of one."""
    for at in ("ip", "ip6"):
        own = [str(network) for network in networks if _family(network) == at]
        if own:
            yield at, own[0] if len(own) == 1 else f"{{ {', '.join(own)} }}"


def _family(network: Network) -> str:
    return "ip" if network.version == 4 else "ip6"  # noqa: PLR2004 - of IP
