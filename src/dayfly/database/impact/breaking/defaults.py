"""What inserts of the outgoing release leave to defaults, and which rows that names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg

from dayfly.database.connection import connect
from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.questions import Ask
from dayfly.database.impact.replay.effects import Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Constraint, Index, Key
from dayfly.database.impact.schema.names import quoted, shown

CHECKED, DUPLICATE, ORPHAN = "23514", "23505", "23503"
_DIFFERS = re.compile(r"nextval\(|uuid\w*\(|random\w*\(|clock_timestamp\(")


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The row that a default refers to: how to count it, and whether its table is a new one."""

    key: Key  # of the foreign key
    sql: str
    fresh: bool


def changed_defaults(before: Catalogue, after: Catalogue) -> Iterator[Column]:
    """Old columns that are filled with something else now."""
    for column in after.of(Column):
        old = before.things.get(column.key)
        if isinstance(old, Column) and column.default not in ("", old.default):
            yield column


def differs(default: str) -> bool:
    """Whether it is another value for each row."""
    return bool(_DIFFERS.search(default))


def defaults(what: Comparison) -> Iterator[Finding]:
    for column in changed_defaults(what.before, what.after):
        name = f"{shown(what.before, column.table)}.{quoted(column.name)}"
        told = f"the new default of {name}, {column.default},"
        for reason, state in _refused(what, column):
            yield breaks(column.table, f"{told} {reason}", state, remedies.CONTRACT, column)


def _refused(what: Comparison, column: Column) -> Iterator[tuple[str, str]]:
    if column.key in what.refusing:
        yield "is refused by a CHECK", CHECKED
    for index in what.after.of(Index, column.table):
        alone = index.unique and index.columns == (column.number,)
        if alone and not index.partial and not differs(column.default):
            yield f"can be there only once: {index.definition}", DUPLICATE
    for key in what.after.of(Constraint, column.table):
        if key.kind == "f" and key.columns == (column.number,) and key.key not in what.parented:
            yield f"may name no row: {key.definition}", ORPHAN


def parents(before: Catalogue, after: Catalogue, meanwhile: Mapping[Key, str]) -> Iterator[Parent]:
    """For each foreign key whose one column is filled by a default that is new.

    `meanwhile`: defaults that new columns had while the migration ran.
    """
    changed = {column.key for column in changed_defaults(before, after)}
    for key in after.of(Constraint):
        [column] = after.columns(key.table, key.columns) if len(key.columns) == 1 else (None,)
        if key.kind != "f" or column is None:
            continue
        default = column.default or (meanwhile.get(column.key, "") if column.not_null else "")
        if default and (column.key in changed or column.key not in before.things):
            other = re.search(r"REFERENCES [^(]+\(([^)]+)\)", key.definition)
            table = shown(after, key.target)
            if other and table:
                sql = f"SELECT count(*) FROM {table} WHERE {other[1]} = {default}"  # noqa: S608 - of the catalogue
                yield Parent(key=key.key, sql=sql, fresh=before.relation(key.target) is None)


def answered(url: str, asked: tuple[Parent, ...]) -> frozenset[Key]:
    """Those whose row the migration itself has made, in a table of its own."""
    own = [parent for parent in asked if parent.fresh]
    if not own:
        return frozenset()
    with connect(url, autocommit=True) as connection:
        return frozenset(parent.key for parent in own if _there(connection, parent.sql))


def _there(connection: psycopg.Connection[tuple[int]], text: str) -> bool:
    try:
        row = connection.execute(text.encode()).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def parented(asked: Sequence[Parent], ask: Ask | None) -> frozenset[Key]:
    """Those whose row production has."""
    if ask is None:
        return frozenset()
    return frozenset(
        parent.key for parent in asked if not parent.fresh and (ask(parent.sql) or 0) > 0
    )


def meanwhile(observed: Observed) -> dict[Key, str]:
    """The last default that each new column had while the migration ran."""
    found: dict[Key, str] = {}
    for step in observed.steps:
        for key in step.after.things.keys() - observed.before.things.keys():
            column = step.after.things[key]
            if isinstance(column, Column) and column.default:
                found[key] = column.default
    return found
