"""What the balancer is meant to do: which fleet is in which slot, and which slot serves an app."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dayfly.config.environment import Route
from dayfly.errors import DayflyError

SLOTS = 256
EVERY_HOST = "*"
NOTHING: Mapping[str, str] = {}
T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
HOST_HEADER = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,=:@/%-]*(\?[A-Za-z0-9._~!$&'()*+,=:@/%?-]*)?")


class BalancerError(DayflyError):
    """The balancer can't do what was asked; the message says what HAProxy has instead."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One machine in a slot. `address` is host:port, the host an IP address."""

    name: str
    address: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BalancerError(
                f"machine name {self.name!r}: letters, digits, '_', '.' and '-' are allowed"
            )
        _check_address(self.name, self.address)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The fleet that a slot holds, and the path its health check asks for."""

    app: str
    release: int
    servers: tuple[Server, ...]
    path: str = "/"
    host: str = "localhost"  # the Host header of the check

    def __post_init__(self) -> None:
        if not HOST_HEADER.fullmatch(self.host):
            raise BalancerError(f"health host {self.host!r}: a name such as shop.example is needed")
        if not NAME.fullmatch(self.app):
            raise BalancerError(
                f"app name {self.app!r}: letters, digits, '_', '.' and '-' are allowed"
            )
        if not _PATH.fullmatch(self.path):
            raise BalancerError(f"health path {self.path!r}: a path such as /healthz is needed")
        if not self.servers:
            raise BalancerError(f"{self.app}, release {self.release}: a slot needs a machine")
        if len({server.name for server in self.servers}) < len(self.servers):
            raise BalancerError(f"{self.app}, release {self.release}: a machine is named twice")


@dataclass(frozen=True, kw_only=True)
class Routing:
    """The whole intention. `serving` names one slot per app, so two fleets never share requests."""

    slots: Mapping[str, Slot] = field(default_factory=dict)
    serving: Mapping[str, str] = field(default_factory=dict)  # app → slot
    routes: Mapping[str, str] = field(default_factory=dict)  # host/path/ → app
    assets: Mapping[str, str] = field(default_factory=dict)  # app:/prefix → the warm fleet's slot
    holds: Mapping[str, int] = field(default_factory=dict)  # app → ms since the epoch at its end
    closed: Mapping[str, str] = field(default_factory=dict)  # app → its page, "" for ours
    last: int = SLOTS - 1  # the slot that was given out last; the next ones come first


def slot_name(number: int) -> str:
    return f"slot-{number:03d}"


def placed(routing: Routing, fleet: Slot) -> tuple[Routing, str]:
    """With the fleet in the slot that its release holds already, or else in a free one."""
    for name, held in routing.slots.items():
        if (held.app, held.release) == (fleet.app, fleet.release):
            return replace(routing, slots={**routing.slots, name: fleet}), name
    number = _free_slot(routing)
    name = slot_name(number)
    return replace(routing, slots={**routing.slots, name: fleet}, last=number), name


def served_by(
    routing: Routing, app: str, slot: str, assets: tuple[str, str] | None = None
) -> Routing:
    """With the app's requests going to `slot`; `assets` is (path prefix, the warm fleet's slot)."""
    fleet = held(routing, slot)
    if fleet.app != app:
        raise BalancerError(f"{slot} holds {fleet.app}, release {fleet.release}, not {app}")
    fallback = _without_app(routing.assets, app)
    if assets:
        prefix, warm = assets
        if not _PATH.fullmatch(prefix) or "?" in prefix:
            raise BalancerError(f"assets prefix {prefix!r}: a path such as /static/ is needed")
        if held(routing, warm).app == app and warm != slot:
            fallback[f"{app}:{prefix}"] = warm
    return replace(routing, serving={**routing.serving, app: slot}, assets=fallback)


def claimed(routing: Routing, app: str, route: Route) -> Routing:
    """With the hosts and the path of `route` led to the app, and no others any longer."""
    routes = {key: owner for key, owner in routing.routes.items() if owner != app}
    for key in _keys(app, route):
        if key in routes:
            raise BalancerError(
                f"{key} belongs to the app {routes[key]!r} already, {app!r} can't have it",
                hint=f"Give one of them another host or path: [route.{app}] in environment.toml.",
            )
        routes[key] = app
    return replace(routing, routes=routes)


def cleared(routing: Routing, slot: str) -> Routing:
    """With the slot free again; refused while it serves."""
    for app, serving in routing.serving.items():
        if serving == slot:
            raise BalancerError(f"{slot} serves {app}; traffic has to go elsewhere first")
    return replace(
        routing,
        slots={name: fleet for name, fleet in routing.slots.items() if name != slot},
        assets={key: warm for key, warm in routing.assets.items() if warm != slot},
    )


def withdrawn(routing: Routing, app: str) -> Routing:
    """With no fleet for the app's requests: they get the balancer's own page, or another app's."""
    return replace(
        routing,
        serving=without(routing.serving, app),
        routes={key: owner for key, owner in routing.routes.items() if owner != app},
        assets=_without_app(routing.assets, app),
        holds=without(routing.holds, app),
        closed=without(routing.closed, app),
    )


def held(routing: Routing, slot: str) -> Slot:
    if slot not in routing.slots:
        full = ", ".join(sorted(routing.slots)) or "none"
        raise BalancerError(f"{slot} is empty; slots with a fleet: {full}")
    return routing.slots[slot]


def _free_slot(routing: Routing) -> int:
    for step in range(1, SLOTS + 1):
        number = (routing.last + step) % SLOTS
        if slot_name(number) not in routing.slots:
            return number
    raise BalancerError(
        f"all {SLOTS} slots hold a fleet", hint="Retire releases that are kept warm."
    )


def _keys(app: str, route: Route) -> list[str]:
    """A key for each host: `host/path/`. The last slash keeps /shop apart from /shopping."""
    if not _PATH.fullmatch(route.path) or "?" in route.path:
        raise BalancerError(f"route of {app}: path {route.path!r} is no path such as /shop")
    path = "/" + route.path.strip("/") + "/" if route.path.strip("/") else "/"
    hosts = [host.lower().rstrip(".") for host in route.hosts or (EVERY_HOST,)]
    for host in hosts:
        if host != EVERY_HOST and not _HOST.fullmatch(host):
            raise BalancerError(f"route of {app}: {host!r} is no host name")
    return [host + path for host in hosts]


def without(of_apps: Mapping[str, T], app: str) -> dict[str, T]:
    return {name: value for name, value in of_apps.items() if name != app}


def _without_app(assets: Mapping[str, str], app: str) -> dict[str, str]:
    return {key: slot for key, slot in assets.items() if not key.startswith(f"{app}:")}


def _check_address(name: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        usable = port.isascii() and port.isdigit() and 0 < int(port) < 2**16
    except ValueError:
        usable = False
    if not usable:
        raise BalancerError(f"machine {name}: {address!r} is not an IP address with a port")
