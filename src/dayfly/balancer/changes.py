"""Decides which commands lead a running HAProxy from what it does to what is intended."""

from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.balancer.observed import Observed, ObservedServer
from dayfly.balancer.render import (
    ASSETS,
    CHECKS,
    CLOSED,
    HOLDS,
    NAMES,
    ROUTES,
    SERVING,
    add_server,
    maps,
)
from dayfly.balancer.routing import Routing, Server

Maps = Mapping[str, Mapping[str, str]]  # file → entries


@dataclass(frozen=True)
class Command:
    """One line for the stats socket, and a word of its good answer ("" for silence)."""

    text: str
    answer: str = ""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Servers come before the map that names them; they go when no map names them any more.

    What keeps requests away comes first and goes last: then they meet all the rest as it should be.
    """

    before: tuple[str, ...] = ()  # servers to remove first: the name returns with another address
    commands: tuple[Command, ...] = ()
    after: tuple[str, ...] = ()  # servers to remove, as slot/name

    @property
    def none(self) -> bool:
        return not (self.before or self.commands or self.after)


def changes(routing: Routing, observed: Observed) -> Changes:
    there = _by_slot_and_name(observed.servers)
    wanted = {
        f"{slot}/{server.name}": (slot, server)
        for slot, fleet in routing.slots.items()
        for server in fleet.servers
    }
    moved = [
        key
        for key, (_, server) in wanted.items()
        if key in there and not _same_address(there[key], server)
    ]
    intended = maps(routing)
    return Changes(
        before=tuple(moved),
        commands=(
            *_map_additions(CLOSED, intended, observed),
            *_map_additions(HOLDS, intended, observed),
            *_map_changes(CHECKS, intended, observed),
            *_map_changes(NAMES, intended, observed),
            *_server_changes(wanted, {key: there[key] for key in there if key not in moved}),
            *_map_changes(ROUTES, intended, observed),
            *_map_changes(ASSETS, intended, observed),
            *_map_changes(SERVING, intended, observed),
            *_map_removals(HOLDS, intended, observed),
            *_map_removals(CLOSED, intended, observed),
        ),
        after=tuple(key for key in there if key not in wanted),
    )


def _server_changes(
    wanted: Mapping[str, tuple[str, Server]], there: Mapping[str, ObservedServer]
) -> list[Command]:
    commands: list[Command] = []
    for key, (slot, server) in wanted.items():
        if key not in there:
            commands.append(Command(add_server(slot, server), "New server registered"))
        if key not in there or not there[key].ready:
            commands += [Command(f"enable health {key}"), Command(f"enable server {key}")]
    return commands


def _map_changes(name: str, intended: Maps, observed: Observed) -> list[Command]:
    return [
        *_map_additions(name, intended, observed),
        *_map_removals(name, intended, observed),
    ]


def _map_additions(name: str, intended: Maps, observed: Observed) -> list[Command]:
    there = observed.maps.get(name, {})
    return [
        Command(f"{'set' if key in there else 'add'} map {name} {key} {value}")
        for key, value in intended[name].items()
        if there.get(key) != value
    ]


def _map_removals(name: str, intended: Maps, observed: Observed) -> list[Command]:
    there = observed.maps.get(name, {})
    return [Command(f"del map {name} {key}") for key in there if key not in intended[name]]


def _by_slot_and_name(
    servers: Mapping[str, tuple[ObservedServer, ...]],
) -> dict[str, ObservedServer]:
    return {f"{slot}/{each.name}": each for slot, found in servers.items() for each in found}


def _same_address(there: ObservedServer, wanted: Server) -> bool:
    return there.address == wanted.address
