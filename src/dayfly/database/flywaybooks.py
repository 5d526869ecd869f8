"""Flyway's own bookkeeping table, read and continued as Flyway does it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from dayfly.database.books import FLYWAY
from dayfly.database.sqlnames import SqlFile, SqlFileError, version_of

NEW: tuple[LiteralString, ...] = (
    """
    CREATE TABLE IF NOT EXISTS {table} (
        "installed_rank" INT NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY,
        "version" VARCHAR(50), "description" VARCHAR(200) NOT NULL, "type" VARCHAR(20) NOT NULL,
        "script" VARCHAR(1000) NOT NULL, "checksum" INTEGER, "installed_by" VARCHAR(100) NOT NULL,
        "installed_on" TIMESTAMP NOT NULL DEFAULT now(), "execution_time" INTEGER NOT NULL,
        "success" BOOLEAN NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS flyway_schema_history_s_idx ON {table} (success)",
)
READ: LiteralString = (
    "SELECT type, version, script, checksum, success FROM {table} ORDER BY installed_rank"
)
WRITE: LiteralString = """
    INSERT INTO {table} (installed_rank, version, description, type, script, checksum, installed_by,
                    execution_time, success)
    SELECT coalesce(max(installed_rank), 0) + 1, %(version)s, %(description)s, 'SQL', %(name)s,
           %(checksum)s, current_user, %(milliseconds)s, true FROM {table}
"""


@dataclass(frozen=True)
class Row:
    """One line of it, in the order of its columns."""

    type: str
    version: str | None
    script: str
    checksum: int | None
    success: bool


@dataclass(frozen=True, kw_only=True)
class History:
    """What still holds of all that is written there."""

    ran: Mapping[str, Row]  # by script, the last time it ran
    baseline: tuple[int, ...] = ()


def history(rows: Iterable[Row]) -> History:
    """SqlFileError where Flyway has run what only it can run."""
    ran: dict[str, Row] = {}
    baselines: list[tuple[int, ...]] = []
    for row in rows:
        if row.type == "SQL":
            ran[row.script] = row
        elif row.type == "DELETE":  # by flyway repair: the file is gone on purpose
            ran.pop(row.script, None)
        elif row.type.startswith("UNDO"):
            ran = {name: one for name, one in ran.items() if one.version != row.version}
        elif row.type.endswith("BASELINE"):
            baselines.append(version_of(row.version or "0"))
        elif row.type != "SCHEMA":
            raise _only_flyway(row)
    return History(ran=ran, baseline=max(baselines, default=()))


def fields(file: SqlFile, seconds: float) -> Mapping[str, Any]:
    """What is written down of a file that has run."""
    head, _, title = file.name.removesuffix(".sql").partition("__")
    return {
        "name": file.name,
        "version": None if file.repeatable else head[1:].replace("_", "."),
        "description": title.replace("_", " "),
        "checksum": file.checksum,
        "milliseconds": round(seconds * 1000),
    }


def rows_of(found: Iterable[Sequence[Any]]) -> list[Row]:
    return [Row(*one) for one in found]


def _only_flyway(row: Row) -> SqlFileError:
    return SqlFileError(
        f"{FLYWAY} names {row.script}, which is no SQL ({row.type}): only Flyway can run it",
        hint='Let Flyway run all of them: migrate = "flyway migrate".',
    )
