"""A migration that failed and left nothing: what was preserved before it stands in nobody's way."""

import json
import time
from pathlib import Path

from dayfly.durable import write_atomically
from dayfly.errors import DayflyError
from dayfly.release import archived
from dayfly.release.work import Work

UNTOUCHED = "untouched.json"


def mark(folder: Path) -> None:
    """Of an export; it stays where it is, for whoever wants to look."""
    write_atomically(folder / UNTOUCHED, json.dumps({"time": time.time()}))


def marked(folder: Path) -> bool:
    return (folder / UNTOUCHED).is_file()


def look(work: Work, folder: Path) -> None:
    """Right after a migration failed; where it cannot be told, the export counts."""
    database = work.app.database
    if database is None:
        return
    from dayfly.database.preserve.restoring import outlook  # noqa: PLC0415 - loads the driver

    try:
        with archived.laid_out(work.parts, folder) as whole:
            same = outlook(work.migrate_url(database), whole).untouched
        if same:
            mark(folder)
    except DayflyError as error:
        work.emit("note", message=f"what the migration left is not known: {error.message}")
