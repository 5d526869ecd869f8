"""An environment's gateway: what keeps its tunnel, and what others need to know of it."""

import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dayfly.command import output_of, start_detached
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home, environment_id
from dayfly.environment import supervised, units
from dayfly.errors import DayflyError
from dayfly.tunnel.place import Place
from dayfly.tunnel.problem import UnseenError
from dayfly.tunnel.status import at_a_glance, problem_of

MODULE = "dayfly.tunnel.keeper"


def start_keeper(home: Home, *, systemd: bool) -> None:
    """By itself, or as a unit of systemd that is there again after a boot.

    The unit's takes over from one that runs already: what stands goes on.
    """
    if systemd or (units.runs() and _unit(home).exists()):
        place = Place(home.tunnel)
        before = place.keeper()
        _start_units(home, place)  # where this fails nobody was sent away; it waits for its turn
        if before not in {None, _main_pid(home)}:
            from dayfly.tunnel import lifetime  # noqa: PLC0415 - heavy, and only an end needs it

            lifetime.relieve(place, before)
        return
    argv = [sys.executable, "-m", MODULE, str(home.path)]
    start_detached(argv, output=home.tunnel / "keeper.log")


def _start_units(home: Home, place: Place) -> None:
    """Never anew: a unit that is stopped takes its tunnel down."""
    service, env_id = supervised.tunnel(Path(sys.executable), home.path), environment_id(home)
    env = {"DAYFLY_HOME": str(home.path)}
    guard = supervised.guard(home.path, env_id, place.closed)
    units.start({**guard, **supervised.systemd_units([service], env_id, env)})


def _main_pid(home: Home) -> int:
    return int(output_of(["systemctl", "show", "-p", "MainPID", "--value", _unit(home).name]))


def _stop_unit(home: Home, *, closed: bool) -> None:
    """Where there is one; it does not come back at boot, but for what is to stay closed."""
    names = (supervised.TUNNEL,) if closed else (supervised.TUNNEL, supervised.GUARD)
    if home.id_file.exists():
        units.stop(home, names)
        units.remove(home, names)


def end(home: Home, *, closed: bool = False) -> bool:
    """Whether there was a tunnel. Routes and firewall are as before, but for what is `closed`."""
    from dayfly.tunnel import lifetime  # noqa: PLC0415 - heavy, and only an end needs it

    place = Place(home.tunnel)
    with place.changing() if place.folder.exists() else nullcontext():
        _stop_unit(home, closed=closed)
        return lifetime.take_down(place, closed=closed)


def missing(home: Home, settings: Settings) -> str:
    """Why a tunnel that releases require is not established; empty where none is missing."""
    required = settings.tunnel is not None and settings.tunnel.required
    return problem_of(home) if required else ""


def state(home: Home, settings: Settings) -> dict[str, Any] | None:
    """As `dayfly status` tells it, where one is declared."""
    if settings.tunnel is None:
        return None
    to = settings.tunnel.there
    try:
        found = at_a_glance(home)
    except UnseenError as error:
        return {"state": "unknown", "to": to, "problems": [error.message]}
    except DayflyError as error:
        return {"state": "down", "to": to, "problems": [error.message]}
    return {
        "state": "up" if found.is_up else "down",
        "to": to,
        "problems": [] if found.is_up else [found.reason],
        "round_trip": found.round_trip,
        "connections": [asdict(each) for each in found.connections],
    }


def _unit(home: Home) -> Path:
    return units.UNITS / supervised.unit_name(environment_id(home), supervised.TUNNEL)
