"""How a tunnel is, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dayfly.tunnel.plan import Peer, Plan

State = Literal["established", "connecting", "down", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One connection to the other site."""

    name: str
    state: State
    gateway: str  # its address, as it is seen
    seconds: int | None = None  # for which it is established
    rekeyed: int | None = None  # seconds since the keys of its packets are in use
    cipher: str = ""
    behind_nat: bool = False
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Status:
    here: str
    there: str
    state: State
    connections: tuple[Connection, ...] = ()
    round_trip: float | None = None  # ms
    reason: str = ""  # why it is not established, or what soon ends it
    engine: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_up(self) -> bool:
        return self.state == "established"


def connection_of(peer: Peer, sas: Sequence[Mapping[str, Any]]) -> Connection:
    """What the IKE daemon tells of one peer; of several SAs the one that carries packets.

    Two gateways that know each other but agree on no networks are down: somebody may try again.
    """
    carrying = [(sa, child) for sa in sas for child in _installed(sa)]
    if carrying:
        return _established(peer, *carrying[-1], carrying)
    connecting = any(sa["state"] == "CONNECTING" or sa.get("child-sas") for sa in sas)
    gateway = next((str(sa.get("remote-host", "")) for sa in sas), "") or peer.address or ""
    return Connection(name=peer.name, state="connecting" if connecting else "down", gateway=gateway)


def _established(
    peer: Peer,
    sa: Mapping[str, Any],
    child: Mapping[str, Any],
    carrying: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> Connection:
    def total(name: str) -> int:
        return sum(int(each.get(name, 0)) for _, each in carrying)

    return Connection(
        name=peer.name,
        state="established",
        gateway=str(sa.get("remote-host", "")),
        seconds=int(sa.get("established", 0)),
        rekeyed=int(child.get("install-time", 0)),
        cipher=_cipher(child),
        behind_nat=any(str(sa.get(key, "no")) == "yes" for key in ("nat-local", "nat-remote")),
        bytes_in=total("bytes-in"),
        bytes_out=total("bytes-out"),
        packets_in=total("packets-in"),
        packets_out=total("packets-out"),
    )


def _installed(sa: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if sa.get("state") not in {"ESTABLISHED", "REKEYING", "REKEYED"}:
        return []
    children = sa.get("child-sas", {}).values()
    return [child for child in children if child.get("state") in {"INSTALLED", "REKEYING"}]


def _cipher(child: Mapping[str, Any]) -> str:
    keys = [str(child.get(name, "")) for name in ("encr-alg", "encr-keysize", "integ-alg")]
    return "-".join(key for key in keys if key)


def versions(sas: Mapping[str, Sequence[Mapping[str, Any]]]) -> set[int]:
    """Of IP, that go through what stands."""
    children = (child for each in sas.values() for sa in each for child in _installed(sa))
    return {
        version
        for child in children
        for version in _versions(child, "local-ts") & _versions(child, "remote-ts")
    }


def _versions(child: Mapping[str, Any], side: str) -> set[int]:
    """Of selectors like 10.1.0.0/16, 10.1.0.1..10.1.0.9 and fd00::/48[tcp/22]."""
    return {6 if ":" in str(each).partition("[")[0] else 4 for each in child.get(side, ())}


def overall(connections: Sequence[Connection]) -> State:
    """One that stands is enough."""
    for state in ("established", "connecting"):
        if any(connection.state == state for connection in connections):
            return state
    return "down"


def observed(
    plan: Plan, sas: Mapping[str, Sequence[Mapping[str, Any]]], *, kernel: bool
) -> tuple[Connection, ...]:
    """Outside of the kernel packets always go as if a NAT were between: of that nothing is told."""
    found = tuple(connection_of(peer, sas.get(peer.name, ())) for peer in plan.peers)
    return found if kernel else tuple(replace(each, behind_nat=False) for each in found)


def to_initiate(
    plan: Plan, sas: Mapping[str, Sequence[Mapping[str, Any]]], *, first: bool
) -> list[str]:
    """Connections that nobody is making, and that can be made from here.

    `first`: the daemon has just begun, and one that called the last one does not know it yet.
    """
    return [
        peer.name
        for peer in plan.peers
        if peer.address is not None or (first and peer.seen is not None)
        if connection_of(peer, sas.get(peer.name, ())).state == "down"
    ]
