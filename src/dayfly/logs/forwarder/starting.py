"""What the forwarder's own process is started with: one file that its starter writes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dayfly.durable import FileError, translated
from dayfly.logs.forwarder.hiding import Hiding
from dayfly.logs.forwarder.ledger import Full
from dayfly.logs.forwarder.settings import GB, PARTIAL_SECONDS, Reading, Spooling
from dayfly.logs.forwarder.stamps import Described, Stamps, Watch
from dayfly.stored import read_json

SETTINGS = "forwarder.json"
# Of a machine, in the folder of its output:
OUTPUT = "output.log"
MACHINE = ".machine.json"  # what it is; what has none waits
ENDED = ".ended"  # a file that is there once nothing more will be written
_WILD = frozenset("*?[")


@dataclass(frozen=True, kw_only=True)
class Machine:
    app: str = ""
    release: int = 0
    process: str = ""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files by their path, which may have wildcards."""

    path: str
    stamps: Stamps = field(default_factory=Stamps)


@dataclass(frozen=True, kw_only=True)
class Settings:
    url: str
    token_file: str = ""
    host: str = ""
    output: str = ""  # the folder with a folder of each machine; those not described wait
    files: tuple[Files, ...] = ()
    limit: int = 2 * GB
    full: Full = "block"
    zone: str = "UTC"
    parse: bool = True
    secrets: str = ""  # the folder of secrets that are taken out of records
    partial_seconds: float = PARTIAL_SECONDS
    journal: bool = False  # read systemd's, too
    journals: str = ""  # a folder of journals instead of the system's own

    def token(self) -> str:
        if not self.token_file:
            return ""
        with translated(Path(self.token_file)):
            return Path(self.token_file).read_text().strip()

    def spooling(self, folder: Path) -> Spooling:
        return Spooling(folder=folder, limit=self.limit, full=self.full)

    def reading(self) -> Reading:
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise FileError(f"{SETTINGS}: zone: {self.zone!r} is no time zone") from error
        reading = Reading(zone=zone, parse=self.parse, partial_seconds=self.partial_seconds)
        if not self.secrets:
            return reading
        return replace(reading, redactor=Hiding(Path(self.secrets)).of)

    def watches(self) -> tuple[Watch, ...]:
        found = [_watch(files, self.host) for files in self.files]
        if self.output:
            machines = Machines(Path(self.output), self.host)
            patterns = (f"*/{OUTPUT}", "*/files/**/*")
            found += [
                Watch(root=Path(self.output), pattern=pattern, describe=machines.describe)
                for pattern in patterns
            ]
        return tuple(found)


def load(folder: Path) -> Settings:
    return read_json(folder / SETTINGS, Settings)


@dataclass
class Machines:
    """Stamps of machines' files, from what lies beside them."""

    output: Path
    host: str
    _known: dict[str, Machine] = field(default_factory=dict)

    def describe(self, path: Path) -> Described | None:
        """`output.log` is what a machine said; others are named as in the machine."""
        name, *inside = path.relative_to(self.output).parts
        machine = self._known.get(name) or self._machine(name)
        if machine is None:
            return None
        stamps = Stamps(
            app=machine.app,
            release=machine.release,
            machine=name,
            host=self.host,
            process=machine.process,
            stream="stdout" if inside == [OUTPUT] else "/".join(inside[1:]),
        )
        return Described(stamps=stamps, ended=(self.output / name / ENDED).exists())

    def _machine(self, name: str) -> Machine | None:
        path = self.output / name / MACHINE
        if not path.exists():
            return None
        self._known[name] = read_json(path, Machine)
        return self._known[name]


def _watch(files: Files, host: str) -> Watch:
    """The wildcards begin below the folder that is named without any."""
    path = Path(files.path).absolute()
    parts = path.parts
    wild = next((at for at, part in enumerate(parts) if _WILD & set(part)), len(parts) - 1)
    return Watch(
        root=Path(*parts[:wild]),
        pattern="/".join(parts[wild:]),
        describe=_always(files.stamps, host),
    )


def _always(stamps: Stamps, host: str) -> Callable[[Path], Described]:
    """A file names its stream by its own name where nobody names it."""

    def describe(path: Path) -> Described:
        own = replace(stamps, host=stamps.host or host, stream=stamps.stream or path.name)
        return Described(stamps=own)

    return describe
