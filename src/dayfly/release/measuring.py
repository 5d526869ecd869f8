"""Measures the machines that serve, round by round, for whoever asks how many fit."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dayfly.balancer.observed import Counters
from dayfly.errors import DayflyError
from dayfly.machines.machine import Machine
from dayfly.machines.measured import SHORTEST_SECONDS, Course, Look, Summary
from dayfly.release.inspector import serving
from dayfly.release.work import Parts
from dayfly.rounds import Rounds

ROUND_SECONDS = 15.0
SOON_SECONDS = SHORTEST_SECONDS + 0.1


class Kind(NamedTuple):
    """Machines that are measured together."""

    app: str
    release: int
    process: str


@dataclass(frozen=True)
class Measured:
    kind: Kind
    machines: int
    summary: Summary | None  # None where nothing is measured yet


class Measuring:
    """What is measured is of this server's life: the next one begins anew."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._courses: dict[Kind, Course] = {}
        self._counted: Mapping[str, Counters] = {}
        self._looking = threading.Lock()
        self._rounds = Rounds("measuring", ROUND_SECONDS, self.round)

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        self._rounds.close()

    def round(self) -> None:
        """Look at every machine that serves once; what serves no more is forgotten."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        requests = self._requests()
        found = self._machines()
        courses = {kind: self._courses.get(kind) or Course() for kind in found}
        for kind, machines in found.items():
            told = ((each.name, self._parts.runtime.usage(each.name)) for each in machines)
            usage = {name: used for name, used in told if used}
            got = requests.get((kind.app, kind.release), 0)
            courses[kind].take(Look(at=time.monotonic(), usage=usage), got)
        self._courses = courses

    def measured(self) -> tuple[Measured, ...]:
        """Where something is not measured yet it is now, which takes a second."""
        found = self._told()
        if all(each.summary for each in found):
            return found
        self.round()
        time.sleep(SOON_SECONDS)
        self.round()
        return self._told()

    def _told(self) -> tuple[Measured, ...]:
        courses = self._courses
        return tuple(
            Measured(kind, len(machines), courses[kind].summary(len(machines)))
            if kind in courses
            else Measured(kind, len(machines), None)
            for kind, machines in sorted(self._machines().items())
        )

    def _machines(self) -> dict[Kind, list[Machine]]:
        found = defaultdict[Kind, list[Machine]](list)
        for machine in serving(self._parts):
            found[Kind(machine.app, machine.release, machine.process)].append(machine)
        return dict(found)

    def _requests(self) -> dict[tuple[str, int], int]:
        """By app and release, since the last look; a slot that is new was not looked at yet."""
        try:
            now = self._parts.balancer.counters()
        except DayflyError:
            return {}  # HAProxy is starting again; the next look tells
        before, self._counted = self._counted, now
        slots = self._parts.balancer.routing().slots
        return {
            (slot.app, slot.release): now[name].since(before[name]).requests
            for name, slot in slots.items()
            if name in now and name in before
        }
