"""The services of an environment as units of systemd."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dayfly.command import output_of, which
from dayfly.config.home import Home, environment_id
from dayfly.durable import write_atomically
from dayfly.environment import supervised
from dayfly.errors import DayflyError

UNITS = Path("/etc/systemd/system")
RUNS = Path("/run/systemd/system")  # there for as long as systemd is what runs the machine
STOP_SECONDS = 180.0


class NoSystemdError(DayflyError):
    """The services can't run under systemd here."""


def runs() -> bool:
    """In a container its programs may be there, and nobody that they could tell anything."""
    return which("systemctl") is not None and RUNS.is_dir()


def require() -> None:
    """NoSystemdError where nothing can be a unit."""
    if not runs():
        raise NoSystemdError(
            "systemd does not run this machine", hint="The same command without --systemd."
        )


def start(units: Mapping[str, str]) -> None:
    require()
    for name, text in units.items():
        write_atomically(UNITS / name, text, 0o644)
    output_of(["systemctl", "daemon-reload"])
    output_of(["systemctl", "enable", "--now", *units])


def stop(home: Home, names: Sequence[str]) -> None:
    """Where they are installed."""
    if units := _installed(home, names):
        now = ["--now"] if runs() else []
        output_of(["systemctl", "disable", *now, *units], seconds=STOP_SECONDS)


def remove(home: Home, names: Sequence[str]) -> None:
    for unit in _installed(home, names):
        (UNITS / unit).unlink()


def _installed(home: Home, names: Sequence[str]) -> list[str]:
    wanted = [supervised.unit_name(environment_id(home), name) for name in names]
    return [unit for unit in wanted if (UNITS / unit).exists()]
