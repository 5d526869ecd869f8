"""After a start: an app that a rollback had closed is opened again, or somebody is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dayfly.events import Event
from dayfly.release.alerts import ALERT
from dayfly.release.closing import CLOSE
from dayfly.release.returning import RESTORE
from dayfly.release.work import Parts

Door = Literal["open", "leave", "tell"]
_KINDS = ("release.started", "rollback.started", "step.intended")


@dataclass(frozen=True)
class Interrupted:
    """The last operation of an app, as the journal tells it."""

    rollback: bool
    release: int  # that was to get the traffic
    steps: tuple[str, ...]  # that were intended

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Interrupted | None":
        began = [n for n, e in enumerate(events) if e.kind in _KINDS[:2]]
        if not began:
            return None
        first, *rest = events[began[-1] :]
        steps = tuple(str(event.data["step"]) for event in rest)
        return cls(first.kind == "rollback.started", first.release or 0, steps)


def decide(last: Interrupted | None, serving: int | None) -> Door:
    """Of a closed app: a window of a release is not ours to end.

    Open it where the schema fits what serves: nothing was restored yet, or the traffic has moved.
    """
    if last is None or not last.rollback or CLOSE not in last.steps:
        return "leave"
    return "open" if RESTORE not in last.steps or serving == last.release else "tell"


def reopened(parts: Parts) -> None:
    for app in parts.balancer.routing().closed:
        last = Interrupted.of(parts.journal.told(app, *_KINDS))
        door = decide(last, parts.serving(app))
        if last is None or door == "leave":
            continue
        if door == "open":
            parts.balancer.reopen(app)
        kind, message = _words(last, door)
        parts.journal.record(kind, release=last.release, app=app, message=message)


def _words(last: Interrupted, door: Door) -> tuple[str, str]:
    rollback = f"the rollback to release {last.release}"
    if door == "open":
        return "note", f"opened again: the server ended during {rollback}"
    return ALERT, (
        f"the server ended during {rollback}, and the app stays closed: its schema may be back "
        "already, and then does not fit what serves; `dayfly rollback` goes on with it"
    )
