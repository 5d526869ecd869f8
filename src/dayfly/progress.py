"""What the events of a release add up to: its stages, machines, traffic and last words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dayfly.events import Event

OUTPUT_LINES = 400
CUTOVER = "cut over"  # the stage in which the traffic moves
SAMPLES = 900  # a quarter of an hour, at one a second


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`seconds` and `outcome` are None while it runs."""

    stage: str
    started: float
    seconds: float | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One machine of the release. `state`: launched, healthy, died or removed."""

    machine: str
    process: str = ""
    address: str = ""
    state: str = "launched"
    seconds: float | None = None  # until it was healthy
    reason: str = ""
    tail: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How much traffic each release had at one moment, by release number."""

    time: float
    rates: Mapping[int, float]  # requests per second
    errors: Mapping[int, int]  # so far


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A release as far as its events tell. `outcome` is None while it is under way."""

    release: int | None = None
    app: str = ""
    commit: str = ""
    subject: str = ""
    who: str = ""
    started: float | None = None
    finished: float | None = None
    stages: tuple[Stage, ...] = ()
    machines: tuple[Seen, ...] = ()
    output: tuple[tuple[str, str], ...] = ()  # (source, line), the last ones
    traffic: tuple[Sample, ...] = ()
    notes: tuple[str, ...] = ()
    outcome: str | None = None
    reason: str = ""
    rollback: bool = False
    receipt: Mapping[str, Any] | None = None  # of a rollback that moved the traffic
    facts: Mapping[str, Event] = field(default_factory=dict)  # of the database, the newest of each
    last: int = 0  # number of the last event

    @property
    def running(self) -> Stage | None:
        return next((stage for stage in reversed(self.stages) if stage.outcome is None), None)

    @property
    def cutover(self) -> float | None:
        """When the traffic began to move."""
        moves = (stage.started for stage in self.stages if stage.stage == CUTOVER)
        return next(moves, None)


def of(events: Iterable[Event]) -> Progress:
    progress = Progress()
    for event in events:
        progress = after(progress, event)
    return progress


def after(progress: Progress, event: Event) -> Progress:
    """The progress once `event` is known too. Kinds that do not show are passed over."""
    step = _STEPS.get(event.kind)
    taken = step(progress, event) if step else progress
    return replace(taken, last=max(event.number, taken.last))


def _started(progress: Progress, event: Event) -> Progress:
    data = event.data
    return replace(
        progress,
        release=event.release,
        app=str(data.get("app") or event.app or ""),
        commit=str(data.get("commit", "")),
        subject=str(data.get("subject", "")),
        who=str(data.get("who", "")),
        started=event.time,
        outcome=None,
        reason="",
        finished=None,
    )


def _back(before: Progress, event: Event) -> Progress:
    """A rollback to this release begins: what was told of its own coming is over."""
    return Progress(
        facts=before.facts,
        release=event.release,
        app=event.app or "",
        commit=str(event.data.get("commit", "")),
        subject=f"{event.data.get('subject') or ''} (rollback)".lstrip(),
        rollback=True,
        who=str(event.data.get("who", "")),
        started=event.time,
    )


def _finished(progress: Progress, event: Event) -> Progress:
    outcome, reason = str(event.data.get("outcome", "")), str(event.data.get("reason") or "")
    return replace(
        progress,
        outcome=outcome,
        reason=reason,
        finished=event.time,
        receipt=event.data.get("receipt"),
    )


def _stage_started(progress: Progress, event: Event) -> Progress:
    stage = Stage(stage=str(event.data["stage"]), started=event.time)
    return replace(progress, stages=(*progress.stages, stage))


def _stage_finished(progress: Progress, event: Event) -> Progress:
    name, outcome = event.data["stage"], str(event.data["outcome"])
    seconds = float(event.data["seconds"])
    stages = tuple(
        replace(stage, outcome=outcome, seconds=seconds)
        if stage.stage == name and stage.outcome is None
        else stage
        for stage in progress.stages
    )
    return replace(progress, stages=stages)


def _output(progress: Progress, event: Event) -> Progress:
    line = (str(event.data.get("source", "")), str(event.data["line"]))
    return replace(progress, output=(*progress.output[-(OUTPUT_LINES - 1) :], line))


def _machine(progress: Progress, event: Event) -> Progress:
    name, state = str(event.data["machine"]), event.kind.removeprefix("machine.")
    known = {seen.machine: seen for seen in progress.machines}
    told = {
        key: event.data[key]
        for key in ("process", "address", "seconds", "reason", "tail")
        if event.data.get(key) is not None
    }
    known[name] = replace(known.get(name) or Seen(machine=name), state=state, **told)
    return replace(progress, machines=tuple(known.values()))


def _traffic(progress: Progress, event: Event) -> Progress:
    fleets: list[Mapping[str, Any]] = list(event.data.get("fleets", ()))
    sample = Sample(
        time=event.time,
        rates={int(fleet["release"]): float(fleet["rate"]) for fleet in fleets},
        errors={int(fleet["release"]): int(fleet.get("errors", 0)) for fleet in fleets},
    )
    return replace(progress, traffic=(*progress.traffic[-(SAMPLES - 1) :], sample))


def _note(progress: Progress, event: Event) -> Progress:
    return replace(progress, notes=(*progress.notes, str(event.data["message"])))


def _fact(progress: Progress, event: Event) -> Progress:
    """Kinds of one thing follow each other: a bridge is built, then gone."""
    thing = event.kind.partition(".")[0]
    return replace(progress, facts={**progress.facts, thing: event})


_STEPS: Mapping[str, Callable[[Progress, Event], Progress]] = {
    "release.started": _started,
    "release.finished": _finished,
    "release.waits": _finished,
    "rollback.started": _back,
    "rollback.finished": _finished,
    "stage.started": _stage_started,
    "stage.finished": _stage_finished,
    "output": _output,
    "machine.launched": _machine,
    "machine.healthy": _machine,
    "machine.died": _machine,
    "machine.removed": _machine,
    "machine.drifted": _note,
    "traffic": _traffic,
    "note": _note,
    "assessed": _fact,
    "course": _fact,
    "held": _fact,
    "bridge.built": _fact,
    "bridge.gone": _fact,
    "preserved": _fact,
    "alert": _note,
}
