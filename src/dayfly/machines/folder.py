"""Where a machine keeps what belongs to it: a record of the intent, and output that outlives it.

home/machines/NAME/   machine.json (written first), pid, state/, app/, tmp/, shim: goes with it
home/output/NAME/     output.log and its log files: stays
tmpfs/NAME            identity, settings and secrets: goes with it
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from re import compile as pattern
from typing import Literal, Self

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.logs.forwarder.starting import MACHINE, Machine
from dayfly.machines import collected, launchfile, workdir
from dayfly.machines.collected import Collected
from dayfly.machines.machine import MachineError, Spec
from dayfly.machines.script import script_of

NAME = pattern(r"[a-z0-9][a-z0-9_.-]{0,100}")
RECORD = "machine.json"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was intended, without settings and secrets."""

    environment: str
    name: str
    app: str
    release: int
    process: str
    kind: Literal["process", "job"]
    address: str | None
    alone: bool  # whether its main process alone hears SIGTERM
    created: float  # seconds since the epoch

    @classmethod
    def of(cls, spec: Spec, environment: str, address: str | None) -> Self:
        return cls(
            environment=environment,
            name=spec.name,
            app=spec.app,
            release=spec.release,
            process=spec.process,
            kind=spec.kind,
            address=address,
            alone=script_of(spec.run).alone,
            created=time.time(),
        )

    @property
    def port(self) -> int | None:
        return int(self.address.rsplit(":", 1)[1]) if self.address else None


@dataclass(frozen=True)
class Folders:
    """All machines of one environment, as far as files tell."""

    home: Path
    environment: str
    tmpfs: Path = launchfile.TMPFS

    def of(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise MachineError(f"{name!r} can't be the name of a machine")
        return self.home / "machines" / name

    def output(self, name: str) -> Path:
        return self.home / "output" / self.of(name).name

    def launch_file(self, name: str) -> Path:
        return launchfile.secret_folder(self.tmpfs, self.environment) / name

    def require_new(self, name: str) -> None:
        if self.of(name).exists():
            raise MachineError(f"a machine named {name} exists already")

    def create(self, record: Record) -> None:
        """A folder that appears together with its record, or not at all."""
        folder = self.of(record.name)
        fresh = _fresh(folder)
        workdir.discard(fresh)
        shim = resources.files("dayfly.machines").joinpath("shim.sh").read_bytes()
        try:
            (fresh / "state").mkdir(parents=True)
            (fresh / RECORD).write_bytes(msgspec.json.encode(record))
            (fresh / "shim").write_bytes(shim)
            fresh.rename(folder)
        except OSError:
            workdir.discard(fresh)
            raise

    def records(self) -> Iterator[Record]:
        """Of this environment only."""
        with suppress(FileNotFoundError), os.scandir(self.home / "machines") as entries:
            for entry in entries:
                if not entry.name.startswith(".") and (found := self.record(entry.name)):
                    yield found

    def is_foreign(self, name: str) -> bool:
        """Whether another environment has a machine of that name here."""
        return (self.of(name) / RECORD).exists() and self.record(name) is None

    def record(self, name: str) -> Record | None:
        try:
            found = typed.decode((self.of(name) / RECORD).read_bytes(), Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return found if found.environment == self.environment else None

    def open_output(self, spec: Spec, uid: int | None) -> dict[str, Path]:
        """Make the output's folder; returns where the places of logs and collected files lead.

        The folder itself stays ours, so that a machine can't put a link in the output's place.
        """
        folder = self.output(spec.name)
        folder.mkdir(parents=True, exist_ok=True)
        workdir.enclose(folder, uid)
        if spec.logged:
            told = Machine(app=spec.app, release=spec.release, process=spec.process)
            write_atomically(folder / MACHINE, msgspec.json.encode(told))
            self._tell_collected(spec, folder)
        (folder / "output.log").touch(mode=0o640)
        workdir.give(folder / "output.log", uid)
        places = {place: folder / "files" / place for place in workdir.log_places(spec.log_files)}
        for place, target in places.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            if place in spec.log_files:
                target.touch()
            else:
                target.mkdir(exist_ok=True)
            workdir.give(target, uid)
        for place in workdir.log_places(spec.collect.places):
            places[place] = folder / collected.FOLDER / place
            places[place].mkdir(parents=True, exist_ok=True)
            workdir.give(places[place], uid)
        return places

    def _tell_collected(self, spec: Spec, folder: Path) -> None:
        if spec.collect.places:
            wanted = Collected(
                bucket=spec.collect.bucket,
                places=spec.collect.places,
                app=spec.app,
                release=spec.release,
                process=spec.process,
                job=spec.kind == "job",
            )
            write_atomically(folder / collected.TOLD, collected.encoded(wanted))

    def write_launch(self, spec: Spec, text: str, uid: int | None) -> Path:
        path = self.launch_file(spec.name)
        path.unlink(missing_ok=True)
        launchfile.write_private(path, text, uid)
        return path

    def remove(self, name: str) -> None:
        """All but the output, from which links and other things a log never is are taken.

        Also what a crash left of a machine that was only begun.
        """
        self.launch_file(name).unlink(missing_ok=True)
        with suppress(OSError):  # the secrets of other machines are in it
            self.launch_file(name).parent.rmdir()
        for at, folders, files in os.walk(self.output(name)):
            for each in (Path(at, entry) for entry in [*folders, *files]):
                if each.is_symlink() or not (each.is_file() or each.is_dir()):
                    each.unlink(missing_ok=True)
        folder = self.of(name)
        with suppress(FileNotFoundError):
            for entry in folder.iterdir():
                if entry.name != RECORD:  # last, so that what a crash leaves is found again
                    workdir.discard(entry)
        workdir.discard(folder)
        workdir.discard(_fresh(folder))


def _fresh(folder: Path) -> Path:
    """Where a machine's folder is made."""
    return folder.with_name(f".{folder.name}")


@contextmanager
def foreign_errors(name: str) -> Iterator[None]:
    """Of the file system, in words for a person."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise MachineError(f"{name}: {error.strerror or error}{where}") from error
