"""Machines as processes of this host: own session, folder, port, user and cgroup."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, start_detached
from dayfly.images.image import Image
from dayfly.images.tree import contents_of
from dayfly.machines import proc, workdir
from dayfly.machines.bounds import bounds_of, without
from dayfly.machines.cgroup import Cgroups
from dayfly.machines.folder import Folders, Record, foreign_errors
from dayfly.machines.intent import intend
from dayfly.machines.launchfile import TMPFS, launch_text
from dayfly.machines.machine import Fingerprint, Machine, MachineError, Spec, Usage
from dayfly.machines.oneoff import run_to_end
from dayfly.machines.ports import Ports
from dayfly.machines.session import Session
from dayfly.machines.uids import require_reach, uid_for

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ProcessRuntime:
    """One contract for all runtimes: see `machine.Runtime`. The image is a tree: app/ and venv/."""

    home: Path
    environment: str
    tmpfs: Path = TMPFS
    name: str = field(default="process", init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return ("not root: there is no isolation between apps, and no limit is kept",)
        if self._cgroups.version is None:
            return ("no cgroup can be made here: limits of memory and CPU are not kept",)
        return ()

    def launch(self, spec: Spec) -> Machine:
        with foreign_errors(spec.name):
            record = intend(spec, self._folders, self._ports)
            with self._removed_on_failure(spec.name):
                self._start(spec, record)
        return self.observe(spec.name) or _vanished(spec.name)

    def machines(self) -> tuple[Machine, ...]:
        found = (self._observed(record) for record in self._folders.records())
        return tuple(sorted(found, key=lambda machine: machine.started))

    def observe(self, name: str) -> Machine | None:
        record = self._folders.record(name)
        return self._observed(record) if record else None

    def pause(self, name: str) -> None:
        if self._folders.record(name):
            self._session(name).pause()

    def resume(self, name: str) -> None:
        if self._folders.record(name):
            self._session(name).resume()

    def stop(self, name: str, grace: float) -> None:
        """The app's main process hears SIGTERM first, what it leaves behind next."""
        if record := self._folders.record(name):
            self._session(name).end(grace, alone=record.alone)

    def remove(self, name: str) -> None:
        if self._folders.is_foreign(name):
            return
        if self._folders.record(name) is not None:
            self._session(name).kill()
        with foreign_errors(name):
            self._cgroups.remove(name)
            self._ports.free(name)
            self._folders.remove(name)  # last: as long as it is there, a crash leaves no trace

    def run(
        self,
        spec: Spec,
        *,
        on_line: Callable[[str], None],
        stop: Stop | None = None,
        seconds: float | None = None,
    ) -> int:
        return run_to_end(self, spec, on_line, stop, seconds)

    def output(self, name: str) -> Path:
        return self._folders.output(name)

    def forget(self, name: str) -> None:
        shutil.rmtree(self.output(name), ignore_errors=True)

    def usage(self, name: str) -> Usage | None:
        pids = self.pids(name)
        return Usage(memory=proc.memory_of(pids), cpu=proc.cpu_of(pids)) if pids else None

    def fingerprint(self, name: str, image: Image, mutable: Sequence[str]) -> Fingerprint:
        return Fingerprint(
            contents=contents_of(self._folders.of(name) / "app", image),
            bounds=without(bounds_of(self.pids(name), name), self._cgroups.shared(name)),
            outside=tuple(f"app/{path}" for path in mutable),
        )

    def pids(self, name: str) -> tuple[int, ...]:
        return () if self._folders.record(name) is None else self._session(name).pids()

    @property
    def _folders(self) -> Folders:
        return Folders(self.home, self.environment, self.tmpfs)

    @property
    def _cgroups(self) -> Cgroups:
        return Cgroups(self.environment)

    @property
    def _ports(self) -> Ports:
        return Ports(self.environment)

    def _start(self, spec: Spec, record: Record) -> None:
        uid = uid_for(self.home, self.environment, spec.app)
        folder = self._folders.of(spec.name)
        workdir.enclose(folder, uid)
        if not (spec.image.tree / "app").is_dir():
            raise MachineError(
                f"the image of {spec.name} is gone: there is no folder {spec.image.tree}",
                hint="Release the commit again; that builds it.",
            )
        if uid is not None:
            require_reach(folder / "app", uid)
            require_reach(spec.image.tree / "app", uid)
        self._furnish(spec, folder, uid)
        surroundings = _surroundings(spec, folder)
        text = launch_text(spec, self.environment, port=record.port, extra=surroundings)
        launch = self._folders.write_launch(spec, text, uid)
        self._cgroups.create(spec.name, spec.memory, spec.cpus)
        with _gate() as (inside, open_gate):
            pid = self._start_shim(spec.name, launch, inside, uid)
            self._cgroups.add(spec.name, pid)
            self._session(spec.name).record(pid)
            open_gate()

    def _furnish(self, spec: Spec, folder: Path, uid: int | None) -> None:
        logs = self._folders.open_output(spec, uid)
        for directory in spec.keep.values():
            workdir.give_folder(directory, uid)
        linked = {**logs, **spec.keep}
        workdir.lay_out(
            spec.image.tree / "app", folder / "app", linked=linked, writable=spec.writable, uid=uid
        )
        (folder / "tmp").mkdir(mode=0o700)
        workdir.give(folder / "tmp", uid)
        workdir.give(folder / "state", uid)

    def _start_shim(self, name: str, launch: Path, stdin: int, uid: int | None) -> int:
        folder, output = self._folders.of(name), self._folders.output(name) / "output.log"
        argv = ["/bin/sh", folder / "shim", launch, output, folder / "state" / "status"]
        setting = Setting(
            cwd=folder / "app",
            env={"PATH": SYSTEM_PATH, "DAYFLY_GATE": "1"},
            uid=uid,
            stdin=stdin,
            umask=0o022,
        )
        return start_detached([str(word) for word in argv], output=output, setting=setting)

    @contextmanager
    def _removed_on_failure(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, MachineError, CommandError):
            self.remove(name)
            raise

    def _observed(self, record: Record) -> Machine:
        session = self._session(record.name)
        running = session.shim() is not None
        return Machine(
            name=record.name,
            app=record.app,
            release=record.release,
            process=record.process,
            kind=record.kind,
            address=record.address,
            state="running" if running else "exited",
            status=None if running else session.status(),
            reason="" if running else session.reason(),
            started=record.created,
            paused=running and session.paused,
        )

    def _session(self, name: str) -> Session:
        return Session(name, self._folders.of(name), self._cgroups)


def _surroundings(spec: Spec, folder: Path) -> dict[str, str]:
    venv = spec.image.tree / "venv"
    return {
        "PATH": f"{venv / 'bin'}:{SYSTEM_PATH}",
        "VIRTUAL_ENV": str(venv),
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "USER": spec.app,
        "LOGNAME": spec.app,
        "LANG": "C.UTF-8",
    }


@contextmanager
def _gate() -> Iterator[tuple[int, Callable[[], None]]]:
    """A pipe: the shim waits at one end; unless the gate is opened it sees the end and gives up."""
    inside, outside = os.pipe()
    try:
        yield inside, lambda: (os.write(outside, b"go\n"), None)[1]
    finally:
        os.close(inside)
        os.close(outside)


def _vanished(name: str) -> Machine:
    raise MachineError(f"{name} vanished while it was started; who removed it?")
