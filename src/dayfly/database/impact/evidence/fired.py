"""Do triggers and functions that stay still run? They are fired and called on the copy."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from dayfly.database.captured import Transaction
from dayfly.database.connection import connect
from dayfly.database.impact.evidence.callable import (
    NAMES,
    ROUTINES,
    TABLES,
    Called,
    Firing,
    called_by,
    concerned,
    made_up,
    otherwise,
    reaching,
    words_of,
)
from dayfly.database.impact.evidence.leftout import (
    Doing,
    Untried,
    leaves,
    routines_left,
    tables_left,
)

Connection = psycopg.Connection[Any]

# Told by other rules, or no fault of the schema: a value made up, a row refused, an exception
# raised, a right.
_TOLD = ("22", "23", "P0", "40", "53", "54", "55", "57")
_FORBIDDEN = "42501"
_SETTINGS = {"statement_timeout": "2s", "lock_timeout": "2s"}


@dataclass(frozen=True, kw_only=True)
class Failing:
    """What worked before the migration and fails inside a function now."""

    doing: Doing
    sqlstate: str
    message: str
    context: str


@dataclass(frozen=True, kw_only=True)
class Exercised:
    failing: tuple[Failing, ...] = ()
    untried: tuple[Untried, ...] = ()
    ran: frozenset[Doing] = frozenset()  # before and after


NOTHING = Exercised()


@dataclass
class Exercise:
    """The writes and calls that worked on the old schema."""

    url: str
    role: str
    tables: tuple[Firing, ...] = ()
    routines: tuple[Called, ...] = ()
    rows: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    worked: frozenset[Doing] = frozenset()
    untried: tuple[Untried, ...] = ()

    def again(self) -> Exercised:
        """On the new schema."""
        if not self.worked:
            return Exercised(untried=self.untried)
        with connect(self.url, autocommit=True) as connection:
            now = {table.key: table for table in _firing(connection)}
        self.tables = tuple(t.as_it_fires(now[t.key]) for t in self.tables if t.key in now)
        found = _exercised(self)
        failing = [
            Failing(
                doing=doing,
                sqlstate=error.sqlstate or "",
                message=error.diag.message_primary or "",
                context=error.diag.context or "",
            )
            for doing, error in found.items()
            if error is not None and doing in self.worked and _counts(error)
        ]
        ran = self.worked & {doing for doing, error in found.items() if error is None}
        return Exercised(failing=tuple(failing), ran=ran, untried=self.untried)


def exercise(
    url: str,
    transactions: Iterable[Transaction],
    role: str = "",
    statements: Collection[str] = (),
) -> Exercise:
    """Nothing of it stays; only what the statements of the migration may concern is tried.

    `statements` are those that production has seen.
    """
    said = words_of(s.text for each in transactions for s in each.statements)
    with connect(url, autocommit=True) as connection:
        known = {row[0] for row in connection.execute(NAMES)}
        routines = [Called(*row) for row in connection.execute(ROUTINES)]
        tables = _firing(connection)
    said &= known
    touched = concerned(said, routines)
    left = reaching(routines)
    asked = Exercise(
        url=url,
        role=role,
        tables=tuple(t for t in tables if t.uses(said, touched) and not leaves(t, left)),
        routines=tuple(r for r in routines if not r.why_not and r.oid in touched - left),
    )
    asked.rows = _rows(asked)
    found = _exercised(asked)
    asked.worked = frozenset(doing for doing, error in found.items() if error is None)
    asked.untried = (
        *routines_left(
            [each for each in routines if each.oid in touched],
            left,
            found,
            called_by(statements, routines),
        ),
        *tables_left([t for t in tables if t.uses(said, touched)], left, found, routines),
    )
    return asked


def _firing(connection: Connection) -> list[Firing]:
    return [Firing(*row) for row in connection.execute(TABLES)]


def _counts(error: psycopg.Error) -> bool:
    """Whether it came out of a function: what fails of itself is told elsewhere."""
    state = error.sqlstate or ""
    inside = "function" in (error.diag.context or "")
    return inside and not state.startswith(_TOLD) and state != _FORBIDDEN


def _rows(asked: Exercise) -> dict[str, tuple[str | None, ...]]:
    """A row of each table, as the outgoing release may write it."""
    found: dict[str, tuple[str | None, ...]] = {}
    with connect(asked.url, autocommit=True) as connection:
        for table in asked.tables:
            listed = sql.SQL(", ").join(
                sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.columns
            )
            query = sql.SQL("SELECT {} FROM {} LIMIT 1").format(listed, table.identifier)
            try:
                row = connection.execute(query).fetchone()
            except psycopg.Error:
                continue  # of a server that is not there for a foreign partition
            if row:
                found[table.key] = row
    return found


def _exercised(asked: Exercise) -> dict[Doing, psycopg.Error | None]:
    found: dict[Doing, psycopg.Error | None] = {}
    if not (asked.rows or asked.routines):
        return found
    with connect(asked.url, autocommit=True) as connection:
        for name, value in _SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        for table in asked.tables:
            if table.key in asked.rows:
                found |= _of_table(connection, table, asked.rows[table.key], asked.role)
        for routine in asked.routines:
            with connection.transaction(force_rollback=True):
                _as(connection, asked.role)
                found[routine.doing] = _tried(connection, made_up(routine))
    return found


def _of_table(
    connection: Connection, table: Firing, row: tuple[str | None, ...], role: str
) -> dict[Doing, psycopg.Error | None]:
    """One row of it changed, deleted and put in again; foreign keys don't look at it."""
    found: dict[Doing, psycopg.Error | None] = {}
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            connection.execute(table.only_its_own)
            _as(connection, role)
            for verb, statement in _changes(table):
                found[verb, table.schema, table.name] = _tried(connection, statement)
            connection.execute("RESET ROLE")
            connection.execute(table.none)
            connection.execute(table.removal)
            connection.execute(table.only_its_own)
            _as(connection, role)
            found["INSERT", table.schema, table.name] = _tried(connection, table.insertion, row)
    except psycopg.Error as error:  # it cannot be done here
        found["fire", table.schema, table.name] = error
    return found


def _changes(table: Firing) -> Iterator[tuple[str, sql.Composed]]:
    """Also each column to another value: triggers look whether anything differs."""
    yield "UPDATE", table.update(dict.fromkeys(table.columns, "{0}"))
    for column, kind in zip(table.columns, table.types, strict=True):
        other = otherwise(kind)
        if other:
            yield f"UPDATE {column}", table.update({column: other})
    yield "DELETE", table.removal


def _as(connection: Connection, role: str) -> None:
    if role:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))


def _tried(
    connection: Connection, text: sql.Composed, given: Sequence[str | None] = ()
) -> psycopg.Error | None:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(text, given or None)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return error
    return None
