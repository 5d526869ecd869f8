"""An app that is closed while nothing is under way: it is opened again, or somebody is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from dayfly.events import Event
from dayfly.release import closing, returning
from dayfly.release.alerts import ALERT, OPENED
from dayfly.release.closing import CLOSE
from dayfly.release.records import ReleaseRecord
from dayfly.release.restoring import RESTORE
from dayfly.release.work import Parts

Door = Literal["open", "leave", "tell"]
_KINDS = ("release.started", "rollback.started", "step.intended")


@dataclass(frozen=True)
class Interrupted:
    """The operation that closed an app, as the journal tells it."""

    rollback: bool
    release: int  # that was to get the traffic
    steps: tuple[str, ...]  # that were intended

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Interrupted | None":
        """The last that did; what came later and left the door alone does not count."""
        found = [one for one in cls._each(events) if CLOSE in one.steps]
        return found[-1] if found else None

    @classmethod
    def _each(cls, events: Sequence[Event]) -> Iterator["Interrupted"]:
        began = [n for n, e in enumerate(events) if e.kind in _KINDS[:2]]
        for start, end in pairwise([*began, len(events)]):
            first, *rest = events[start:end]
            steps = tuple(str(event.data["step"]) for event in rest)
            yield cls(first.kind == "rollback.started", first.release or 0, steps)


def decide(last: Interrupted | None, serving: int | None, *, fits: bool) -> Door:
    """Of a closed app: open it where the schema fits what serves.

    `fits` is what exports and receipts say. A rollback that was about to bring the schema back may
    have done so without a word of it.
    """
    if last is None or serving is None:
        return "leave"
    if last.rollback and RESTORE in last.steps and (serving != last.release or not fits):
        return "tell"
    return "open" if fits else "leave"


def door_of(parts: Parts, app: str) -> tuple[Door, Interrupted | None]:
    """Of an app that is closed, while nothing is under way."""
    last, serving = Interrupted.of(parts.journal.told(app, *_KINDS)), parts.serving(app)
    fits = serving is not None and returning.fits(parts, parts.journal.release(serving))
    return decide(last, serving, fits=fits), last


def reopened(parts: Parts) -> None:
    """After a start; later upkeep does the same."""
    for app in parts.balancer.routing().closed:
        door, last = door_of(parts, app)
        serving = parts.serving(app)
        if door == "open" and serving is not None:
            open_again(parts, parts.journal.release(serving))
        if door == "tell" and last is not None:
            parts.journal.record(
                ALERT, release=last.release, app=app, message=_told(last), closed=True
            )


def open_again(parts: Parts, serving: ReleaseRecord) -> None:
    closing.reopen(parts, serving)
    if serving.outcome != "serving":  # all that it lacked was the open door
        parts.journal.turn(serving.number, "serving")
    message = f"opened again: release {serving.number} serves, and the schema fits it"
    parts.journal.record("note", release=serving.number, app=serving.app, message=message)
    parts.journal.record(OPENED, release=serving.number, app=serving.app)


def _told(last: Interrupted) -> str:
    return (
        f"the server ended during the rollback to release {last.release}, and the app stays "
        "closed: its schema may be back already, and then does not fit what serves; "
        f"`dayfly rollback --to {last.release}` goes on with it"
    )
