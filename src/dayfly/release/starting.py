"""What the app itself does to the schema when it starts, found out on a copy."""

from collections.abc import Callable
from textwrap import shorten
from typing import TYPE_CHECKING

from dayfly.config.app import Database
from dayfly.database.impact.finding import DOWNTIME, NONE, STAGED, Finding, unassessable
from dayfly.errors import DayflyError
from dayfly.images.image import Image
from dayfly.release import rehearsal, tooling
from dayfly.release.found import UNASSESSED, Found, only
from dayfly.release.work import Work

if TYPE_CHECKING:
    from dayfly.database.starting import Started

_NOT_SEEN = "whether the app changes the schema when it starts was not found out"
SHOWN = 200  # characters of a statement in a message


def found(work: Work, image: Image, database: Database) -> Found:
    """Of an app that declares no migrations; nothing else of it is assessed.

    Where its start was not seen, that counts as downtime if it may be the one that migrates.
    """
    from dayfly.database.guard import guarded_start  # noqa: PLC0415 - loads the driver
    from dayfly.database.starting import started  # noqa: PLC0415 - see above

    url, failed = work.database_url(database), list[str]()
    attempt = guarded_start(url, rehearsal.starting(work, image), books=True)

    def run(url: str) -> int:
        failed.extend(filter(None, [attempt(url)]))
        return 0

    home, postgresql = work.parts.home, work.parts.settings.postgresql
    try:
        seen = started(url, run, folder=home.scratch, postgresql=postgresql)
    except DayflyError as error:
        work.stop.check()
        failed, seen = [error.message], None
    if seen and seen.changed:
        finding = _at_start(work, seen)
        return only(STAGED, finding)
    if failed:
        why = work.parts.redactor(work.record.app)(f"{_NOT_SEEN}: {failed[0]}")
        if _may_migrate(work, url):
            return only(DOWNTIME, unassessable(why, _declared(work)))
        work.emit("note", message=why)
        return {"verdict": UNASSESSED}
    return only(NONE)


def on_copy(work: Work, image: Image, say: Callable[[str], None]) -> Callable[[str], int]:
    """One machine that becomes healthy, in a migrate command's place."""
    attempt = rehearsal.starting(work, image)

    def run(url: str) -> int:
        why = attempt(url)
        if why:
            say(why)
        return 1 if why else 0

    return run


def _may_migrate(work: Work, url: str) -> bool:
    """Its tool has something to run, or nobody knows what it has."""
    from dayfly.database.pending import pending_revisions  # noqa: PLC0415 - loads the driver

    kept = tooling.kept(work)
    if not kept.tree.revisions:
        return bool(kept.setting)
    try:
        return bool(pending_revisions(kept.tree, url))
    except DayflyError:
        return True


def _declared(work: Work) -> str:
    setting = tooling.kept(work).setting or 'migrations = "DIR" or migrate = "COMMAND"'
    return (
        f"Declare it in [database] of dayfly.toml: {setting}\n"
        "and switch it off in what the app runs when it starts.\n"
        "Or leave it there, and say so: at_start = true"
    )


def _at_start(work: Work, seen: "Started") -> Finding:
    statement = work.parts.redactor(work.record.app)(seen.statement)
    return Finding(
        verdict=STAGED,
        kind="unknown",
        message=f"the app changes the schema when it starts: {shorten(statement, SHOWN)}",
        statement=statement,
        evidence="; ".join(seen.changed),
        remedy=_declared(work),
    )
