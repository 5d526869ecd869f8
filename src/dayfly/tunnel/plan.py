"""What is to be: one gateway's side of a tunnel, as values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dayfly.config.tunnel import Tunnel
from dayfly.config.tunnel_rules import Network, allowance, networks_of, within_tunnel
from dayfly.tunnel.aws import AwsTunnel
from dayfly.tunnel.problem import TunnelError

ReadAws = Callable[[str], tuple[AwsTunnel, ...]]


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What the other site may reach here."""

    protocol: str  # empty: any
    to: Network
    port: int | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Where one that calls was, as its NAT showed it."""

    address: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The other end of one connection. Where there are two, each takes over from the other."""

    name: str
    address: str | None  # None: it calls, from wherever
    identity: str
    own_identity: str
    key: str | None = field(default=None, repr=False)  # pre-shared; None: certificates
    named: str = ""  # the name that led to the address just now; to None: it led nowhere
    # Where one that calls was last: nothing that was set, so it makes no other settings.
    seen: Seen | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One side of a tunnel."""

    here: str
    there: str
    ours: tuple[Network, ...]
    theirs: tuple[Network, ...]
    peers: tuple[Peer, ...]
    leads: bool  # it connects at once, the other side only when nobody does
    allow: tuple[Allowance, ...] | None = None
    calls: bool = False  # nobody else can: it has no address of its own
    probe: str | None = None  # over there
    required: bool = False

    @property
    def with_certificates(self) -> bool:
        return any(peer.key is None for peer in self.peers)


def planned(tunnel: Tunnel, key: str | None, aws: ReadAws) -> Plan:
    """The plan of the site that is here. `aws` reads a file that AWS offers."""
    here, there = tunnel.site[tunnel.here], tunnel.site[tunnel.there]
    allowed = None if here.allow is None else tuple(_allowance(text) for text in here.allow)
    if there.aws is not None:
        peers = tuple(_aws_peers(tunnel.there, aws(there.aws)))
    else:
        peers = (
            Peer(
                name=tunnel.there,
                address=there.gateway,
                identity=there.identity or tunnel.there,
                own_identity=here.identity or tunnel.here,
                key=key,
            ),
        )
    return Plan(
        here=tunnel.here,
        there=tunnel.there,
        ours=tuple(networks_of(here)),
        theirs=tuple(networks_of(there)),
        peers=peers,
        leads=_leads(tunnel),
        calls=there.aws is None and here.gateway is None,
        allow=allowed,
        probe=there.probe,
        required=tunnel.required,
    )


def within(peers: Iterable[Peer], plan: Plan) -> str:
    """What to say of a gateway that only the tunnel leads to; empty where there is none."""
    found = (within_tunnel(peer.address, (*plan.ours, *plan.theirs)) for peer in peers)
    return next(filter(None, found), "")


def _leads(tunnel: Tunnel) -> bool:
    """One of two that could: both at once would make two tunnels and end each other's."""
    here, there = tunnel.site[tunnel.here], tunnel.site[tunnel.there]
    if there.aws is not None or here.gateway is None:
        return True
    return there.gateway is not None and tunnel.here < tunnel.there


def _allowance(text: str) -> Allowance:
    found = allowance(text)
    if found is None:
        raise TunnelError(f"allow: {text}: nothing that can be allowed")  # the rules refuse it
    return Allowance(protocol=found[0], to=found[1], port=found[2])


def _aws_peers(name: str, tunnels: tuple[AwsTunnel, ...]) -> list[Peer]:
    return [
        Peer(
            name=f"{name}-{number}",
            address=tunnel.theirs,
            identity=tunnel.theirs,
            own_identity=tunnel.ours,
            key=tunnel.key,
        )
        for number, tunnel in enumerate(tunnels, 1)
    ]
