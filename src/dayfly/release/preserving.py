"""What a release's migration takes away: exported before it, kept apart from the release.

Neither retention nor `dayfly down` touches it; see `archived` for where it lies.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.config.app import Database
from dayfly.database.preserve.manifest import whole_or_nothing
from dayfly.durable import write_atomically
from dayfly.errors import DayflyError
from dayfly.files.errors import FilesError
from dayfly.release import archived, untouched
from dayfly.release.exported import CONTRACT, RESTORATION, Preserved, figures, kept
from dayfly.release.records import ReleaseRecord
from dayfly.release.wayback import shut
from dayfly.release.work import Parts, ReleaseError, Work, secret_of

if TYPE_CHECKING:
    from dayfly.database.preserve.manifest import Manifest
    from dayfly.database.preserve.restoring import Restored

PRESERVE = "preserve"


def preserve(work: Work, found: Mapping[str, Any], folder: Path) -> None:
    """Before the migration; does nothing where the way back stays open, or it was done already.

    Where nothing is lost but the outgoing release would break, only schema and books are kept.
    """
    database = work.app.database
    if database is None or not shut(found) or not found.get("restoration"):
        return
    if kept(folder):  # a server that died may not have come as far as the archive
        archived.put(work.parts, folder)
        return
    from dayfly.database.dump import dump_of  # noqa: PLC0415 - loads the driver
    from dayfly.database.loss import Loss  # noqa: PLC0415
    from dayfly.database.preserve.exporting import preserve as export  # noqa: PLC0415
    from dayfly.database.preserve.manifest import About  # noqa: PLC0415

    record, url, say = work.record, work.migrate_url(database), work.lines_of(PRESERVE)
    with work.stage(PRESERVE), work.step(PRESERVE, folder=str(folder)):
        made = export(
            url,
            [Loss.from_json(loss) for loss in found["preserve"]],
            folder,
            about=About(app=record.app, release=record.number, commit=record.commit),
            schema=dump_of(url, work.parts.settings.postgresql),
            tell=say,
        )
        told = {"loses": found["rollback"]["loses"], **found["restoration"]}
        write_atomically(folder / RESTORATION, json.dumps(told, indent=1))
        _archive(work, folder)
    work.emit("preserved", **told_of(folder.name, made))


def _archive(work: Work, folder: Path) -> None:
    """ReleaseError where the archive does not take it; nothing of it stays then."""
    try:
        with whole_or_nothing(folder):
            archived.put(work.parts, folder)
    except FilesError as error:
        raise ReleaseError(
            f"what the migration takes away cannot be preserved: {error.message}", hint=error.hint
        ) from error


def seal(work: Work, folder: Path) -> None:
    """After the migration, before anybody writes: what it made of the values that it left."""
    database = work.app.database
    if database is None or not kept(folder):
        return
    from dayfly.database.preserve.exporting import seal as look  # noqa: PLC0415 - see above

    try:
        look(work.migrate_url(database), folder)
        archived.put(work.parts, folder)
    except DayflyError as error:
        message = f"what the migration made of the preserved values is not known: {error.message}"
        work.emit("note", message=message)


@contextmanager
def around(work: Work, found: Mapping[str, Any]) -> Iterator[None]:
    """Preserve, the migration in the body, and a look at what it made of the values."""
    folder = folder_of(work, contract=bool(found.get("contracting")))
    preserve(work, found, folder)
    try:
        yield
    except BaseException:
        if kept(folder):
            untouched.look(work, folder)
        raise
    seal(work, folder)


def folder_of(work: Work, *, contract: bool) -> Path:
    """What contract migrations take away is apart; one that is tried again never overwrites."""
    folder = work.parts.home.preserved(work.record.app, str(work.record.number))
    if not contract:
        return folder
    tries = sum(1 for _ in folder.parent.glob(f"{folder.name}{CONTRACT}*"))
    return folder.with_name(f"{folder.name}{CONTRACT}{f'-{tries + 1}' if tries else ''}")


def told_of(name: str, made: "Manifest") -> dict[str, Any]:
    """What the receipt says of an export: its name, and the figures of each table."""
    each = [
        {"table": table.shown, "rows": table.file.rows, "bytes": table.file.bytes}
        for table in made.data
    ]
    return {"preserved": name, **figures(made), "each": each}


def put_back(parts: Parts, one: Preserved, *, table: str, accept: str) -> dict[str, Any]:
    """The values alone, into the schema as it is; `accept`: why what was written since may go."""
    from dayfly.database.preserve.restoring import put_values  # noqa: PLC0415 - see above

    if one.dropped:
        raise ReleaseError(f"what {one.name} had preserved is gone: {one.dropped}")
    url = _url(parts, one)
    try:
        with archived.laid_out(parts, one.folder) as folder:
            done = put_values(url, folder, table=table, accept=bool(accept))
    except DayflyError as error:
        raise ReleaseError(error.message, hint=error.hint) from error
    _tell(parts, one, done, accept)
    return {
        "preserved": one.name,
        "tables": [put.as_json() for put in done.tables],
        "conflicts": [conflict.as_json() for conflict in done.conflicts],
    }


def _url(parts: Parts, one: Preserved) -> str:
    number = parts.serving(one.app)
    record = parts.journal.release(number) if number else _record(parts, one)
    database = parts.app_of(record).database or Database()
    return secret_of(parts, one.app, database.migrate_url or database.url)


def _record(parts: Parts, one: Preserved) -> ReleaseRecord:
    return parts.journal.release(one.release)


def _tell(parts: Parts, one: Preserved, done: "Restored", accept: str) -> None:
    record = _record(parts, one)
    rows = sum(put.rows for put in done.tables)
    message = f"{rows} preserved rows of {one.name} were put back"
    given_up = "; ".join(conflict.told for conflict in done.conflicts)
    if given_up:
        message += f"; given up, because {accept}: {given_up}"
    parts.journal.record("note", release=record.number, app=one.app, message=message)
