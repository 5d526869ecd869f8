"""What the app itself does to the schema when it starts, found out on a copy."""

from textwrap import shorten
from typing import TYPE_CHECKING

from dayfly.config.app import Database
from dayfly.database.impact.finding import NONE, STAGED, Finding
from dayfly.errors import DayflyError
from dayfly.images.image import Image
from dayfly.release import rehearsal, tooling
from dayfly.release.found import UNASSESSED, Found, only
from dayfly.release.work import Work

if TYPE_CHECKING:
    from dayfly.database.starting import Started

SHOWN = 200  # characters of a statement in a message


def found(work: Work, image: Image, database: Database) -> Found:
    """Of an app that declares no migrations; nothing else of it is assessed."""
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
        what = "whether the app changes the schema when it starts was not found out"
        work.emit("note", message=work.parts.redactor(work.record.app)(f"{what}: {failed[0]}"))
        return {"verdict": UNASSESSED}
    return only(NONE)


def _at_start(work: Work, seen: "Started") -> Finding:
    statement = work.parts.redactor(work.record.app)(seen.statement)
    setting = tooling.kept(work).setting or 'migrations = "DIR" or migrate = "COMMAND"'
    return Finding(
        verdict=STAGED,
        kind="unknown",
        message=f"the app changes the schema when it starts: {shorten(statement, SHOWN)}",
        statement=statement,
        evidence="; ".join(seen.changed),
        remedy=f"Declare it in [database] of dayfly.toml: {setting}\n"
        "and switch it off in what the app runs when it starts.",
    )
