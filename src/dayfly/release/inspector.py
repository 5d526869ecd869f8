"""Compares machines that serve with what was built, again and again."""

import time
from collections.abc import Iterator, Mapping
from functools import partial

from dayfly.errors import DayflyError
from dayfly.images.differences import differences
from dayfly.images.image import Image
from dayfly.machines.machine import Fingerprint, Machine
from dayfly.release import drift, fleet
from dayfly.release.drift import Drift
from dayfly.release.engine import Engine
from dayfly.release.work import Parts
from dayfly.rounds import Rounds, Told

ROUND_SECONDS = 5.0  # between two looks at what is due


class Inspector:
    """Each machine is looked at so long after its start, and then as often.

    Reading all files of a machine takes seconds, so this is a thread of its own.
    """

    def __init__(self, parts: Parts, engine: Engine) -> None:
        self._parts = parts
        self._engine = engine
        self._every = float(parts.settings.drift.every)
        self._began = time.time()
        self._looked: dict[str, float] = {}
        self._bounds: dict[str, Mapping[str, str]] = {}
        self._read = set[int]()  # releases whose images are known
        self._found: dict[str, Drift] = {}
        self._told = Told("drift")
        self._rounds = Rounds("drift", min(self._every, ROUND_SECONDS), self.round)

    @property
    def found(self) -> Mapping[str, Drift]:
        """Machines that are not what was built, by name."""
        return self._found.copy()

    @property
    def problems(self) -> dict[str, str]:
        """Why machines of an app could not be compared."""
        told = self._told.problems.copy()
        return {about.partition("/")[0]: problem for about, problem in told.items()}

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        self._rounds.close()

    def round(self) -> None:
        """Look at every machine that is due."""
        machines = {machine.name: machine for machine in serving(self._parts)}
        for known in (self._looked, self._bounds, self._found):
            for name in known.keys() - machines.keys():
                del known[name]
        for about in self._told.problems.keys() - {_about(m) for m in machines.values()}:
            self._told.problems.pop(about, None)
        for machine in machines.values():
            self._told.guard(_about(machine), partial(self._read_image, machine))
        engaged = self._engine.lines.engaged()
        for machine in machines.values():
            last = self._looked.get(machine.name, max(machine.started, self._began))
            if time.time() >= last + self._every and machine.app not in engaged:
                self._rounds.stop.check()
                self._told.guard(_about(machine), partial(self._look, machine))
                self._looked[machine.name] = time.time()

    def _read_image(self, machine: Machine) -> None:
        """Before anybody can have changed it: files of a process are those of its image."""
        if machine.release in self._read:
            return
        image = fleet.image_of(self._parts, self._parts.journal.release(machine.release))
        if image.runtime == "process":
            self._parts.builder.contents(image)
        self._read.add(machine.release)

    def _look(self, machine: Machine) -> None:
        parts = self._parts
        image = fleet.image_of(parts, parts.journal.release(machine.release))
        found = self._print_of(machine, image)
        if found is None:
            return
        self._bounds[machine.name] = found.bounds
        process = _process(machine.name)
        equals = [bounds for name, bounds in self._bounds.items() if _process(name) == process]
        built = parts.builder.contents(image)
        declared = parts.app_of(parts.journal.release(machine.release)).process
        bounds = drift.bounded(found, declared.get(machine.process), equals)
        told = (*drift.compared(built, found), *bounds)
        if not told:
            self._found.pop(machine.name, None)
            return
        changed = {e.name for e in differences(built.whole, parts.builder.read(image).whole)}
        self._found[machine.name] = Drift(
            machine=machine.name,
            process=machine.process,
            differences=told,
            built=any(each.name in changed for each in told),
        )

    def _print_of(self, machine: Machine, image: Image) -> Fingerprint | None:
        """None for one that has ended while it was read."""
        parts = self._parts
        mutable = drift.mutable_of(parts.app_of(parts.journal.release(machine.release)))
        try:
            found = parts.runtime.fingerprint(machine.name, image, mutable)
        except (DayflyError, OSError):
            if self._runs(machine):
                raise
            return None
        return found if self._runs(machine) else None

    def _runs(self, machine: Machine) -> bool:
        return any(each.name == machine.name for each in serving(self._parts))


def serving(parts: Parts) -> Iterator[Machine]:
    """The machines of what serves that run, without its jobs."""
    releases = {app: parts.serving(app) for app in parts.balancer.routing().serving}
    for machine in parts.runtime.machines():
        whole = (machine.kind, machine.state) == ("process", "running")
        if whole and machine.release == releases.get(machine.app):
            yield machine


def _about(machine: Machine) -> str:
    return f"{machine.app}/{machine.name}"


def _process(name: str) -> str:
    """The name of a machine without its place: those that it may be compared with."""
    return name.rpartition("-")[0]
