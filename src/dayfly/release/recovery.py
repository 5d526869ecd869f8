"""After a start: what was interrupted is completed or undone.

Observe (the map on disk, the journal), decide (pure), act. The map is the truth about traffic: it
is on disk before HAProxy hears of it, so a release whose slot it names has got the traffic, and
one whose slot it does not name never did.
"""

import shutil
from dataclasses import dataclass
from typing import Literal

from dayfly.events import Event
from dayfly.release import bookkeeping, fleet
from dayfly.release.records import Outcome, ReleaseRecord
from dayfly.release.work import Parts, source_of

Fate = Literal["complete", "undo"]


@dataclass(frozen=True)
class Decision:
    number: int
    fate: Fate
    why: str


def decide(record: ReleaseRecord, serving: int | None, stage: str) -> Decision:
    """What becomes of a release that the journal calls unfinished."""
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
    decisions = []
    for record in parts.journal.unfinished():
        decision = decide(record, parts.serving(record.app), _last_stage(parts, record))
        decisions.append(decision)
        parts.journal.record(
            "note",
            release=record.number,
            app=record.app,
            message=f"{decision.fate}: {decision.why}",
        )
        if decision.fate == "undo":
            _undo(parts, record, decision.why)
        else:
            bookkeeping.finish_release(parts, record, "serving", decision.why)
    for began in parts.journal.open_rollbacks():
        _end_rollback(parts, began)
    for app in {record.app for record in parts.journal.releases()}:
        _correct(parts, app)
    return decisions


def _undo(parts: Parts, record: ReleaseRecord, why: str) -> None:
    """Nothing of it stays but, if it had the traffic, what is open there (upkeep ends the rest)."""
    drains = had_traffic(_events(parts, record))
    if not drains:
        fleet.remove_all(parts, record, why)
    if parts.serving(record.app) is None:
        parts.balancer.withdraw(record.app)
    shutil.rmtree(source_of(parts.home, record), ignore_errors=True)
    bookkeeping.finish_release(parts, record, "failed", why)
    if drains:
        parts.journal.leave(record.number, "failed", warm=0)


def had_traffic(events: list[Event]) -> bool:
    """Whether requests may have reached the release whose events these are."""
    return any(e.kind == "step.intended" and e.data.get("step") == "cut over" for e in events)


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


def _correct(parts: Parts, app: str) -> None:
    for number, outcome in correct_outcomes(parts.journal.releases(app), parts.serving(app)):
        if outcome == "serving":
            parts.journal.turn(number, "serving")
        else:
            settings = parts.app_of(parts.journal.release(number)).release
            parts.journal.leave(number, outcome, warm=settings.warm)


def _last_stage(parts: Parts, record: ReleaseRecord) -> str:
    events = _events(parts, record)
    stages = [str(event.data["stage"]) for event in events if event.kind == "stage.started"]
    return stages[-1] if stages else ""


def _events(parts: Parts, record: ReleaseRecord) -> list[Event]:
    return parts.journal.events(release=record.number, limit=bookkeeping.ALL)
