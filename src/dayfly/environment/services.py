"""Starting and stopping an environment: its services under supervisord or systemd."""

import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from dayfly.clock import DeadlineError, wait_until
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import OWN, Home, create, environment_id
from dayfly.config.inherited import inherited_for_builds
from dayfly.config.load import load_environment
from dayfly.durable import locked
from dayfly.environment import archive, gateway, logstore, supervised, supervising, units
from dayfly.environment.awaited import ServiceError, wait_until_up
from dayfly.environment.certified import certified
from dayfly.environment.declared import settings_of
from dayfly.environment.elsewhere import ask, is_elsewhere
from dayfly.environment.environment import (
    open_balancer,
    open_parts,
    open_runtime,
    shipping_of,
    url_of,
)
from dayfly.environment.shipping import ShippingRuntime
from dayfly.machines.machine import MachineError
from dayfly.release.work import Parts

Say = Callable[[str], None]

SHIPPING_SECONDS = 10.0  # for the last lines of machines, when all goes down
MACHINE_GRACE_SECONDS = 10.0
ENDING_AT_ONCE = 16


def up(home: Home, *, systemd: bool, say: Say) -> str:
    """Start what is not running; returns where the apps answer. Doing it again is no error."""
    if not home.environment_toml.exists():
        say(f"writing {home.environment_toml}: the settings of this environment, all at defaults")
    create(home)
    settings = _in_force(home, settings_of(home), say)
    runtime, _ = open_runtime(home, settings)
    runtime.machines()  # MachineError where nothing can run any
    open_balancer(home, settings).open()
    if not supervising.pids(home, supervised.LOGS):  # one that runs keeps what it was told
        logstore.prepare(home, settings)
    if not supervising.pids(home, supervised.FILES):
        archive.prepare(home, settings)
    if settings.api.tls:
        certified(home, settings.api)
    services = supervised.services(Path(sys.executable), home.path)
    if is_elsewhere(settings):
        ask(home, settings, say)
        services = tuple(each for each in services if each.name != supervised.FILES)
        units.remove(home, [supervised.FILES])
    env = {**inherited_for_builds(), "DAYFLY_HOME": str(home.path)}
    with locked(home.run / "up.lock"):  # one who types it meanwhile finds it started
        if systemd:
            units.start(supervised.systemd_units(services, environment_id(home), env))
        else:
            supervising.start(home, supervised.supervisord(services, home.run), env)
    wait_until_up(home, settings)
    notes = [*runtime.notes, archive.note(home, settings)]
    for note in filter(None, notes):
        say(f"note: {note}")
    return url_of(settings)


def _in_force(home: Home, wanted: Settings, say: Say) -> Settings:
    """A server that runs keeps the settings that it began with."""
    file = home.settings_in_force
    if not supervising.pids(home, supervised.SERVER):
        file.unlink(missing_ok=True)
        return wanted
    found = load_environment(file.read_text(), file=str(file)) if file.exists() else wanted
    if found != wanted:
        say("note: environment.toml has changed; `dayfly down` and `dayfly up` apply it")
    return found


def down(home: Home, *, say: Say) -> None:
    """Stop the services, then the machines, and what takes their last lines in after them.

    Settings, journal, images, kept files and records stay. ServiceError where machines go on: the
    services are stopped all the same.
    """
    _stop_services(home, supervised.BEFORE_MACHINES)
    try:
        machines, waiting = _end_machines(home)
    except MachineError as error:
        told = f"the services are stopped, but machines may go on: {error.message}"
        raise ServiceError(told, hint=f"{error.hint}\nThen again: dayfly down") from error
    finally:
        _stop_services(home, supervised.AFTER_MACHINES)
    say(f"stopped; {machines} machines ended, data stays in {home.path}")
    if waiting:
        say(f"note: the last lines of {waiting} machines wait on disk for the next `dayfly up`")


def _stop_services(home: Home, names: Sequence[str]) -> None:
    """Of whoever looks after them, and those that nobody looks after any more."""
    units.stop(home, names)
    if supervised.LOGS in names:
        supervising.stop(home)
    else:
        supervising.stop_programs(home, names)
    for name in names:
        supervising.end(home, name)


def _end_machines(home: Home) -> tuple[int, int]:
    """How many there were, and of how many the log store does not have all lines."""
    parts = open_parts(home)
    try:
        machines = parts.runtime.machines()
        with ThreadPoolExecutor(ENDING_AT_ONCE) as pool:
            list(pool.map(lambda machine: _end_machine(parts, machine.name), machines))
        return len(machines), _retired(home, shipping_of(parts))
    finally:
        parts.journal.close()


def _retired(home: Home, shipping: ShippingRuntime) -> int:
    """How many machines' lines are not in after a while; where nobody takes them, at once."""

    def done() -> bool:
        shipping.retire()
        return not shipping.waiting

    if logstore.forwarder_runs(home):
        with suppress(DeadlineError):
            wait_until(done, seconds=SHIPPING_SECONDS, what="the log store has the last lines")
    left = len(shipping.waiting)
    shipping.retire_all()
    return left


def _end_machine(parts: Parts, name: str) -> None:
    parts.runtime.stop(name, MACHINE_GRACE_SECONDS)
    parts.runtime.remove(name)
    parts.journal.machine_gone(name, reason="the environment was stopped")


def destroy(home: Home, name: str, *, say: Say) -> None:
    """Remove an environment with all its data; ServiceError when the name is not its name.

    What others put into its home stays, and is named.
    """
    settings = settings_of(home)
    if name != settings.name:
        raise ServiceError(f"this environment is called {settings.name}, not {name}")
    down(home, say=lambda _: None)  # it tells that data stays
    say("services and machines are stopped")
    parts = open_parts(home)
    parts.builder.clear()
    parts.journal.close()
    logstore.let_go(home)
    archive.let_go(home)
    units.remove(home, supervised.BEFORE_MACHINES + supervised.AFTER_MACHINES)
    gateway.end(home)
    for entry in OWN:
        _remove(home.path / entry)
    if is_elsewhere(settings):
        say(f"left alone: the files in {settings.files.store}")
    elif Path(settings.files.store).is_absolute():
        say(f"left alone: the files in {settings.files.store}, a folder of your own")
    left = ", ".join(sorted(path.name for path in home.path.iterdir()))
    if left:
        say(f"left alone in {home.path}, as the environment did not make it: {left}")
    else:
        home.path.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
