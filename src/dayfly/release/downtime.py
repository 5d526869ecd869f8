"""A release with downtime: nobody is served and nobody writes; what goes wrong goes back.

While the app is closed the balancer answers with a maintenance page. It is opened again to the
release that the schema fits: the incoming one, or the outgoing one after everything was undone.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dayfly.events import Event, intends
from dayfly.release import closing, exported, fleet, restoring
from dayfly.release.alerts import alert
from dayfly.release.bookkeeping import ALL
from dayfly.release.exported import Preserved
from dayfly.release.records import ReleaseRecord
from dayfly.release.wayback import MIGRATE, closed_by
from dayfly.release.work import Work

log = logging.getLogger(__name__)


@contextmanager
def closed(work: Work, outgoing: ReleaseRecord | None) -> Iterator[None]:
    """Nothing of the outgoing release works in the body; after it the incoming one is open."""
    closing.close(work, recorded=_recorded(work))
    try:
        closing.stand_still(work, outgoing)
        yield
    except BaseException:
        with fleet.clearing_up(work), work.stage("roll back", certain=True):
            with fleet.clearing_up(work):
                _traffic_back(work, outgoing)
            give_back(work)
        raise
    with work.stage(closing.OPEN, certain=True):
        closing.reopen(work.parts, work.record)


def give_back(work: Work) -> None:
    """The schema as the outgoing release needs it, and the app open again.

    Where the schema cannot be had the app stays closed, and an alert says what to do. Where the
    traffic could not be moved back the schema is that of its fleet: upkeep opens it again.
    """
    serving = work.parts.serving(work.record.app)
    if serving == work.record.number:
        return
    try:
        why = _schema_back(work)
    except Exception as error:  # also at a start, which must not fail on it
        log.exception("the schema after release %d", work.record.number)
        why = f"it cannot be undone ({error})"
    if not why:
        closing.reopen(work.parts, work.record)
        return
    alert(
        work,
        f"release {work.record.number} failed after its migration, and the app stays closed: "
        f"{why}; {way_on(serving, exported.own(work))}",
        closed=True,
    )


def way_on(serving: int | None, export: Preserved | None) -> str:
    """The command that opens an app again whose schema could not be brought back."""
    if serving is None:
        return "release something that fits the schema: `dayfly release --now`"
    if export is not None and export.why and export.comes_back:
        return f'`dayfly rollback --accept-loss "REASON"` tries again, and opens release {serving}'
    if export is None or export.why:
        opens = f"opens release {serving} with the schema as it is"
        return f'`dayfly rollback --accept-loss "REASON"` {opens}'
    return f"`dayfly rollback` tries again, and opens release {serving}"


def _schema_back(work: Work) -> str:
    """Why it cannot be had; empty where it is there."""
    events = work.parts.journal.events(release=work.record.number, limit=ALL)
    if not any(intends(event, MIGRATE) for event in events) or not closed_by(work):
        return ""
    export = exported.own(work)
    if export is not None and export.settled:
        return ""
    if export is None:
        same = _recorded(work) == _recorded_before(events)
        return "" if same else "nothing of it was preserved, so it cannot be undone"
    restoring.put_right(work, export, accept=True)  # nobody has written but the smoke command
    if export.why:
        work.emit("note", message=f"not all of it may have come back: {export.why}")
    return ""


def _recorded(work: Work) -> tuple[str, ...]:
    """The migrations that have run, as their tools have written it down."""
    if work.app.database is None:
        return ()
    from dayfly.database.production import recorded  # noqa: PLC0415 - loads the driver

    return recorded(work.migrate_url(work.app.database))


def _recorded_before(events: Sequence[Event]) -> tuple[str, ...]:
    closings = [event for event in events if intends(event, closing.CLOSE)]
    return tuple(closings[-1].data.get("recorded", ())) if closings else ()


def _traffic_back(work: Work, outgoing: ReleaseRecord | None) -> None:
    """The map names the outgoing fleet again, where it named ours already."""
    parts, record = work.parts, work.record
    if parts.serving(record.app) != record.number:
        return
    slot = parts.slot_of(record.app, outgoing.number) if outgoing else None
    if outgoing and slot:
        parts.balancer.cut_over(record.app, slot)
        parts.journal.turn(outgoing.number, "serving")
    else:
        parts.balancer.withdraw(record.app)
    fleet.remove_fleet(parts, record, "its release did not come through")
