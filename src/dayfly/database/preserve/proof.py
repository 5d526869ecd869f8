"""The way back of a migration that closes it, tried on copies before production is touched."""

import gzip
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.database.loss import Loss
from dayfly.database.preserve.dumps import otherwise
from dayfly.database.preserve.exporting import preserve, seal
from dayfly.database.preserve.manifest import About, Manifest
from dayfly.database.preserve.positional import positional
from dayfly.database.preserve.restoring import restore, short
from dayfly.errors import DayflyError


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """SQL that brings the schema back, or why not all of it can be brought back."""

    statements: tuple[str, ...] = ()
    why: str = ""
    partly: bool = False  # the schema and what was preserved come back, though not all may
    unlike: tuple[str, ...] = ()  # what will not be exactly as it was

    def as_json(self) -> dict[str, Any]:
        return {
            "statements": list(self.statements),
            "why": self.why,
            "partly": self.partly,
            "unlike": list(self.unlike),
        }


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Two copies, entered with the rights that the restoration will have."""

    before: str
    migrated: str  # is changed by the proof
    dump: Callable[[str], str]  # what pg_dump says of one


def returned(
    twins: Twins,
    losses: Iterable[Loss],
    *,
    schema: str,
    doubts: Iterable[str] = (),
    statements: Callable[[], Iterable[str]] = tuple,
) -> Restoration:
    """Preserve on the copy of before, restore on its migrated twin, and compare the two.

    `doubts` say what else may be lost, in production alone; `statements` are those of the app.
    """
    wanted, before, migrated = tuple(losses), twins.before, twins.migrated
    with tempfile.TemporaryDirectory(prefix="dayfly-") as name:
        kept, again = Path(name, "kept"), Path(name, "again")
        try:
            there = preserve(before, wanted, kept, about=About(), schema=schema)
            seal(migrated, kept)
            done = restore(migrated, kept)
            back = preserve(migrated, wanted, again, about=About(), schema=schema)
            dumps = otherwise(twins.dump(before), twins.dump(migrated))
        except DayflyError as error:
            told = " ".join(f"{error.message} {error.hint}".split())
            return Restoration(why="; ".join((told, *doubts)))
        misplaced = _misplaced(done.reordered, statements)
        why = "; ".join(filter(None, (_missing(there, kept, back, again), misplaced, *doubts)))
        return Restoration(
            statements=done.statements, why=why, partly=bool(why), unlike=(*done.unlike, *dumps)
        )


def _misplaced(tables: tuple[str, ...], statements: Callable[[], Iterable[str]]) -> str:
    found = positional(statements(), tables) if tables else ()
    if not found:
        return ""
    return f"a column comes back as the last one, and `{short(found[0])}` names no columns"


def _missing(there: Manifest, kept: Path, back: Manifest, again: Path) -> str:
    for old, new in zip(there.tables, back.tables, strict=True):
        before, after = _rows(kept / old.file.name), _rows(again / new.file.name)
        if (before != after) if old.book else bool(before - after):
            return f"{old.shown} does not get back all that it had"
    return ""


def _rows(path: Path) -> Counter[bytes]:
    with gzip.open(path) as packed:
        return Counter(packed)
