"""A machine's cgroup, where root may make one: limits, all of its processes, and their end."""

import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import DeadlineError, wait_until
from dayfly.machines.freezer import Freezer
from dayfly.machines.machine import MachineError
from dayfly.machines.proc import PROC

ROOT = Path("/sys/fs/cgroup")
PIDS = 4096  # processes and threads of one machine
PERIOD = 100_000  # microseconds in which a share of CPU is measured
PATIENCE = 5.0  # seconds for the kernel to take an ended process out
POLL = 0.005
CONTROLLERS = ("pids", "memory", "cpu", "freezer")
# A cgroup weighs as much as one ordinary process, however many run in it. So machines are put under
# the CPU controller only for a limit's sake, and then the group that holds them all weighs more.
WEIGHT = {"cpu.shares": "16384", "cpu.weight": "1600"}

Files = Mapping[str, str]


def limits(version: int, memory: int | None, cpus: float | None) -> dict[str, Files]:
    """For each controller the files to write. Where swap can't be limited it isn't."""
    quota = None if cpus is None else max(1000, int(cpus * PERIOD))
    if version == 1:
        return {
            "pids": {"pids.max": str(PIDS)},
            "freezer": {},
            "memory": {}
            if memory is None
            else {"memory.limit_in_bytes": str(memory), "memory.memsw.limit_in_bytes": str(memory)},
            "cpu": {}
            if quota is None
            else {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(quota)},
        }
    return {
        "pids": {"pids.max": str(PIDS)},
        "memory": {}
        if memory is None
        else {"memory.max": str(memory), "memory.swap.max": "0", "memory.oom.group": "0"},
        "cpu": {} if quota is None else {"cpu.max": f"{quota} {PERIOD}"},
    }


@dataclass(frozen=True)
class Cgroups:
    """The cgroups of one environment. Without any, machines run without limits."""

    environment: str
    root: Path = ROOT

    @property
    def version(self) -> int | None:
        """2 for the unified hierarchy, 1 for one per controller, None where we may make none."""
        if os.geteuid() != 0:
            return None
        if (self.root / "cgroup.controllers").exists():
            return 2 if os.access(self.root, os.W_OK) else None
        return 1 if os.access(self.root / "pids", os.W_OK) else None

    def folders(self, machine: str) -> dict[str, Path]:
        """Of each controller; with version 2 all are one folder."""
        name = Path(f"dayfly-{self.environment}", machine)
        match self.version:
            case 2:
                return {"": self.root / name}
            case 1:
                return {
                    controller: self.root / controller / name
                    for controller in CONTROLLERS
                    if (self.root / controller).is_dir()
                }
        return {}

    def create(self, machine: str, memory: int | None, cpus: float | None) -> None:
        wanted = limits(self.version or 2, memory, cpus)
        for controller, folder in self.folders(machine).items():
            if controller == "cpu" and cpus is None:
                continue
            try:
                folder.mkdir(parents=True)
                if not controller:
                    _delegate(folder.parent, [name for name in wanted if name != "cpu" or cpus])
                if cpus is not None:
                    _write(folder.parent, WEIGHT)
                names = [controller] if controller else list(wanted)
                _write(
                    folder, {file: text for name in names for file, text in wanted[name].items()}
                )
            except OSError as error:
                raise MachineError(f"the limits of {machine}: {error}") from error

    def shared(self, machine: str) -> tuple[str, ...]:
        """The controllers for which it has no group of its own."""
        folders = {name: at for name, at in self.folders(machine).items() if at.exists()}
        return () if "" in folders else tuple(name for name in CONTROLLERS if name not in folders)

    def add(self, machine: str, pid: int) -> None:
        for folder in self.folders(machine).values():
            if folder.exists():
                (folder / "cgroup.procs").write_text(str(pid))

    def pids(self, machine: str) -> tuple[int, ...]:
        for folder in self.folders(machine).values():
            with suppress(OSError):
                return tuple(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
        return ()

    def out_of_memory(self, machine: str) -> bool:
        """Whether the kernel ever killed one of its processes for want of memory."""
        for folder in self.folders(machine).values():
            for file in ("memory.oom_control", "memory.events"):
                with suppress(OSError):
                    lines = (folder / file).read_text().splitlines()
                    if any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in lines):
                        return True
        return False

    def freezer(self, machine: str) -> Freezer | None:
        """None where the machine has no cgroup that can freeze it."""
        found = (Freezer(folder) for folder in self.folders(machine).values())
        return next((each for each in found if each.there), None)

    def kill(self, machine: str) -> None:
        """SIGKILL for every process, those that fork meanwhile included."""
        with suppress(OSError):
            for folder in self.folders(machine).values():
                if (folder / "pids.max").exists():
                    (folder / "pids.max").write_text("0")
        wait_until(
            lambda: not self._killed(machine),
            seconds=PATIENCE,
            what=f"the end of {machine}'s processes",
            poll=POLL,
        )

    def _killed(self, machine: str) -> tuple[int, ...]:
        pids = self.pids(machine)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def remove(self, machine: str) -> None:
        for folder in self.folders(machine).values():
            _remove(folder)
            with suppress(OSError):  # other machines are in it
                folder.parent.rmdir()


def beside(pid: int, root: Path = ROOT) -> tuple[int, ...]:
    """All that is in the cgroup of a process of this host; empty where that is not to be told."""
    with suppress(OSError):
        for line in (PROC / str(pid) / "cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if (
                path == "/"
                or ".." in path
                or (controllers and "pids" not in controllers.split(","))
            ):
                continue
            with suppress(OSError):
                procs = root / ("pids" if controllers else "") / path.lstrip("/") / "cgroup.procs"
                if pid in (found := tuple(map(int, procs.read_text().split()))):
                    return found
    return ()


def _delegate(folder: Path, controllers: Iterable[str]) -> None:
    """Let the machines below have these controllers, as far as the host has them."""
    for parent in (folder.parent, folder):
        for controller in controllers:
            with suppress(OSError):
                (parent / "cgroup.subtree_control").write_text(f"+{controller}")


def _write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        if (folder / name).exists():
            (folder / name).write_text(text)


def _remove(folder: Path) -> None:
    """A cgroup can be busy for a moment after its last process ended."""
    with suppress(DeadlineError):
        wait_until(lambda: _gone(folder), seconds=PATIENCE, what=str(folder), poll=POLL)


def _gone(folder: Path) -> bool:
    with suppress(OSError):
        folder.rmdir()
    return not folder.exists()
