"""What a release's migration took away comes back: schema and values, in one transaction."""

from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.config.app import Database
from dayfly.errors import DayflyError
from dayfly.release import archived, contracts, exported
from dayfly.release.exported import Preserved
from dayfly.release.work import Work, secret_of

if TYPE_CHECKING:
    from dayfly.database.preserve.restoring import Restored

RESTORE = "restore"  # a step
LOCK_SECONDS = 30.0  # the app is closed meanwhile: only what somebody left open can hold a lock


def put_right(work: Work, one: Preserved, *, accept: bool) -> None:
    """Schema and values as they were; `accept`: what was written since may be overwritten.

    Whatever goes is exported before. DatabaseError where it cannot be: then nothing was changed.
    """
    _write_down(work, one, _restored(work, one, accept=accept))


def _restored(work: Work, one: Preserved, *, accept: bool) -> "Restored":
    from dayfly.database.dump import dump_of  # noqa: PLC0415 - loads the driver
    from dayfly.database.preserve.restoring import Aside, restore  # noqa: PLC0415

    url, aside = url_of(work, one), exported.aside_of(one)
    with (
        work.stage(RESTORE, certain=True),
        work.step(RESTORE, export=one.name),
        archived.laid_out(work.parts, one.folder) as folder,
    ):
        done = restore(
            url,
            folder,
            accept=accept,
            aside=Aside(folder=aside, schema=dump_of(url, work.parts.settings.postgresql)),
            lock_seconds=LOCK_SECONDS,
        )
    if done.newer:
        _archive(work, aside)
    return done


def _archive(work: Work, aside: Path) -> None:
    """What was put aside is safe where it lies, so that nothing fails on this."""
    try:
        archived.put(work.parts, aside)
    except DayflyError as error:
        message = f"what was written since lies in {aside}, not in the archive: {error.message}"
        work.emit("note", message=message)


def _write_down(work: Work, one: Preserved, done: "Restored") -> None:
    exported.mark_restored(one)
    if one.contract:
        work.parts.journal.record(contracts.UNDONE, release=one.release, app=one.app)
    work.emit("restored", export=one.name, **_figures(done))
    for each in done.unlike:
        work.emit("note", message=f"not exactly as it was: {each}")
    for rule in done.left_off:
        work.emit("note", message=f"left off, since rows written since break it: {rule}")


def _figures(done: "Restored") -> dict[str, object]:
    return {
        "tables": [put.as_json() for put in done.tables],
        "conflicts": [conflict.as_json() for conflict in done.conflicts],
        "newer": exported.figures(done.newer) if done.newer else None,
    }


def url_of(work: Work, one: Preserved) -> str:
    """As the role that migrated it."""
    parts = work.parts
    record = parts.journal.release(one.release)
    database = parts.app_of(record).database or Database()
    return secret_of(parts, record.app, database.migrate_url or database.url)
