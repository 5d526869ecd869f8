"""What a release's migration takes away: exported before it, kept apart from the release.

It lies in DAYFLY_HOME/preserved/APP/RELEASE. Neither retention nor `dayfly down` touches it.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.config.app import Database
from dayfly.durable import translated, write_atomically
from dayfly.errors import DayflyError
from dayfly.release import untouched
from dayfly.release.receipt import iso
from dayfly.release.records import ReleaseRecord
from dayfly.release.wayback import shut
from dayfly.release.work import Parts, ReleaseError, Work, secret_of

if TYPE_CHECKING:
    from dayfly.database.preserve.manifest import Manifest
    from dayfly.database.preserve.restoring import Restored

PRESERVE = "preserve"
RESTORATION, RESTORED = "restoration.json", "restored.json"
MANIFEST = "manifest.json"
_CONTRACT = "-contract"


def preserve(work: Work, found: Mapping[str, Any], folder: Path) -> None:
    """Before the migration; does nothing where the way back stays open, or it was done already.

    Where nothing is lost but the outgoing release would break, only schema and books are kept.
    """
    database = work.app.database
    if database is None or not shut(found) or not found.get("restoration") or kept(folder):
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
    work.emit("preserved", **told_of(folder.name, made))


def seal(work: Work, folder: Path) -> None:
    """After the migration, before anybody writes: what it made of the values that it left."""
    database = work.app.database
    if database is None or not kept(folder):
        return
    from dayfly.database.preserve.exporting import seal as look  # noqa: PLC0415 - see above

    try:
        look(work.migrate_url(database), folder)
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
    tries = sum(1 for _ in folder.parent.glob(f"{folder.name}{_CONTRACT}*"))
    return folder.with_name(f"{folder.name}{_CONTRACT}{f'-{tries + 1}' if tries else ''}")


def kept(folder: Path) -> bool:
    """Whether an export lies there as a whole."""
    return (folder / MANIFEST).is_file()


def figures(made: "Manifest") -> dict[str, Any]:
    return {
        "tables": [table.shown for table in made.data],
        "rows": made.rows,
        "bytes": made.bytes,
    }


def told_of(name: str, made: "Manifest") -> dict[str, Any]:
    """What the receipt says of an export: its name, and the figures of each table."""
    each = [
        {"table": table.shown, "rows": table.file.rows, "bytes": table.file.bytes}
        for table in made.data
    ]
    return {"preserved": name, **figures(made), "each": each}


# -- what is there


@dataclass(frozen=True, kw_only=True)
class Preserved:
    """One export of a release: "7", by its contract migrations "7-contract".

    "7.1" is what it wrote until a rollback put that aside.
    """

    name: str
    app: str
    folder: Path

    @property
    def release(self) -> int:
        return _order(self.name)[0]

    @property
    def contract(self) -> bool:
        return _CONTRACT in self.name

    @property
    def aside(self) -> bool:
        return "." in self.name

    @property
    def loses(self) -> tuple[str, ...]:
        return tuple(self.restoration.get("loses", ()))

    @property
    def why(self) -> str:
        """Why it cannot be restored with its schema; empty where it can."""
        return str(self.restoration.get("why", ""))

    @property
    def restoration(self) -> dict[str, Any]:
        return _read(self.folder / RESTORATION)

    @property
    def restored(self) -> float | None:
        """When a rollback has brought it back."""
        moment = _read(self.folder / RESTORED).get("time")
        return None if moment is None else float(moment)

    @property
    def settled(self) -> bool:
        """Nothing of its migration stands: it was brought back, or had never been touched."""
        return self.restored is not None or untouched.marked(self.folder)


def preserved(parts: Parts, app: str | None = None) -> list[Preserved]:
    """All that is kept, newest first."""
    root = parts.home.preserved("", "")
    found = [
        Preserved(name=folder.name, app=folder.parent.name, folder=folder)
        for folder in root.glob("*/*")
        if kept(folder) and app in (None, folder.parent.name)
    ]
    return sorted(found, key=lambda one: _order(one.name), reverse=True)


def own(work: Work) -> Preserved | None:
    """What was kept before this release's migration."""
    name = str(work.record.number)
    found = (one for one in preserved(work.parts, work.record.app) if one.name == name)
    return next(found, None)


def named(parts: Parts, name: str) -> Preserved:
    """LookupError where there is none of this number."""
    there = preserved(parts)
    for one in there:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in there[:10])
    raise LookupError(
        f"nothing is preserved under {name}",
        f"There is: {known}." if known else "Nothing was preserved yet.",
    )


def aside_of(one: Preserved) -> Path:
    """Where to put what a rollback over it drops."""
    taken = [folder.name.partition(".")[2] for folder in one.folder.parent.glob(f"{one.name}.*")]
    number = 1 + max((int(place) for place in taken if place.isdecimal()), default=0)
    return one.folder.parent / f"{one.name}.{number}"


def mark_restored(one: Preserved) -> None:
    write_atomically(one.folder / RESTORED, json.dumps({"time": time.time()}))


def row(one: Preserved) -> dict[str, Any]:
    """One line of `dayfly preserved ls`; one whose manifest is damaged does not hide the others."""
    from dayfly.database.preserve.manifest import manifest_of  # noqa: PLC0415 - see above

    told: dict[str, Any] = {"preserved": one.name, "app": one.app, "restored": iso(one.restored)}
    try:
        manifest = manifest_of(one.folder)
    except DayflyError as error:
        nothing = {"tables": [], "rows": 0, "bytes": 0}
        return {**told, **dict.fromkeys(("release", "commit", "time", "database")), **nothing,
                "damage": error.message}  # fmt: skip
    return {
        **told,
        "release": manifest.about.release,
        "commit": manifest.about.commit,
        "time": manifest.time,
        "database": manifest.database,
        **figures(manifest),
        "damage": "",
    }


def whole(one: Preserved) -> dict[str, Any]:
    """With its tables, the SQL that brings the schema back, and whether its files are whole."""
    from dayfly.database.preserve.manifest import manifest_of, verify  # noqa: PLC0415 - see above

    told = row(one)
    if not told["damage"]:
        told["tables"] = [
            {
                "table": table.shown,
                "columns": None if table.whole else list(table.lost),
                "key": list(table.key),
                **asdict(table.file),
            }
            for table in manifest_of(one.folder).data
        ]
        try:
            verify(one.folder)
        except DayflyError as error:
            told["damage"] = error.message
    return {**told, "folder": str(one.folder), "restoration": one.restoration or None}


def put_back(parts: Parts, one: Preserved, *, table: str, accept: str) -> dict[str, Any]:
    """The values alone, into the schema as it is; `accept`: why what was written since may go."""
    from dayfly.database.preserve.restoring import put_values  # noqa: PLC0415 - see above

    url = _url(parts, one)
    try:
        done = put_values(url, one.folder, table=table, accept=bool(accept))
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


def _order(name: str) -> tuple[int, ...]:
    """Newest last: 7, 7.1, 7-contract, 7-contract-2."""
    return tuple(int(part) for part in re.findall(r"\d+", name.replace(_CONTRACT, ".1000000")))


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with translated(path):
        found: dict[str, Any] = json.loads(path.read_text())
    return found
