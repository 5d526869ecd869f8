"""Which SQL files have run: our own table, or Flyway's where that is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from dayfly.database import flywaybooks
from dayfly.database.books import FLYWAY, OURS
from dayfly.database.sqlnames import SqlFile, SqlFileError, is_flyway

_FIND = """
    SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = %s AND c.relkind IN ('r', 'p')
    ORDER BY n.nspname <> ALL (current_schemas(false)), n.nspname LIMIT 1
"""
_NEW = """
    CREATE TABLE IF NOT EXISTS {table} (
        name text PRIMARY KEY, sha256 text NOT NULL, applied timestamptz NOT NULL DEFAULT now()
    )
"""
_OURS = "SELECT name, sha256 FROM {table} ORDER BY name"
_WRITE_OURS = """
    INSERT INTO {table} (name, sha256) VALUES (%(name)s, %(sha256)s)
    ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied = now()
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A file that has run, as it was then."""

    name: str
    sha256: str | None = None  # in our table
    checksum: int | None = None  # in Flyway's
    success: bool = True


@dataclass(frozen=True, kw_only=True)
class Books:
    """A bookkeeping table and what it says."""

    table: sql.Identifier
    flyway: bool
    runs: Mapping[str, Run]
    baseline: tuple[int, ...] = ()  # up to here nothing is run


def books_of(connection: Connection, files: Sequence[SqlFile]) -> Books | None:
    """What is written down; None before the first run."""
    schema = _schema(connection, FLYWAY) if is_flyway(files) else None
    if schema:
        return _flyways(connection, sql.Identifier(schema, FLYWAY))
    schema = _schema(connection, OURS)
    return _ours(connection, sql.Identifier(schema, OURS)) if schema else None


def new_books(connection: Connection, files: Sequence[SqlFile]) -> Books:
    """Flyway's where the files are named for it, so that it can go on from there."""
    row = connection.execute("SELECT current_schema()::text").fetchone()
    if row is None or row[0] is None:
        raise SqlFileError(
            "the database has no schema to write into",
            hint="CREATE SCHEMA public; and GRANT CREATE, USAGE ON SCHEMA public to this user.",
        )
    flyway = is_flyway(files)
    table = sql.Identifier(row[0], FLYWAY if flyway else OURS)
    for statement in flywaybooks.NEW if flyway else (_NEW,):
        connection.execute(sql.SQL(statement).format(table=table))
    return Books(table=table, flyway=flyway, runs={})


def done_by_hand(file: SqlFile) -> str:
    """SQL that says of a file that it has run, for who knows that it has."""
    table = sql.Identifier(OURS)
    write = sql.SQL("INSERT INTO {} (name, sha256) VALUES ({}, {})").format(
        table, file.name, file.sha256
    )
    told = (sql.SQL(_NEW).format(table=table), write)
    return " ".join(f"{' '.join(each.as_string(None).split())};" for each in told)


def write_down(connection: Connection, books: Books, file: SqlFile, seconds: float) -> None:
    if books.flyway:
        question, fields = flywaybooks.WRITE, flywaybooks.fields(file, seconds)
    else:
        question, fields = _WRITE_OURS, {"name": file.name, "sha256": file.sha256}
    connection.execute(sql.SQL(question).format(table=books.table), fields)


def _schema(connection: Connection, table: str) -> str | None:
    row = connection.execute(_FIND, (table,)).fetchone()
    return str(row[0]) if row else None


def _ours(connection: Connection, table: sql.Identifier) -> Books:
    rows = connection.execute(sql.SQL(_OURS).format(table=table)).fetchall()
    return Books(
        table=table,
        flyway=False,
        runs={name: Run(name=name, sha256=sha256) for name, sha256 in rows},
    )


def _flyways(connection: Connection, table: sql.Identifier) -> Books:
    found = connection.execute(sql.SQL(flywaybooks.READ).format(table=table)).fetchall()
    told = flywaybooks.history(flywaybooks.rows_of(found))
    return Books(
        table=table,
        flyway=True,
        runs={
            name: Run(name=name, checksum=row.checksum, success=row.success)
            for name, row in told.ran.items()
        },
        baseline=told.baseline,
    )
