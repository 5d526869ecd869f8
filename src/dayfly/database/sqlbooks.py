"""Which SQL files have run: our own table, or Flyway's where that is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from dayfly.database.books import FLYWAY, OURS
from dayfly.database.sqlnames import SqlFile, SqlFileError, version_of

_FIND = """
    SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = %s AND c.relkind IN ('r', 'p')
    ORDER BY n.nspname <> ALL (current_schemas(false)), n.nspname LIMIT 1
"""
_NEW = """
    CREATE TABLE IF NOT EXISTS {} (
        name text PRIMARY KEY, sha256 text NOT NULL, applied timestamptz NOT NULL DEFAULT now()
    )
"""
_OURS = "SELECT name, sha256, 0, NULL, true FROM {} ORDER BY name"
_FLYWAYS = """
    SELECT script, NULL, checksum, CASE WHEN type LIKE '%BASELINE%' THEN version END, success
    FROM {} WHERE type IN ('SQL', 'BASELINE', 'SQL_BASELINE') ORDER BY installed_rank
"""
_WRITE_OURS = """
    INSERT INTO {} (name, sha256) VALUES (%(name)s, %(sha256)s)
    ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied = now()
"""
_WRITE_FLYWAYS = """
    INSERT INTO {} (installed_rank, version, description, type, script, checksum, installed_by,
                    execution_time, success)
    SELECT coalesce(max(installed_rank), 0) + 1, %(version)s, %(description)s, 'SQL', %(name)s,
           %(checksum)s, current_user, %(milliseconds)s, true FROM {}
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A file that has run, as it was then."""

    name: str
    sha256: str | None
    checksum: int | None
    success: bool


@dataclass(frozen=True, kw_only=True)
class Books:
    """A bookkeeping table and what it says."""

    table: sql.Identifier
    flyway: bool
    runs: Mapping[str, Run]
    baseline: tuple[int, ...] = ()  # up to here nothing is run


def books_of(connection: Connection, files: Sequence[SqlFile]) -> Books | None:
    """What is written down; None before the first run."""
    flyway = any(file.version or file.repeatable for file in files)
    schema = _schema(connection, FLYWAY) if flyway else None
    if schema:
        return _read(connection, sql.Identifier(schema, FLYWAY), _FLYWAYS, flyway=True)
    schema = _schema(connection, OURS)
    if schema:
        return _read(connection, sql.Identifier(schema, OURS), _OURS, flyway=False)
    return None


def new_books(connection: Connection) -> Books:
    row = connection.execute("SELECT current_schema()::text").fetchone()
    if row is None or row[0] is None:
        raise SqlFileError(
            "the database has no schema to write into",
            hint="CREATE SCHEMA public; and GRANT CREATE, USAGE ON SCHEMA public to this user.",
        )
    table = sql.Identifier(row[0], OURS)
    connection.execute(sql.SQL(_NEW).format(table))
    return Books(table=table, flyway=False, runs={})


def write_down(connection: Connection, books: Books, file: SqlFile, seconds: float) -> None:
    statement = sql.SQL(_WRITE_FLYWAYS if books.flyway else _WRITE_OURS)
    fields: dict[str, Any] = {"name": file.name, "sha256": file.sha256}
    if books.flyway:
        head, _, title = file.name.removesuffix(".sql").partition("__")
        fields |= {
            "version": None if file.repeatable else head[1:].replace("_", "."),
            "description": title.replace("_", " "),
            "checksum": file.checksum,
            "milliseconds": round(seconds * 1000),
        }
    connection.execute(statement.format(books.table, books.table), fields)


def _schema(connection: Connection, table: str) -> str | None:
    row = connection.execute(_FIND, (table,)).fetchone()
    return str(row[0]) if row else None


def _read(connection: Connection, table: sql.Identifier, question: Any, *, flyway: bool) -> Books:  # noqa: ANN401 - a literal
    rows = connection.execute(sql.SQL(question).format(table)).fetchall()
    baselines = [version_of(row[3]) for row in rows if row[3]]
    return Books(
        table=table,
        flyway=flyway,
        runs={
            row[0]: Run(name=row[0], sha256=row[1], checksum=row[2], success=row[4])
            for row in rows
            if not row[3]
        },
        baseline=max(baselines, default=()),
    )
