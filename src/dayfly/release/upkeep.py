"""Between releases: what serves is kept whole, what is over is taken away.

Once a second: observe, decide (pure, `decide`), act. Releases under way are left to their pipeline.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dayfly.balancer.observed import Sessions
from dayfly.config.app import Release
from dayfly.machines.machine import Machine
from dayfly.release.drift import Drift, History, why_kept
from dayfly.release.records import ReleaseRecord

Deed = Literal[
    "replace",
    "spare",
    "renew",
    "dismiss",
    "keep drifted",
    "launch worker",
    "end worker",
    "end job",
    "finish job",
    "retire",
    "remove",
    "unbridge",
    "go on",
    "contract",
    "open",
]


NO_DRIFT = History(renewed={}, replaced=frozenset(), kept=frozenset())


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One app as it is observed."""

    now: float
    serving: int | None
    busy: frozenset[int] = frozenset()  # releases that an operation has in hand
    outgoing: frozenset[int] = frozenset()  # releases that an operation may go back to
    occupied: frozenset[str] = frozenset()  # machines that somebody else looks after
    records: Mapping[int, ReleaseRecord] = field(default_factory=dict)
    machines: tuple[Machine, ...] = ()
    down: frozenset[str] = frozenset()  # machines that fail their health checks for long
    wanted: Mapping[str, int] = field(default_factory=dict)  # machines by process, when serving
    job_drain: float = 600.0
    deadlines: Mapping[str, float] = field(default_factory=dict)  # of running jobs, by machine
    slots: frozenset[int] = frozenset()  # releases that hold a slot
    unfinished: frozenset[int] = frozenset()  # releases that answer old requests, within budget
    bridges: frozenset[int] = frozenset()  # releases whose bridges stand
    contracts: frozenset[int] = frozenset()  # releases whose contract migrations may be tried now
    engaged: bool = False  # an operation of the app is under way
    due: frozenset[int] = frozenset()  # releases whose window has opened
    closed: bool = False  # nobody is served, and nothing of the app works
    fits: bool = False  # it may be opened: what serves knows the schema
    drifted: Mapping[str, Drift] = field(default_factory=dict)  # machines that are not as built
    history: History = NO_DRIFT  # of what serves
    heal: bool = True  # what drifted is replaced

    @property
    def running(self) -> frozenset[str]:
        """Machines that run, by name."""
        return frozenset(m.name for m in self.machines if m.state == "running")


@dataclass(frozen=True)
class Action:
    deed: Deed
    release: int
    machine: str = ""
    process: str = ""
    why: str = ""


def decide(seen: Seen) -> tuple[Action, ...]:
    """What has to be done for one app now. Acting on it and asking again ends with nothing."""
    actions: list[Action] = []
    for machine in seen.machines:
        if machine.name not in seen.occupied and machine.release not in seen.busy:
            actions += _job(seen, machine) if machine.kind == "job" else _process(seen, machine)
    actions += _spared(seen) + _missing(seen)
    actions += _drifted(seen)
    actions += _over(seen)
    actions += _unneeded(seen)
    actions += _contracted(seen)
    actions += _left_closed(seen)
    actions += [Action("go on", number) for number in sorted(seen.due - seen.busy)]
    return tuple(actions)


def _act(machine: Machine, deed: Deed, why: str = "") -> list[Action]:
    return [Action(deed, machine.release, machine.name, machine.process, why)]


def _job(seen: Seen, machine: Machine) -> list[Action]:
    if machine.state == "exited":
        return _act(machine, "finish job", machine.reason)
    record = seen.records.get(machine.release)
    if record is None:
        return _act(machine, "remove", "nobody knows it")
    if seen.now > seen.deadlines.get(machine.name, float("inf")):
        return _act(machine, "end job", "past its deadline")
    left = record.left_at
    if machine.release != seen.serving and left and seen.now - left > seen.job_drain:
        return _act(machine, "end job", "past job_drain after its release lost the traffic")
    return []


def _process(seen: Seen, machine: Machine) -> list[Action]:
    if machine.release not in seen.records:
        return _act(machine, "remove", "nobody knows it")
    web = machine.process == "web"
    if machine.state == "exited" and machine.name in seen.history.replaced:
        return _act(machine, "remove", "it drifted")
    if machine.state == "exited":
        why = machine.reason or "its process is gone"
        return _act(
            machine, "replace" if web and machine.release == seen.serving else "remove", why
        )
    if machine.release == seen.serving:
        helps = machine.name in seen.down and not _all_down(seen)
        return _act(machine, "replace", "fails its health checks") if helps else []
    if not web:
        return _act(machine, "end worker", "its release no longer serves")
    return []


def _spared(seen: Seen) -> list[Action]:
    """Where something that all machines need is away, fresh ones would fail as well."""
    if seen.serving is None or seen.serving in seen.busy or not _all_down(seen):
        return []
    why = "all machines fail their health checks: replacing them would not help"
    return [Action("spare", seen.serving, process="web", why=why)]


def _all_down(seen: Seen) -> bool:
    """A machine that serves alone says nothing about the others."""
    running = {
        m.name
        for m in seen.machines
        if (m.release, m.process, m.kind, m.state) == (seen.serving, "web", "process", "running")
    }
    return len(running) > 1 and running <= seen.down


def _missing(seen: Seen) -> list[Action]:
    """Machines of the serving release that are not there at all, and workers that ended."""
    if seen.serving is None or seen.serving in seen.busy or seen.closed:
        return []
    actions = []
    for process, count in seen.wanted.items():
        there = [
            m
            for m in seen.machines
            if (m.release, m.process, m.kind) == (seen.serving, process, "process")
            and (process == "web" or m.state == "running")
        ]
        deed: Deed = "replace" if process == "web" else "launch worker"
        missing = count - len(there)
        actions += [Action(deed, seen.serving, "", process, "missing")] * max(missing, 0)
    return actions


def _drifted(seen: Seen) -> list[Action]:
    """One at a time, of a fleet that is whole: a fresh machine comes, then the drifted one goes."""
    if seen.serving is None or seen.serving in seen.busy or seen.engaged or seen.closed:
        return []
    fleet = [m for m in seen.machines if (m.release, m.kind) == (seen.serving, "process")]
    renewed = [m for m in fleet if m.name in seen.history.replaced]
    actions = [
        Action("dismiss", m.release, m.name, m.process, "it drifted")
        for m in renewed
        if m.name not in seen.occupied and m.state == "running"
    ]
    at_rest = not renewed and _whole(seen, fleet)
    for machine in fleet:
        found = seen.drifted.get(machine.name)
        if found is None or machine in renewed or machine.name in seen.occupied:
            continue
        wanted = seen.wanted.get(machine.process, 1)
        why = why_kept(found, seen.history, wanted, heal=seen.heal)
        deed: Deed = "keep drifted" if why else "renew"
        if why or at_rest:
            actions.append(Action(deed, machine.release, machine.name, machine.process, why))
        at_rest = at_rest and bool(why)
    return actions


def _whole(seen: Seen, fleet: Sequence[Machine]) -> bool:
    """Nothing of it is missing, ill, or on its way in or out."""
    names = {machine.name for machine in fleet}
    running = Counter(machine.process for machine in fleet if machine.state == "running")
    enough = all(running[process] >= count for process, count in seen.wanted.items())
    return enough and not names & (seen.down | seen.occupied)


def _over(seen: Seen) -> list[Action]:
    """Fleets whose warm time is over, and what is left of releases that are gone.

    Where a worker still finishes what it has, the fleet waits for it.
    """
    processes = [m for m in seen.machines if m.kind == "process"]
    ending = {m.release for m in processes if m.process != "web" and m.state == "running"}
    present = {m.release for m in processes} | seen.slots
    actions = []
    for number in sorted(present - seen.busy - seen.outgoing - ending):
        record = seen.records.get(number)
        if record is None or number == seen.serving:
            continue
        if record.outcome in {"running", "waiting", "serving"}:
            continue  # the traffic goes elsewhere at this moment; the journal says so next
        if number in seen.unfinished:
            continue  # however short its warm time is, what is open may finish
        if record.warm_until is None or seen.now >= record.warm_until:
            actions.append(Action("retire", number, why="its time is over"))
        elif not _web_alive(seen, number):
            actions.append(Action("retire", number, why="its machines ended"))
    return actions


def _unneeded(seen: Seen) -> list[Action]:
    """Bridges to releases of which nothing is left, unless an operation may go back to one."""
    if seen.serving is None or seen.busy or seen.engaged:
        return []
    present = {m.release for m in seen.machines} | seen.slots | seen.outgoing | {seen.serving}
    gone = (number for number in sorted(seen.bridges) if number <= min(present))
    return [Action("unbridge", number, why="nothing older runs") for number in gone]


def _contracted(seen: Seen) -> list[Action]:
    """Nothing else of the app runs, so that nobody goes back to something older at once."""
    serving = seen.serving
    if serving is None or serving not in seen.contracts:
        return []
    present = {machine.release for machine in seen.machines} | seen.slots | seen.outgoing
    bridged = any(number <= serving for number in seen.bridges)
    if seen.busy or seen.engaged or seen.closed or bridged or not present <= {serving}:
        return []
    return [Action("contract", serving, why="nothing else runs")]


def _left_closed(seen: Seen) -> list[Action]:
    """Whoever closed it is gone, and could not open it: HAProxy did not answer, or a crash."""
    if seen.serving is None or seen.engaged or not (seen.closed and seen.fits):
        return []
    return [Action("open", seen.serving, why="what serves fits the schema")]


def may_finish(left: float, sessions: Sessions, settings: Release, now: float) -> bool:
    """Whether a fleet that lost the traffic at `left` still has requests or streams in budget."""
    passed = now - left
    return bool(
        (sessions.requests and passed < settings.drain)
        or (sessions.streams and passed < settings.stream_drain)
    )


def _web_alive(seen: Seen, release: int) -> bool:
    return any(
        (m.release, m.process, m.state) == (release, "web", "running") for m in seen.machines
    )
