"""A schema made from nothing by its migrations, compared with production's."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from dayfly.database.connection import connect
from dayfly.database.copy import Copies
from dayfly.database.drift import Drift, compared, findings, unknown
from dayfly.database.dump import fingerprint
from dayfly.database.guard import StrayError
from dayfly.database.impact.assess import Impact
from dayfly.database.impact.finding import Finding
from dayfly.database.impact.schema.catalogue import Catalogue, Key
from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.sqlfiles import History, run_files
from dayfly.errors import DayflyError

_FORMAT = "1"  # of what is kept
_OF_EXTENSIONS = """
    SELECT CASE classid WHEN 'pg_class'::regclass THEN 'Relation'
        WHEN 'pg_proc'::regclass THEN 'Routine' WHEN 'pg_type'::regclass THEN 'Type'
        ELSE 'Schema' END, objid::int8
    FROM pg_depend WHERE deptype = 'e'
    AND classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass,
                    'pg_namespace'::regclass)
"""
Drifted = Callable[[Copies, str, Impact], Sequence[Finding]]  # copies, the migrated one, the answer


def by_files(history: History | None) -> Drifted:
    """Of what production has run of a directory; kept with its schema for the next question."""

    def drifted(copies: Copies, _migrated: str, impact: Impact) -> Sequence[Finding]:
        if not history:
            return ()
        kept = copies.base and copies.base / f"drift-{_named(history)}.json"
        if kept and kept.exists():
            drift = tuple(Drift(**each) for each in json.loads(kept.read_text()))
        else:
            try:
                url = copies.empty()
                run_files(url, history)
            except DayflyError as error:
                return [unknown(error.message)]
            drift = _compared(copies.fresh(), url)
            if kept:
                _write(kept, drift)
        return tuple(findings(drift, _touched(impact)))

    return drifted


def _named(history: History) -> str:
    return fingerprint(_FORMAT, *(f"{file.name} {file.sha256}" for file in history))


def by_command(run: Callable[[str], int]) -> Drifted:
    """Of a tool's command, which makes all that is pending as well."""

    def drifted(copies: Copies, migrated: str, impact: Impact) -> Sequence[Finding]:
        url = copies.empty()
        try:
            status = run(copies.as_production(url))
        except StrayError:
            raise
        except DayflyError as error:
            return [unknown(error.message)]
        if status:
            return [unknown(f"the migrate command ends with exit status {status}")]
        return tuple(findings(_compared(migrated, url), _touched(impact)))

    return drifted


def _compared(production: str, made: str) -> tuple[Drift, ...]:
    there, own = _read(production)
    here, other = _read(made)
    return compared(there, here, (own, other))


def _read(url: str) -> tuple[Catalogue, frozenset[Key]]:
    with connect(url, autocommit=True) as connection, connection.transaction():
        rows = connection.execute(_OF_EXTENSIONS).fetchall()
        return snapshot(connection), frozenset((kind, oid, 0) for kind, oid in rows)


def _touched(impact: Impact) -> dict[str, str]:
    return {found.table: found.statement for found in impact.findings if found.statement}


def _write(place: Path, drifted: tuple[Drift, ...]) -> None:
    made = place.with_suffix(".new")
    made.write_text(json.dumps([asdict(each) for each in drifted]))
    made.replace(place)
