"""Questions to production's rows, read-only, that tell whether a migration would fail on them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from dayfly.database.connection import connect
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.evidence.limits import Exclusion
from dayfly.database.impact.schema.catalogue import Column, Constraint, Index, Key, Relation, Thing
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.schema.types import bounds, is_text, length
from dayfly.database.problems import connecting
from dayfly.database.programs import DatabaseError

FAILS = -1  # the answer where a value of some row cannot be computed
Ask = Callable[[str], int | None]  # a query that counts; None when it could not be answered

LARGEST = 2_690  # bytes of a value as it is stored: a page of a btree holds three entries
_WIDE = ("jsonb", "bytea")
MOST = 1_000_000  # rows counted at the most: one is enough to fail


@dataclass(frozen=True, kw_only=True)
class Question:
    """Counts the rows on which a change would fail, or only tries them (`FAILS`, else 0)."""

    sql: str
    what: str  # "rows in which name is NULL"
    table: int
    key: Key


@contextmanager
def asker(url: str, *, seconds: float) -> Iterator[Ask]:
    """Ask a database (a replica, if there is one) without ever writing or waiting for a lock."""
    with connecting(url):
        connection = connect(url, autocommit=True)
    with connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SET row_security = off")  # no answer, rather than one of some rows
        for name in ("statement_timeout", "lock_timeout"):
            connection.execute("SELECT set_config(%s, %s, false)", (name, f"{seconds:g}s"))
        yield lambda query: _answer(connection, query)


def _answer(connection: psycopg.Connection[Any], query: str) -> int | None:
    try:
        row = connection.execute(query.encode()).fetchone()
    except psycopg.OperationalError as error:
        if connection.closed:
            raise DatabaseError(f"the database went away: {error}") from error
        if isinstance(error, psycopg.errors.SerializationFailure):
            raise DatabaseError("it ended a question, to go on with its replication") from error
        return None  # timed out
    except psycopg.DataError:
        return FAILS
    except psycopg.Error:
        return None  # of a schema that is not there yet
    return int(row[0]) if row else None


def questions(what: Comparison) -> Iterator[Question]:
    """For each change that the rows may refuse, in the words of the schema before."""
    for column in what.before.of(Column):
        now = what.after.things.get(column.key)
        owner = what.before.relation(column.table)
        if isinstance(now, Column) and owner is not None and owner.kind in "rp":
            yield from _of_column(what, column, now)
    yield from _of_generated(what)
    for constraint in what.after.of(Constraint):
        old = what.before.things.get(constraint.key)
        validated = isinstance(old, Constraint) and constraint.valid and not old.valid
        if constraint.valid and (validated or what.is_new(constraint)):
            yield from _of_constraint(what, constraint)
    yield from _of_indexes(what)
    yield from _of_bounds(what)


def _of_bounds(what: Comparison) -> Iterator[Question]:
    for oid, bound in what.limits.bounds.items():
        table = shown(what.before, oid)
        query = counted(f"SELECT 1 FROM {table} WHERE NOT ({bound.condition})")  # noqa: S608 - PostgreSQL's own words
        told = f"rows in {table} that its new bounds refuse"
        yield Question(sql=query, what=told, table=oid, key=bound.partition)


def _of_generated(what: Comparison) -> Iterator[Question]:
    for column, owner in what.added(Column):
        if column.expression and owner.kind in "rp":
            value = f"({column.expression})::{column.type}"
            yield _computed(what, column, owner, (value, "", column.expression))


def _of_indexes(what: Comparison) -> Iterator[Question]:
    backing = {constraint.index for constraint in what.after.of(Constraint)}
    for index, owner in what.added(Index):
        if index.unique and index.oid not in backing:
            yield from _of_index(what, index, owner)
        if index.key in what.indexed:
            found = what.indexed[index.key]
            told = ", ".join(filter(None, (found.values, found.where)))
            yield _computed(what, index, owner, (found.values, found.where, told))
        if " USING btree " in index.definition and not index.partial:
            yield from _of_lengths(what, index, owner)


def values(what: Comparison, column: Column) -> str:
    """Counts up to one: whether production has any value of a column."""
    table, name = shown(what.before, column.table), quoted(column.name)
    return f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {name} IS NOT NULL LIMIT 1) found"  # noqa: S608 - names are quoted


def _of_column(what: Comparison, old: Column, new: Column) -> Iterator[Question]:
    name = quoted(old.name)
    if new.not_null and not old.not_null:
        yield _rows(what, old, f"{name} IS NULL", f"rows in which {name} is NULL")
    longest, was = length(new.type), length(old.type)
    if longest is not None and old.type != new.type and (was is None or longest < was):
        over = f"length({name}::text) > {longest}"
        yield _rows(what, old, over, f"values of {name} longer than {longest}")
    limits = bounds(new.type)
    if limits and old.type != new.type and bounds(old.type) not in (None, limits):
        beyond = f"{name} NOT BETWEEN {limits[0]} AND {limits[1]}"
        yield _rows(what, old, beyond, f"values of {name} outside {new.type}")


def _rows(what: Comparison, column: Column, condition: str, told: str) -> Question:
    table = shown(what.before, column.table)
    query = counted(f"SELECT 1 FROM {table} WHERE {condition}")  # noqa: S608 - names are quoted
    return Question(sql=query, what=told, table=column.table, key=column.key)


def _of_constraint(what: Comparison, now: Constraint) -> Iterator[Question]:
    owner = what.former(now.table)
    if owner is None:
        return
    table, columns = shown(what.before, owner.oid), what.after.columns(now.table, now.columns)
    names = [quoted(column.name) for column in columns]
    if now.kind == "c":
        expression = now.definition.removeprefix("CHECK ").removesuffix(" NOT VALID")
        query = f"SELECT 1 FROM {table} WHERE NOT {expression}"  # noqa: S608 - PostgreSQL's own words
        told = f"rows that break {expression}"
    elif now.kind in "up" and names:
        query, told = (
            _doubles(table, names),
            f"values of {', '.join(names)} that are there twice",
        )
    elif now.kind == "f":
        query, told = _orphans(what, table, names, now)
    elif now.key in what.limits.exclusions:
        pairs = _pairs(table, what.limits.exclusions[now.key])
        told = f"rows that exclude others: {now.definition}"
        yield Question(sql=pairs, what=told, table=owner.oid, key=now.key)
        return
    else:
        return
    if query:
        yield Question(sql=counted(query), what=told, table=owner.oid, key=now.key)


def _of_index(what: Comparison, index: Index, owner: Relation) -> Iterator[Question]:
    columns = what.after.columns(index.table, index.columns)
    if index.partial or len(columns) != len(index.columns):
        return
    names = [quoted(column.name) for column in columns]
    query = counted(_doubles(shown(what.before, owner.oid), names))
    told = f"values of {', '.join(names)} that are there twice"
    yield Question(sql=query, what=told, table=owner.oid, key=index.key)


def _computed(
    what: Comparison, thing: Thing, owner: Relation, computed: tuple[str, str, str]
) -> Question:
    """What, of which rows, in which words. What nobody uses is not computed: so it is counted."""
    values, where, told = computed
    query = f"SELECT count(ROW({values})) * 0 FROM {shown(what.before, owner.oid)}"  # noqa: S608 - PostgreSQL's own words
    query += f" WHERE {where}" if where else ""
    return Question(sql=query, what=f"rows that refuse {told}", table=owner.oid, key=thing.key)


def _of_lengths(what: Comparison, index: Index, owner: Relation) -> Iterator[Question]:
    """Old columns that may hold anything; an index refuses what is too long, rather than cut it."""
    for column in what.after.columns(index.table, index.columns):
        old = what.before.things.get(column.key)
        wide = length(column.type) is None if is_text(column.type) else column.type in _WIDE
        if isinstance(old, Column) and wide:
            name = quoted(old.name)
            over = f"pg_column_size({name}) > {LARGEST}"
            query = counted(f"SELECT 1 FROM {shown(what.before, owner.oid)} WHERE {over}")  # noqa: S608 - names are quoted
            told = f"values of {name} too long for an index"
            yield Question(sql=query, what=told, table=owner.oid, key=index.key)


def _doubles(table: str, names: list[str]) -> str:
    listed = ", ".join(names)
    present = " AND ".join(f"{name} IS NOT NULL" for name in names)
    return f"SELECT 1 FROM {table} WHERE {present} GROUP BY {listed} HAVING count(*) > 1"  # noqa: S608 - names are quoted


def _pairs(table: str, exclusion: Exclusion) -> str:
    """Looks for one only: as many as there are rows would have to be tried with each."""
    columns = ", ".join(f"{value} AS v{n}" for n, value in enumerate(exclusion.values))
    where = f" WHERE {exclusion.where}" if exclusion.where else ""
    related = " AND ".join(f"a.v{n} {sign} b.v{n}" for n, sign in enumerate(exclusion.operators))
    return (
        f"SELECT count(*) * {FAILS} FROM (WITH numbered AS "  # noqa: S608 - PostgreSQL's own words
        f"(SELECT row_number() OVER () AS number, {columns} FROM {table}{where}) SELECT 1 "
        f"FROM numbered a JOIN numbered b ON a.number < b.number AND {related} LIMIT 1) found"
    )


def _orphans(what: Comparison, table: str, names: list[str], now: Constraint) -> tuple[str, str]:
    target = what.former(now.target)
    if target is None:
        return "", ""
    inside = now.definition.split("REFERENCES", 1)[1]
    others = [word.strip() for word in inside[inside.index("(") + 1 : inside.index(")")].split(",")]
    pairs = [f"p.{other} = c.{name}" for other, name in zip(others, names, strict=True)]
    present = " AND ".join(f"c.{name} IS NOT NULL" for name in names)
    parent = shown(what.before, target.oid)
    query = (
        f"SELECT 1 FROM {table} c WHERE {present} AND NOT EXISTS "  # noqa: S608 - names are quoted
        f"(SELECT 1 FROM {parent} p WHERE {' AND '.join(pairs)})"
    )
    return query, f"rows whose {', '.join(names)} names no row of {parent}"


def counted(query: str) -> str:
    return f"SELECT count(*) FROM ({query} LIMIT {MOST}) found"  # noqa: S608 - our own words
