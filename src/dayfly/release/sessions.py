"""The sessions of a migration in the database: none is at work when the migration is over."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dayfly.clock import Stop
from dayfly.config.app import App, Database
from dayfly.errors import DayflyError, StoppedError
from dayfly.events import intends
from dayfly.release import fleet
from dayfly.release.bookkeeping import ALL
from dayfly.release.records import ReleaseRecord
from dayfly.release.wayback import MIGRATE
from dayfly.release.work import Parts, Work, secret_of

if TYPE_CHECKING:
    from dayfly.database.watchdog import Watch

LIMIT = "limit locks"
_GOES_ON = f"{MIGRATE}: it may go on in the database"


def name_of(record: ReleaseRecord) -> str:
    """Of its sessions, as pg_stat_activity shows them."""
    return f"dayfly migrate {record.number}"


@contextmanager
def watched(
    work: Work, *, role: str, others: float, seconds: float, stop: Stop | None = None
) -> Iterator["Watch"]:
    """Ended as soon as others wait too long, or a stop is heard, or the body did not come through.

    The body says when it did: `done`.
    """
    from dayfly.database import watchdog  # noqa: PLC0415 - loads the driver

    url, name = work.migrate_url(work.app.database or Database()), name_of(work.record)
    watch = watchdog.Watch()
    try:
        with watchdog.watched(
            url, name=name, role=role, budget=others, seconds=seconds, stop=stop
        ) as watch:
            yield watch
    finally:
        if watch.left:
            work.emit("note", message=f"{_GOES_ON}: {watch.left}")


@contextmanager
def limited(work: Work, role: str, seconds: float) -> Iterator[None]:
    """Those of a role that only migrations enter as wait for a lock no longer than that.

    The role's settings say so meanwhile; what a server that died has left there a start undoes.
    """
    from dayfly.database import watchdog  # noqa: PLC0415 - loads the driver

    if not role:
        yield
        return
    url = work.migrate_url(work.app.database or Database())
    before = watchdog.lock_timeout_of(url, role)
    with (
        work.step(LIMIT, role=role, before=before),
        watchdog.limited_locks(url, role, seconds, before=before),
    ):
        yield


@contextmanager
def stopped(work: Work) -> Iterator[None]:
    """What a stop has ended did not fail; what it left behind is told all the same."""
    try:
        yield
    except StoppedError:
        raise
    except DayflyError as error:
        if not work.stop.requested:
            raise
        work.emit("note", message=f"{MIGRATE}: {error.message}. {error.hint}".rstrip())
        raise StoppedError(work.stop.reason) from error


def end_left(parts: Parts, record: ReleaseRecord) -> None:
    """What a server that died has left at work: its machine, its sessions, then their limit."""
    try:
        _end(parts, record, parts.app_of(record))
    except DayflyError as error:  # a start must not fail on it
        told = f"{_GOES_ON}: {error.message}"
        parts.journal.record("note", release=record.number, app=record.app, message=told)


def _end(parts: Parts, record: ReleaseRecord, app: App) -> None:
    from dayfly.database import watchdog  # noqa: PLC0415 - loads the driver

    own = {MIGRATE} - app.process.keys() - app.job.keys()
    left = [m.name for m in fleet.machines_of(parts, record) if m.process in own]
    fleet.remove_machines(parts, record, left, "the server ended meanwhile")
    database = app.database or Database()
    url, for_app = (
        secret_of(parts, record.app, name)
        for name in (database.migrate_url or database.url, database.url)
    )
    role = "" if database.migrations else watchdog.own_role(url, for_app)
    watchdog.end_sessions(url, name=name_of(record), role=role)
    for limit in _limits(parts, record):
        watchdog.set_lock_timeout(url, limit["role"], limit["before"])


def _limits(parts: Parts, record: ReleaseRecord) -> list[Mapping[str, Any]]:
    """The one that stands still, if any."""
    told = parts.journal.events(release=record.number, limit=ALL)
    last = [event for event in told if event.data.get("step") == LIMIT][-1:]
    return [event.data for event in last if intends(event, LIMIT)]
