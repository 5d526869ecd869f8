"""The exports that are kept: of which release they are, what lies in them, what became of them."""

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.durable import translated, write_atomically
from dayfly.errors import DayflyError
from dayfly.release import archived, untouched
from dayfly.release.receipt import iso
from dayfly.release.work import Parts, Work

if TYPE_CHECKING:
    from dayfly.database.preserve.manifest import Manifest

RESTORATION, RESTORED, DROPPED = "restoration.json", "restored.json", "dropped.json"
MANIFEST = "manifest.json"
CONTRACT = "-contract"  # at the end of the name of what contract migrations took away


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
        return CONTRACT in self.name

    @property
    def aside(self) -> bool:
        return "." in self.name

    @property
    def loses(self) -> tuple[str, ...]:
        return tuple(self.restoration.get("loses", ()))

    @property
    def why(self) -> str:
        """Why it cannot be restored with its schema, or not all of it; empty where it can."""
        return self.dropped or str(self.restoration.get("why", ""))

    @property
    def unlike(self) -> tuple[str, ...]:
        """What of the schema does not come back exactly."""
        return tuple(self.restoration.get("unlike", ()))

    @property
    def comes_back(self) -> bool:
        """With the schema, though `why` may say what else was lost."""
        return not self.why or (not self.dropped and bool(self.restoration.get("partly")))

    @property
    def dropped(self) -> str:
        """Who has dropped it, when and why; empty where it is there."""
        told = _read(self.folder / DROPPED)
        return f"{told['who']} dropped it ({iso(told['time'])}): {told['why']}" if told else ""

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

    told: dict[str, Any] = {
        "preserved": one.name,
        "app": one.app,
        "restored": iso(one.restored),
        "dropped": one.dropped,
    }
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


def whole(parts: Parts, one: Preserved) -> dict[str, Any]:
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
            if not one.dropped:
                with archived.laid_out(parts, one.folder) as folder:
                    verify(folder)
        except DayflyError as error:
            told["damage"] = error.message
    return {**told, "folder": archived.told(one.folder), "restoration": one.restoration or None}


def kept(folder: Path) -> bool:
    """Whether an export lies there as a whole."""
    return (folder / MANIFEST).is_file()


def figures(made: "Manifest") -> dict[str, Any]:
    return {
        "tables": [table.shown for table in made.data],
        "rows": made.rows,
        "bytes": made.bytes,
    }


def _order(name: str) -> tuple[int, ...]:
    """Newest last: 7, 7.1, 7-contract, 7-contract-2."""
    return tuple(int(part) for part in re.findall(r"\d+", name.replace(CONTRACT, ".1000000")))


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with translated(path):
        found: dict[str, Any] = json.loads(path.read_text())
    return found
