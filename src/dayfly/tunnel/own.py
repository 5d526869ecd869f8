"""The addresses of this machine, and what they say of a tunnel."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from dayfly.command import output_of
from dayfly.config.tunnel_rules import Network
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.problem import TunnelError

Address = IPv4Address | IPv6Address
LOOPBACK = "lo"
HOSTS_ALONE = 2  # addresses: in so small a network each may be a host's


@dataclass(frozen=True, kw_only=True)
class Own:
    """One that this machine has."""

    device: str
    address: Address


def addresses() -> list[Own]:
    """IPv4 first, and last what lies on no network."""
    said = [output_of(["ip", f"-{version}", "-o", "addr"]) for version in (4, 6)]
    return sorted(listed("\n".join(said)), key=lambda own: own.device == LOOPBACK)


def listed(text: str) -> Iterator[Own]:
    """As `ip -o addr` shows them."""
    for device, address in re.findall(r"^\d+: (\S+)\s+inet6? ([^/\s]+)", text, re.MULTILINE):
        yield Own(device=device, address=ip_address(address))


def own_address(ours: Sequence[Network]) -> str | None:
    """An address of this machine in one of the site's own networks."""
    among = (own.address for own in addresses() if any(own.address in each for each in ours))
    return next(map(str, among), None)


def to_take(
    ours: Sequence[Network], found: Sequence[Own], taken: Sequence[Network], *, kernel: bool
) -> list[Network]:
    """Own networks that an address has to be taken in: strongSwan makes no way without one.

    With the kernel's ESP one address of a family is enough. TunnelError where none is free.
    `taken`: in which one was before.
    """
    ours_by_now = {Own(device=LOOPBACK, address=each.network_address) for each in taken}
    there = [own.address for own in found if own not in ours_by_now]
    having = [each for each in ours if any(address in each for address in there)]
    served = {each.version for each in having} if kernel else set()
    lacking = [each for each in ours if each not in having and each.version not in served]
    for network in lacking:
        if network.num_addresses <= HOSTS_ALONE:
            raise TunnelError(
                f"this gateway has no address in {network}, and none is free there",
                hint="Name a larger network in `networks`, one that this gateway has an address"
                " in, or a free one.",
            )
    return lacking


def require_here(plan: Plan) -> None:
    """TunnelError where this machine is of the other site, as with a file that was copied."""
    if says := elsewhere(plan, addresses()):
        raise TunnelError(
            f'`here` is "{plan.here}", and {says}',
            hint="Both gateways have the same two sites; `here` says which one each is of.",
        )


def elsewhere(plan: Plan, found: Iterable[Own]) -> str:
    """What says that this machine is of the other site; empty where nothing does."""
    there = [own.address for own in found]
    for peer in plan.peers:
        if _read(peer.address) in there:
            return f"{peer.address}, the gateway of {plan.there}, is an address of this machine"
    theirs = [each for each in there if _is_in(each, plan.theirs)]
    if theirs and not any(_is_in(each, plan.ours) for each in there):
        return (
            f"this machine has {theirs[0]}, which is in a network of {plan.there},"
            f" and no address in one of {plan.here}"
        )
    return ""


def _read(address: str | None) -> Address | None:
    """None for a name as well."""
    with suppress(ValueError):
        return ip_address(address or "")
    return None


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in each for each in networks)
