"""After a start: what was interrupted is completed or undone.

Observe (the map on disk, the journal), decide (pure), act. The map is the truth about traffic: it
is on disk before HAProxy hears of it, so a release whose slot it names has got the traffic, and
one whose slot it does not name never did.
"""

import shutil
from dataclasses import dataclass, replace
from typing import Literal

from dayfly import typed
from dayfly.clock import Stop
from dayfly.events import Event, intends
from dayfly.release import bookkeeping, closing, contracts, downtime, fleet, sessions
from dayfly.release.cutover import GO_BACK
from dayfly.release.inquiry import ASSESS
from dayfly.release.records import Outcome, ReleaseRecord
from dayfly.release.rehearsal import REHEARSAL
from dayfly.release.wayback import MIGRATE
from dayfly.release.work import Parts, Work, source_of

Fate = Literal["complete", "undo", "go back"]


@dataclass(frozen=True)
class Decision:
    number: int
    fate: Fate
    why: str


@dataclass(frozen=True)
class WayBack:
    """What a release noted down before it gave its traffic back."""

    why: str
    breach: bool
    outgoing: int | None = None  # the release that has it again; None for no answer at all
    slot: str | None = None


def decide(
    record: ReleaseRecord, serving: int | None, stage: str, *, going_back: bool = False
) -> Decision:
    """What becomes of a release that the journal calls unfinished.

    `going_back`: it was found bad, and the fleet that is to have its traffic again still runs.
    """
    if serving == record.number and going_back:
        return Decision(record.number, "go back", f"the server ended during {stage!r}")
    if serving == record.number:
        return Decision(record.number, "complete", f"the server ended during {stage!r}")
    where = "before it began" if not stage else f"during {stage!r}"
    return Decision(record.number, "undo", f"interrupted: the server ended {where}")


def correct_outcomes(
    records: list[ReleaseRecord], serving: int | None
) -> list[tuple[int, Outcome]]:
    """Which finished releases of one app are not called what the map says they are."""
    wrong: list[tuple[int, Outcome]] = []
    for record in records:
        if record.number == serving and record.outcome not in {"serving", "running"}:
            wrong.append((record.number, "serving"))
        if record.number != serving and record.outcome == "serving":
            newer = serving is not None and record.number > serving
            wrong.append((record.number, "rolled-back" if newer else "warm"))
    return wrong


def recover(parts: Parts) -> list[Decision]:
    """Finish or undo every release that was under way when the server ended."""
    for number in _migrating(parts):
        sessions.end_left(parts, parts.journal.release(number))
    _let_go(parts)
    decisions = []
    for record in parts.journal.unfinished():
        _forget_vanished(parts, record)
        events = _events(parts, record)
        way = way_back(parts, record.app, events)
        serving = parts.serving(record.app)
        decision = decide(record, serving, last_stage(events), going_back=way is not None)
        decisions.append(decision)
        parts.journal.record(
            "note",
            release=record.number,
            app=record.app,
            message=f"{decision.fate}: {decision.why}",
        )
        _act(parts, record, decision, way)
    for began in parts.journal.unended("rollback"):
        _end_rollback(parts, began)
    for began in parts.journal.unended("contract"):
        _end_contract(parts, began)
    for app in {record.app for record in parts.journal.releases()}:
        _correct(parts, app)
    return decisions


def _migrating(parts: Parts) -> set[int]:
    """Releases whose migration the server did not see the end of."""
    begun = {record.number for record in parts.journal.unfinished()}
    begun |= {event.release or 0 for event in parts.journal.unended("contract")}
    return {number for number in begun if _interrupted(parts, number)}


def _interrupted(parts: Parts, number: int) -> bool:
    told = parts.journal.events(release=number, limit=bookkeeping.ALL)
    steps = [event.kind for event in told if event.data.get("step") == MIGRATE]
    return steps[-1:] == ["step.intended"]


def _let_go(parts: Parts) -> None:
    """Nobody holds requests or machines any more."""
    for app in parts.balancer.routing().holds:
        parts.balancer.let_go(app)
    for machine in parts.runtime.machines():
        if machine.paused:
            parts.runtime.resume(machine.name)


def _forget_vanished(parts: Parts, record: ReleaseRecord) -> None:
    """Machines that were being made or removed when the server ended: what is left of them goes."""
    there = {machine.name for machine in fleet.machines_of(parts, record)}
    for machine in parts.journal.machines(release=record.number):
        if machine.removed is None and machine.name not in there:
            parts.runtime.remove(machine.name)
            parts.journal.machine_gone(machine.name, reason="the server ended meanwhile")


def _act(parts: Parts, record: ReleaseRecord, decision: Decision, way: WayBack | None) -> None:
    if decision.fate == "complete":
        closing.reopen(parts, record)
        bookkeeping.finish_release(parts, record, "serving", decision.why)
    elif way is None:
        _undo(parts, record, "failed", decision.why)
    else:
        if decision.fate == "go back":
            _flip_back(parts, record.app, way)
        _undo(parts, record, "rolled-back" if way.breach else "failed", way.why)


def _flip_back(parts: Parts, app: str, way: WayBack) -> None:
    if way.slot is None or way.outgoing is None:
        parts.balancer.withdraw(app)
    else:
        parts.balancer.cut_over(app, way.slot)
        parts.journal.turn(way.outgoing, "serving")


def _undo(parts: Parts, record: ReleaseRecord, outcome: Outcome, why: str) -> None:
    """Nothing of it stays but, if it had the traffic, what is open there (upkeep ends the rest)."""
    drains = had_traffic(_events(parts, record))
    if not drains:
        fleet.remove_all(parts, record, why)
    if _closed(parts, record):
        app = parts.app_of(record)
        downtime.give_back(Work(parts=parts, record=record, app=app, stop=Stop()))
    elif parts.serving(record.app) is None:
        parts.balancer.withdraw(record.app)
    shutil.rmtree(source_of(parts.home, record), ignore_errors=True)
    bookkeeping.finish_release(parts, record, outcome, why)
    if drains:
        parts.journal.leave(record.number, outcome, warm=0)


def _closed(parts: Parts, record: ReleaseRecord) -> bool:
    """Whether this release has closed its app, and it is closed still."""
    mine = any(intends(event, closing.CLOSE) for event in _events(parts, record))
    return mine and record.app in parts.balancer.routing().closed


def way_back(parts: Parts, app: str, events: list[Event]) -> WayBack | None:
    """Where a release that was found bad was to give its traffic; None while it was not."""
    data = next((e.data for e in reversed(events) if intends(e, GO_BACK)), None)
    if data is None:
        return None
    way = typed.converted(data, WayBack)
    if way.outgoing is None:
        return way
    slot = parts.slot_of(app, way.outgoing)
    return replace(way, slot=slot) if slot else None


def had_traffic(events: list[Event]) -> bool:
    """Whether requests may have reached the release whose events these are."""
    return any(intends(event, "cut over") for event in events)


def _end_rollback(parts: Parts, began: Event) -> None:
    """A rollback that was under way: it has got the traffic, or what it launched goes."""
    record = parts.journal.release(began.release or 0)
    why = f"the server ended during the rollback to release {record.number}"
    if parts.serving(record.app) == record.number:
        bookkeeping.finish_rollback(parts, record, began.number, "serving", why)
        return
    if record.warm_until is None:
        fleet.remove_all(parts, record, why)
    bookkeeping.finish_rollback(parts, record, began.number, "failed", f"interrupted: {why}")


def _end_contract(parts: Parts, began: Event) -> None:
    """It is tried again: the database tells what has run."""
    record = parts.journal.release(began.release or 0)
    app = parts.app_of(record)
    own = {ASSESS, REHEARSAL, MIGRATE} - app.process.keys() - app.job.keys()
    known = parts.journal.machines(release=record.number)
    left = [m.name for m in known if m.removed is None and m.process in own]
    fleet.remove_machines(parts, record, left, "the server ended meanwhile")
    bookkeeping.finish_contract(
        parts, record, began.number, contracts.AGAIN, "the server ended meanwhile"
    )


def _correct(parts: Parts, app: str) -> None:
    for number, outcome in correct_outcomes(parts.journal.releases(app), parts.serving(app)):
        if outcome == "serving":
            parts.journal.turn(number, "serving")
        else:
            settings = parts.app_of(parts.journal.release(number)).release
            parts.journal.leave(number, outcome, warm=settings.warm)


def last_stage(events: list[Event]) -> str:
    stages = [str(event.data["stage"]) for event in events if event.kind == "stage.started"]
    return stages[-1] if stages else ""


def _events(parts: Parts, record: ReleaseRecord) -> list[Event]:
    return parts.journal.events(release=record.number, limit=bookkeeping.ALL)
