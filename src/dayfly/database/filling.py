"""A few synthetic rows in every table of a copy, so that data migrations have work."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from psycopg import Connection, errors, sql
from psycopg import Error as PostgresError

from dayfly.database.orphans import qualified, remove_orphans
from dayfly.database.production import Table
from dayfly.database.shapes import Column, Reference, Rule, Shape, shapes
from dayfly.database.synthetic import candidates, inside, value

ROWS = 3
SPARSE = 2  # the row that has NULL where it may
ATTEMPTS = 80  # for one row
MOST_PARTITIONS = 8  # of one table
_PASSES = 5
_FIRST_FREE = 1000  # of sequences: the rows have small numbers
_SEQUENCES = """
    SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, least(%s, max_value))
    FROM pg_sequences WHERE increment_by > 0 AND min_value <= %s AND schemaname !~ '^pg_'
    AND coalesce(last_value, 0) < least(%s, max_value)
"""
_BY_HAND = "SELECT {} FROM {} WHERE ({}) IS NOT NULL ORDER BY 1 LIMIT %s"
_VIEWS = """
    SELECT schemaname::text, matviewname::text FROM pg_matviews
    WHERE NOT ispopulated AND schemaname !~ '^pg_' ORDER BY 1, 2
"""

Row = dict[str, str | None]  # columns that are left out have their default


@dataclass
class _Work:
    """What is filled so far: rows by table."""

    connection: Connection
    shapes: Mapping[int, Shape]
    rows: dict[int, list[Row]] = field(default_factory=dict)


def fill(connection: Connection, copied: Collection[Table] = ()) -> tuple[str, ...]:
    """Fill every table but those whose rows were copied; the names of those that stay empty.

    Triggers and foreign keys are off meanwhile; rows that refer to nothing are removed again.
    """
    work = _Work(connection, shapes(connection))
    connection.execute("SET session_replication_role = replica")
    tables = [shape for shape in _in_order(work.shapes) if shape.table not in copied]
    parents: dict[int, int] = {}
    for shape in tables:
        parent = shape.bounds[0].parent if shape.bounds else 0
        parents[parent] = parents.get(parent, 0) + 1
        if not parent or parents[parent] <= MOST_PARTITIONS:
            _fill(work, shape)
    remove_orphans(connection, tables, work.shapes)
    connection.execute(_SEQUENCES, (_FIRST_FREE,) * 3)
    connection.execute("RESET session_replication_role")
    _refresh(connection)
    return tuple(sorted(_empty(connection, tables)))


def _in_order(found: Mapping[int, Shape]) -> list[Shape]:
    """Tables after those they refer to; where they refer to each other, as they come."""
    graph = {
        oid: {one.table for one in shape.references if one.table in found and one.table != oid}
        for oid, shape in found.items()
    }
    while True:
        try:
            return [found[oid] for oid in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            before, after = error.args[1][:2]
            graph[after].discard(before)


def _fill(work: _Work, shape: Shape) -> None:
    forced: Row = {}
    for number in range(1, ROWS + 1):
        styles = (True, False) if number == SPARSE else (False,)
        for sparse in styles:
            row = _first_try(work, shape, number, sparse=sparse)
            if row is not None and _insert(work, shape, row | forced, forced):
                break


def _first_try(work: _Work, shape: Shape, number: int, *, sparse: bool) -> Row | None:
    """A row by the types of its columns and the rows it refers to; None where none can be."""
    row = _by_types(shape, number, sparse=sparse)
    for reference in shape.references:
        if sparse and all(row.get(name, "") is None for name in reference.columns):
            continue
        referred = _referred(work, shape, reference, number)
        if referred is not None:
            row |= dict(zip(reference.columns, referred, strict=True))
    for bound in shape.bounds:
        key = inside(bound.text, bound.columns)
        if key is None:
            return None
        row |= key
    return row


def _by_types(shape: Shape, number: int, *, sparse: bool) -> Row:
    row: Row = {}
    for column in shape.columns:
        if sparse and not column.required and not column.key:
            row[column.name] = None
        elif not column.default or column.key:
            row[column.name] = value(column.type, number)
    return row


def _referred(
    work: _Work, shape: Shape, reference: Reference, number: int
) -> tuple[str | None, ...] | None:
    """The key of a row of the other table."""
    if reference.table == shape.id:
        types = {column.name: column.type for column in shape.columns}
        return tuple(value(types[name], number) for name in reference.referred)
    found = work.rows.get(reference.table)
    if found is None:
        found = work.rows[reference.table] = _there(work, reference)
    known = [row for row in found if all(row.get(name) is not None for name in reference.referred)]
    if not known:
        return tuple(None for _ in reference.columns) if _may_be_empty(shape, reference) else None
    row = known[(number - 1) % len(known)]
    return tuple(row[name] for name in reference.referred)


def _there(work: _Work, reference: Reference) -> list[Row]:
    """Rows that are in a table already: copied ones, or those of partitions."""
    name, names = qualified(work.connection, reference.table), reference.referred
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(one)) for one in names)
    keys = sql.SQL(", ").join(sql.Identifier(one) for one in names)
    question = sql.SQL(_BY_HAND).format(columns, name, keys)
    return [
        dict(zip(names, row, strict=True)) for row in work.connection.execute(question, (ROWS,))
    ]


def _may_be_empty(shape: Shape, reference: Reference) -> bool:
    required = {column.name for column in shape.columns if column.required}
    return not required & set(reference.columns)


def _insert(work: _Work, shape: Shape, row: Row, forced: Row) -> bool:
    """Insert a row; where a check refuses it, with other values of the columns it looks at."""
    left = [ATTEMPTS]
    return _attempt(work, shape, row, forced, left)


def _attempt(work: _Work, shape: Shape, row: Row, forced: Row, left: list[int]) -> bool:
    refused = _refusal(work, shape, row)
    if refused is None:
        return True
    broken: set[str] = set()
    while refused and left[0] > 0 and refused not in broken:
        broken.add(refused)
        rule = next((rule for rule in shape.rules if rule.name == refused), None)
        if rule is None:
            return False
        for change in _changes(shape, rule):
            left[0] -= 1
            outcome = _refusal(work, shape, row | change)
            if outcome is None:
                forced |= {name: text for name, text in change.items() if not _key(shape, name)}
                return True
            if left[0] <= 0:
                return False
            if outcome not in {refused, ""}:
                row, refused = row | change, outcome
                break
        else:
            return False
    return False


def _key(shape: Shape, name: str) -> bool:
    return any(column.key for column in shape.columns if column.name == name)


def _changes(shape: Shape, rule: Rule) -> Iterator[Row]:
    """One column after the other, then two at a time."""
    columns = [column for column in shape.columns if column.name in rule.columns]
    options = {column.name: list(_options(column, rule)) for column in columns}
    for name, texts in options.items():
        yield from ({name: text} for text in texts)
    if len(columns) > 1:
        yield dict.fromkeys((c.name for c in columns if not c.required), None)
    for one, other in itertools.permutations(options, 2):
        for first, second in itertools.product(options[one][:4], options[other][:4]):
            yield {one: first, other: second}


def _options(column: Column, rule: Rule) -> Iterator[str | None]:
    yield from dict.fromkeys(candidates(column.type, rule.text))
    if not column.required:
        yield None


def _refusal(work: _Work, shape: Shape, row: Row) -> str | None:
    """Try a row: None when it is in, else the name of the check that refused it, or nothing."""
    statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        sql.Identifier(*shape.table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Literal(text) for text in row.values()),
    )
    if not row:
        statement = sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier(*shape.table))
    try:
        work.connection.execute(statement)
    except errors.CheckViolation as error:
        return error.diag.constraint_name or ""
    except PostgresError:
        return ""
    work.rows.setdefault(shape.id, []).append(row)
    return None


def _refresh(connection: Connection) -> None:
    """Views that keep rows are restored empty, and refuse to be read; one may need another."""
    for _ in range(_PASSES):
        for schema, name in connection.execute(_VIEWS).fetchall():
            try:
                connection.execute(
                    sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name))
                )
            except PostgresError:
                continue  # told by staying unpopulated


def _empty(connection: Connection, tables: list[Shape]) -> Iterator[str]:
    for shape in tables:
        if shape.bounds:
            continue
        question = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(*shape.table))
        row = connection.execute(question).fetchone()
        if row and not row[0]:
            yield ".".join(shape.table)
    for schema, name in connection.execute(_VIEWS):
        yield f"{schema}.{name}"
