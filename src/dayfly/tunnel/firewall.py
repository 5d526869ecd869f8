"""The rules of nft that stand beside a tunnel, as text."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dayfly.config.tunnel_rules import Network
from dayfly.tunnel.plan import Allowance, Plan
from dayfly.tunnel.strongswan import DEVICES

TABLE = "dayfly_tunnel"
# Bytes of TCP in one packet, so many that what is added to them fits as well.
SEGMENT = {"ip": 1360, "ip6": 1340}
_OWNER = re.compile(r'^\s*comment "of (?P<folder>/[^"]*)"$', re.MULTILINE)


def firewall(plan: Plan, folder: Path, *, translated: bool, kernel: bool) -> str:
    """Rules of nft in a table that is ours alone; reading them again replaces it as a whole.

    `folder`: the tunnel's in DAYFLY_HOME, which the table tells.
    `translated`: the machine translates addresses, which packets between the sites are spared.
    Without that a rule of ours would only make the kernel follow every connection.
    """
    addresses = _addresses(plan) if translated else ()
    chains = (*_guard(plan, kernel=kernel), *addresses, *_segments(plan), *_entrance(plan))
    body = "\n".join((*_comment(folder), *chains))
    return f"table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n{body}\n}}\n"


def owner(listing: str) -> Path | None:
    """The folder of the tunnel that a table, as nft lists it, belongs to."""
    found = _OWNER.search(listing)
    return Path(found["folder"]) if found else None


def _comment(folder: Path) -> Iterator[str]:
    if not set(str(folder)) & set('"\n'):  # which nft can't write
        yield f'  comment "of {folder}"'


def _guard(plan: Plan, *, kernel: bool) -> Iterator[str]:
    """Nothing for the other site leaves in clear, and nothing in clear is taken for theirs.

    Behind the machine's own address translation, as that may turn a packet away from the tunnel.
    """
    leaves = (
        f"{at} daddr {among} {past} rt ipsec missing counter drop"
        for at, among in _among(plan.theirs)
        for past in _past("oif", kernel=kernel)
    )
    enters = (
        f"{at} saddr {among} {past} meta ipsec missing counter drop"
        for at, among in _among(plan.theirs)
        for past in _past("iif", kernel=kernel)
    )
    yield _chain("leaving", "type filter hook postrouting priority 300", leaves)
    yield _chain("entering", "type filter hook prerouting priority -310", enters)


def _past(way: str, *, kernel: bool) -> tuple[str, ...]:
    """Interfaces that are not the tunnel's: with the kernel's ESP it has none, else a TUN device.

    Others are called like it, too: those of the machine's own tunnels are of another kind.
    """
    outer = f'{way}name != "lo"'
    if kernel:
        return (outer,)
    named = f'{way}name != "{DEVICES}" {outer}'
    return (named, f'{way}name "{DEVICES}" meta {way}kind != "tun"')


def _addresses(plan: Plan) -> Iterator[str]:
    """Between the sites everyone keeps their own address, where the machine translates others.

    The first that translates a connection decides, so this is as early as the kernel takes it.
    """
    theirs = dict(_among(plan.theirs))
    kept = (
        f"{at} saddr {among} {at} daddr {theirs[at]} snat {at} to {at} saddr"
        for at, among in _among(plan.ours)
        if at in theirs
    )
    yield _chain("keeping", "type nat hook postrouting priority -199", kept)


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
    """By what the other site asked for: a published port of a container leads elsewhere by now."""
    at = _family(allowance.to)
    what = f"ct original {at} daddr {allowance.to}"
    if allowance.protocol == "icmp":
        return f"meta l4proto {{ icmp, ipv6-icmp }} {what} accept"
    if allowance.port is not None:
        port = f"ct original proto-dst {allowance.port}"
        return f"meta l4proto {allowance.protocol} {what} {port} accept"
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
