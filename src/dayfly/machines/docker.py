"""Machines as containers of a Docker Engine."""

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dayfly.clock import Stop
from dayfly.images.exported import contents_of_container
from dayfly.images.image import Image
from dayfly.machines import container, proc, workdir
from dayfly.machines.bounds import bounds_of
from dayfly.machines.cgroup import beside
from dayfly.machines.container import GIVEN, INSIDE, LABEL, Mount, Network, Seen, container_name
from dayfly.machines.ending import NEVER_STARTED
from dayfly.machines.engine import CONFLICT, NOT_FOUND, Engine, EngineError
from dayfly.machines.folder import Folders, Record, foreign_errors
from dayfly.machines.imagefiles import ImageFiles
from dayfly.machines.intent import intend
from dayfly.machines.launchfile import TMPFS, launch_text
from dayfly.machines.machine import Fingerprint, Machine, MachineError, Spec, Usage
from dayfly.machines.oneoff import run_to_end
from dayfly.machines.ports import Ports

INIT = ("/sbin/docker-init", "/usr/sbin/docker-init")  # the engine's own, in every container
MARGIN = 30.0  # seconds for the engine itself
SURROUNDINGS = {"HOME": "/tmp"}  # noqa: S108 - the only place that every image lets be written


@dataclass(frozen=True)
class DockerRuntime:
    """One contract for all runtimes: see `machine.Runtime`. The image is one of the engine's."""

    home: Path
    environment: str
    network: Network = "host"
    tmpfs: Path = TMPFS
    engine: Engine = field(default_factory=Engine)
    name: str = field(default="docker", init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return ("not root: all containers run under this user, whatever their image says",)
        return ()

    def launch(self, spec: Spec) -> Machine:
        with foreign_errors(spec.name):
            bridged = spec.port and self._network_of(spec) == "bridge"
            own = f":{container.BRIDGE_PORT}" if bridged else None
            record = intend(spec, self._folders, self._ports, own_address=own)
            with self._removed_on_failure(spec.name):
                self._start(spec, record)
        found = self.observe(spec.name)
        if found is None:
            raise MachineError(f"{spec.name} vanished while it was started; who removed it?")
        return found

    def machines(self) -> tuple[Machine, ...]:
        filters = json.dumps(container.labels_filter(self.environment))
        listed = self.engine.get("/containers/json", all="1", filters=filters)
        containers = {each["Labels"][f"{LABEL}machine"]: each for each in listed}
        records = {record.name: record for record in self._folders.records()}
        records |= {
            name: container.record_of(each)
            for name, each in containers.items()
            if name not in records
        }
        found = (
            _machine(record, self._seen(name, containers.get(name)))
            for name, record in records.items()
        )
        return tuple(sorted(found, key=lambda machine: machine.started))

    def observe(self, name: str) -> Machine | None:
        record = self._folders.record(name)
        return _machine(record, self._seen(name, None)) if record else None

    def pause(self, name: str) -> None:
        found = self._inspect(name)
        if found and found["State"]["Status"] == "running":
            self._tell(name, "pause")

    def resume(self, name: str) -> None:
        found = self._inspect(name)
        if found and found["State"]["Paused"]:
            self._tell(name, "unpause")

    def stop(self, name: str, grace: float) -> None:
        if self._inspect(name):
            self.resume(name)
            path = f"/containers/{self._container(name)}/stop"
            self.engine.post(path, seconds=grace + MARGIN, t=math.ceil(grace))

    def remove(self, name: str) -> None:
        if self._folders.is_foreign(name):
            return
        if self._inspect(name):
            self.engine.delete(f"/containers/{self._container(name)}", force="1", v="1")
        with foreign_errors(name):
            self._ports.free(name)
            self._folders.remove(name)

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
        first = self._first(name)  # the engine takes a second to tell the same
        pids = (beside(first) if first else ()) or self.pids(name)
        return Usage(memory=proc.memory_of(pids), cpu=proc.cpu_of(pids)) if pids else None

    def fingerprint(
        self,
        name: str,
        image: Image,  # noqa: ARG002 - its files are in the machine's own root file system
        mutable: Sequence[str],
    ) -> Fingerprint:
        found = self._inspect(name)
        if found is None:
            raise MachineError(f"{name} is gone")
        mounted = (str(each["Destination"]) for each in found["Mounts"])
        own = (str(PurePosixPath(found["Config"]["WorkingDir"] or "/", path)) for path in mutable)
        return Fingerprint(
            contents=contents_of_container(self._container(name)),
            bounds=bounds_of(self.pids(name), name),
            outside=tuple(path.lstrip("/") for path in (*mounted, *own, *INIT)),
            given=GIVEN,
        )

    def pids(self, name: str) -> tuple[int, ...]:
        """All descend from the container's first process, which adopts what is orphaned."""
        first = self._first(name)
        return proc.descendants(first, proc.facts()) if first else ()

    def _first(self, name: str) -> int:
        """The pid of its first process; 0 where it does not run."""
        found = self._inspect(name)
        return int(found["State"]["Pid"]) if found else 0

    @property
    def _folders(self) -> Folders:
        return Folders(self.home, self.environment, self.tmpfs)

    @property
    def _ports(self) -> Ports:
        return Ports(self.environment)

    def _container(self, name: str) -> str:
        return container_name(self.environment, name)

    def _inspect(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """None where there is no such container, or one that isn't this environment's."""
        try:
            found = self.engine.get(f"/containers/{self._container(name)}/json")
        except EngineError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        mine = found["Config"]["Labels"].get(LABEL + "environment") == self.environment
        return found if mine else None

    def _tell(self, name: str, word: str) -> None:
        """One that ended or was told the same meanwhile is no error."""
        try:
            self.engine.post(f"/containers/{self._container(name)}/{word}")
        except EngineError as error:
            if error.status not in {NOT_FOUND, CONFLICT}:
                raise

    def _start(self, spec: Spec, record: Record) -> None:
        body = container.description(
            spec,
            labels=container.labels(spec, self.environment, record.address),
            mounts=self._mounts(spec, record),
            network=self._network_of(spec),
            user=None if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}",
        )
        created = self.engine.post("/containers/create", body, name=self._container(spec.name))
        self.engine.post(f"/containers/{created['Id']}/start")

    def _network_of(self, spec: Spec) -> Network:
        return "host" if spec.loopback else self.network

    def _mounts(self, spec: Spec, record: Record) -> tuple[Mount, ...]:
        config = self._image_config(spec)
        image = ImageFiles(self.engine, spec.image.reference, config.get("WorkingDir", ""))
        uid = image.uid(config.get("User", "")) if os.geteuid() == 0 else None
        logs = self._folders.open_output(spec, uid)
        for directory in spec.keep.values():
            workdir.give_folder(directory, uid)
        own = image.copy(spec.writable, self._folders.of(spec.name) / "writable", uid)
        places = {**own, **logs, **spec.keep}
        app = tuple(
            Mount(source=source, target=image.inside(workdir.checked(path)))
            for path, source in places.items()
        )
        return (*self._own_mounts(spec, record, uid), *app)

    def _image_config(self, spec: Spec) -> Any:  # noqa: ANN401 - JSON
        try:
            return self.engine.get(f"/images/{spec.image.reference}/json")["Config"]
        except EngineError as error:
            if error.status != NOT_FOUND:
                raise
            raise MachineError(
                f"the image of {spec.name} is gone: Docker has no {spec.image.reference}",
                hint="Release the commit again; that builds it.",
            ) from error

    def _own_mounts(self, spec: Spec, record: Record, uid: int | None) -> tuple[Mount, ...]:
        text = launch_text(spec, self.environment, port=record.port, extra=SURROUNDINGS)
        launch = self._folders.write_launch(spec, text, uid)
        shim, output = self._folders.of(spec.name) / "shim", self.output(spec.name) / "output.log"
        return (
            Mount(source=shim, target=f"{INSIDE}/shim", read_only=True),
            Mount(source=launch, target=f"{INSIDE}/launch", read_only=True),
            Mount(source=output, target=f"{INSIDE}/output.log"),
        )

    def _seen(self, name: str, listed: Any) -> Seen:  # noqa: ANN401 - JSON
        if listed and (running := container.seen_in_list(listed)):
            return running
        found = self._inspect(name)
        return container.seen(found) if found else Seen(running=False, reason=NEVER_STARTED)

    @contextmanager
    def _removed_on_failure(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, MachineError):
            self.remove(name)
            raise


def _machine(record: Record, seen: Seen) -> Machine:
    """With a network of its own a container's address is known once it runs."""
    address = record.address
    return Machine(
        name=record.name,
        app=record.app,
        release=record.release,
        process=record.process,
        kind=record.kind,
        address=f"{seen.ip}{address}" if address and address.startswith(":") else address,
        state="running" if seen.running else "exited",
        status=seen.status,
        reason=seen.reason,
        started=record.created,
        paused=seen.paused,
    )
