"""What the [tunnel] of a well-formed environment.toml may still not say."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import product

from dayfly.config.address import is_host_name
from dayfly.config.names import named, secret_problem
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown
from dayfly.config.tunnel import Tunnel, TunnelSite

SITES = 2
LAST_PORT = 65535
ALLOWED = '"ADDRESS", "icmp ADDRESS", "tcp ADDRESS:PORT" or "udp ADDRESS:PORT"'
_ALLOW = re.compile(
    r"(?:(?P<protocol>tcp|udp|icmp) )?"
    r"(?:\[(?P<six>[0-9a-fA-F:]+(?:/\d+)?)\]|(?P<plain>[0-9.]+(?:/\d+)?|[0-9a-fA-F:]+(?:/\d+)?))"
    r"(?::(?P<port>\d{1,5}))?"
)
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

Network = IPv4Network | IPv6Network
# This machine, the neighbours on a link, groups, and IPv4 in the clothes of IPv6: no route leads
# these to another site.
_APART_4 = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255")
_APART_6 = ("::", "::1", "::ffff:0:0/96", "fe80::/10", "ff00::/8")
_APART = tuple(map(ip_network, (*_APART_4, *_APART_6)))


def tunnel_problems(tunnel: Tunnel | None) -> Iterator[Problem]:
    if tunnel is None:
        return
    yield from named(("tunnel", "site"), tunnel.site)
    if len(tunnel.site) != SITES:
        yield Problem(("tunnel", "site"), f"found {len(tunnel.site)} sites, allowed are two")
        return
    if tunnel.here not in tunnel.site:
        allowed = " or ".join(f'"{name}"' for name in tunnel.site)
        says = f"found {shown(tunnel.here)}, allowed is {allowed}"
        yield Problem(("tunnel", "here"), says, (("tunnel", "site"),))
        return
    if tunnel.secret is not None and (says := secret_problem(tunnel.secret) or ""):
        yield Problem(("tunnel", "secret"), says)
    for name, site in tunnel.site.items():
        yield from _site(("tunnel", "site", name), site)
    yield from _ends(tunnel)
    yield from _overlaps(tunnel)


def network_of(text: str) -> Network | None:
    """None for what is none, also where bits behind its prefix are set."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def networks_of(site: TunnelSite) -> list[Network]:
    return [network for text in site.networks if (network := network_of(text))]


def allowance(text: str) -> tuple[str, Network, int | None] | None:
    """Protocol ("" for any), addresses and port of an entry of `allow`; None when it is none."""
    found = _ALLOW.fullmatch(text)
    network = network_of(found["six"] or found["plain"]) if found else None
    if not found or not network:
        return None
    protocol, port = found["protocol"] or "", found["port"]
    if (protocol in {"tcp", "udp"}) != (port is not None):
        return None
    if port is not None and not 1 <= int(port) <= LAST_PORT:
        return None
    return protocol, network, port and int(port)  # type: ignore[return-value]


def _site(at: KeyPath, site: TunnelSite) -> Iterator[Problem]:
    if not site.networks:
        yield Problem((*at, "networks"), 'is empty, allowed are networks such as "10.1.0.0/16"')
    for place, text in enumerate(site.networks):
        network = network_of(text)
        if network is None or network.prefixlen == 0:
            says = f'found {shown(text)}, allowed is a network such as "10.1.0.0/16"'
            yield Problem((*at, "networks", place), says)
        elif apart := next((one for one in _APART if _overlap(network, one)), None):
            says = f"{network} has addresses of {apart}, which stay on their machine or link"
            yield Problem((*at, "networks", place), says)
    if site.gateway is not None and not _is_gateway(site.gateway):
        says = f'found {shown(site.gateway)}, allowed is an address or a name: "203.0.113.10"'
        yield Problem((*at, "gateway"), says)
    if site.identity is not None and not _is_identity(site.identity):
        says = f'found {shown(site.identity)}, allowed is a name such as "vpn.example.org"'
        yield Problem((*at, "identity"), says)
    if site.aws is not None and not site.aws.strip():
        yield Problem((*at, "aws"), 'is empty, allowed is a file such as "vpn-0a1b2c3d.xml"')
    yield from _allowed(at, site)
    yield from _probe(at, site)


def _allowed(at: KeyPath, site: TunnelSite) -> Iterator[Problem]:
    for place, text in enumerate(site.allow or ()):
        found, here = allowance(text), ((*at, "allow", place), ((*at, "networks"),))
        if found is None:
            yield Problem(here[0], f"found {shown(text)}, allowed is {ALLOWED}")
        elif not any(_within(found[1], network) for network in networks_of(site)):
            yield Problem(here[0], f"{found[1]} is in none of this site's networks", here[1])


def _probe(at: KeyPath, site: TunnelSite) -> Iterator[Problem]:
    if site.probe is None:
        return
    network = network_of(site.probe) if _is_address(site.probe) else None
    if network is None:
        says = f'found {shown(site.probe)}, allowed is an address such as "10.2.0.1"'
        yield Problem((*at, "probe"), says)
    elif not any(_within(network, own) for own in networks_of(site)):
        says = f"{site.probe} is in none of this site's networks"
        yield Problem((*at, "probe"), says, ((*at, "networks"),))


def _ends(tunnel: Tunnel) -> Iterator[Problem]:
    here, there = tunnel.site[tunnel.here], tunnel.site[tunnel.there]
    at: KeyPath = ("tunnel", "site", tunnel.there)
    if here.aws is not None:
        yield Problem(("tunnel", "site", tunnel.here, "aws"), "is for the site that AWS is")
    if there.aws is not None:
        yield from _aws(tunnel, there)
        return
    if here.gateway is None and there.gateway is None:
        says = "one of the two sites needs the address of its gateway"
        yield Problem((*at, "gateway"), says, (("tunnel", "site", tunnel.here, "gateway"),))
    yield from _alike(tunnel)


def _alike(tunnel: Tunnel) -> Iterator[Problem]:
    """Who is the same on both sides is talking to itself."""
    here, there = tunnel.site[tunnel.here], tunnel.site[tunnel.there]
    at: KeyPath = ("tunnel", "site", tunnel.there)
    ours: KeyPath = ("tunnel", "site", tunnel.here)
    if here.gateway and there.gateway and _one(here.gateway) == _one(there.gateway):
        says = f"found {shown(there.gateway)} for both sites, allowed is a gateway of each"
        yield Problem((*at, "gateway"), says, ((*ours, "gateway"),))
    names = [(site.identity or name).lower() for name, site in tunnel.site.items()]
    if len(set(names)) == 1:
        says = f"{shown(names[0])} is what both sites are called, allowed is a name for each"
        yield Problem((*at, "identity"), says, ((*ours, "identity"),))


def _one(gateway: str) -> object:
    return ip_address(gateway) if _is_address(gateway) else gateway.lower().removesuffix(".")


def _aws(tunnel: Tunnel, there: TunnelSite) -> Iterator[Problem]:
    """One pair of networks is all that AWS takes from a gateway that names networks."""
    at: KeyPath = ("tunnel", "site", tunnel.there)
    for key in ("gateway", "identity", "allow"):
        if getattr(there, key) is not None:
            yield Problem((*at, key), "is not for AWS: its file says all of it", ((*at, "aws"),))
    if tunnel.secret is not None:
        says = "is not for AWS: its file holds the keys"
        yield Problem(("tunnel", "secret"), says, ((*at, "aws"),))
    for name, site in tunnel.site.items():
        if len(site.networks) > 1:
            says = f"found {len(site.networks)}, allowed with AWS is one network that holds all"
            yield Problem(("tunnel", "site", name, "networks"), says, ((*at, "aws"),))


def _overlaps(tunnel: Tunnel) -> Iterator[Problem]:
    """Who has the same addresses here and there can't say which of them is meant."""
    first, second = (networks_of(site) for site in tunnel.site.values())
    at: KeyPath = ("tunnel", "site", tunnel.there, "networks")
    other: tuple[KeyPath, ...] = (("tunnel", "site", tunnel.here, "networks"),)
    families = [{network.version for network in networks} for networks in (first, second)]
    if all(families) and not families[0] & families[1]:
        says = "are of IPv4 at one site and of IPv6 at the other, so no packet could pass"
        yield Problem(at, says, other)
    for one, another in product(first, second):
        if _overlap(one, another):
            yield Problem(at, f"{one} and {another} overlap: the sites need addresses apart", other)
    for name, site in tunnel.site.items():
        if says := within_tunnel(site.gateway, [*first, *second]):
            yield Problem(("tunnel", "site", name, "gateway"), says, (at, *other))


def within_tunnel(gateway: str | None, networks: Iterable[Network]) -> str:
    """What to say of an address that only the tunnel itself leads to; empty where it is none."""
    if gateway is None or not _is_address(gateway):
        return ""
    own = ip_network(gateway)
    network = next((each for each in networks if _within(own, each)), None)
    return f"{gateway} is in {network}, which goes through the tunnel" if network else ""


def _overlap(one: Network, another: Network) -> bool:
    return one.version == another.version and one.overlaps(another)


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _is_gateway(text: str) -> bool:
    """An address of one machine, which another one can call."""
    if not _is_address(text):
        named = is_host_name(text) and not re.fullmatch(r"[0-9.]+", text)
        return named and text.lower() != "localhost"
    return not any(_within(ip_network(text), apart) for apart in _APART)


def _is_identity(text: str) -> bool:
    """An address of zeros is any identity to strongSwan."""
    return bool(_IDENTITY.fullmatch(text)) and text != "0.0.0.0"  # noqa: S104 - none is bound


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
