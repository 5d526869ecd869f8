"""What somebody has to look at, since Dayfly cannot put it right by itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from dayfly.events import Event
from dayfly.release.work import Parts, Work

ALERT, OPENED = "alert", "opened"


@dataclass(frozen=True)
class Alert:
    message: str
    closed: bool = False  # it says that its app is closed, and what opens it


def alert(work: Work, message: str, *, closed: bool = False) -> None:
    """Stands in `dayfly status` until the traffic of the app goes elsewhere.

    One that is told because the app is `closed` also ends when that is opened.
    """
    work.emit(ALERT, message=work.parts.redactor(work.record.app)(message), closed=closed)


def told(events: Iterable[Event]) -> list[Alert]:
    """What still stands, of the events of one app."""
    found: list[Alert] = []
    for event in events:
        if event.kind == ALERT:
            one = Alert(str(event.data["message"]), bool(event.data.get("closed")))
            found = [*(each for each in found if each != one), one]
        elif event.kind == OPENED:
            found = [each for each in found if not each.closed]
        else:
            found = []
    return found


def standing(parts: Parts, app: str) -> list[Alert]:
    """Told since the last cutover."""
    return told(parts.journal.told(app, ALERT, OPENED, "cutover"))
