"""Does a CHECK take the rows of inserts that leave columns to defaults? The copy is asked."""

import re
from collections.abc import Iterator, Mapping

import psycopg

from dayfly.database.connection import connect
from dayfly.database.impact.breaking.defaults import changed_defaults
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Constraint, Key, Type
from dayfly.database.impact.schema.names import quoted, shown

_EXPRESSION = re.compile(r"CHECK (\(.*\))( NO INHERIT)?( NOT VALID)?", re.DOTALL)


def refusing(
    url: str, before: Catalogue, after: Catalogue, defaults: Mapping[Key, str]
) -> frozenset[Key]:
    """CHECKs of new columns alone that nobody fills, and old columns with a refused default."""
    asked = {**dict(_questions(before, after, defaults)), **dict(_of_old_columns(before, after))}
    asked |= _of_domains(before, after)
    if not asked:
        return frozenset()
    with connect(url, autocommit=True) as connection:
        return frozenset(key for key, text in asked.items() if _refused(connection, text))


def _questions(
    before: Catalogue, after: Catalogue, defaults: Mapping[Key, str]
) -> Iterator[tuple[Key, str]]:
    for check in after.of(Constraint):
        columns = after.columns(check.table, check.columns)
        said = _EXPRESSION.fullmatch(check.definition)
        new = not any(key in before.things for key in (check.key, *(c.key for c in columns)))
        if said and new and columns and before.relation(check.table):
            row = ", ".join(_value(column, defaults) for column in columns)
            yield check.key, f"SELECT {said[1]} IS FALSE FROM (SELECT {row}) AS fresh"  # noqa: S608 - of the catalogue


def _of_old_columns(before: Catalogue, after: Catalogue) -> Iterator[tuple[Key, str]]:
    """With the other values of the rows that the copy has, or without any."""
    for column in changed_defaults(before, after):
        owned = after.of(Constraint, column.table)
        checks = [_EXPRESSION.fullmatch(c.definition) for c in owned if column.number in c.columns]
        broken = " OR ".join(f"{said[1]} IS FALSE" for said in checks if said)
        if broken:
            value = f"CAST({column.default} AS {column.type}) AS {quoted(column.name)}"
            others = [other for other in after.of(Column, column.table) if other != column]
            none = [f"CAST(NULL AS {other.type}) AS {quoted(other.name)}" for other in others]
            rows = f"SELECT {', '.join([value, *none])}"
            if others:
                listed = ", ".join([value, *(quoted(other.name) for other in others)])
                rows += f" UNION ALL SELECT {listed} FROM {shown(after, column.table)}"  # noqa: S608 - of the catalogue
            yield column.key, f"SELECT EXISTS (SELECT FROM ({rows}) AS fresh WHERE {broken})"  # noqa: S608 - of the catalogue


def _of_domains(before: Catalogue, after: Catalogue) -> dict[Key, str]:
    """New columns that nobody fills, of a domain that may refuse NULL."""
    domains = {
        name for t in after.of(Type) if t.checks for name in (t.name, f"{t.schema}.{t.name}")
    }
    return {
        column.key: f"SELECT CAST(NULL AS {column.type}) IS NOT NULL"
        for column in after.of(Column)
        if column.key not in before.things and column.type in domains and not column.default
    }


def _value(column: Column, defaults: Mapping[Key, str]) -> str:
    """A default that was dropped is kept where the outgoing release would fail without it."""
    kept = defaults.get(column.key) if column.not_null else None
    value = column.default or kept or "NULL"
    name = column.name.replace('"', '""')
    return f'CAST({value} AS {column.type}) AS "{name}"'


def _refused(connection: psycopg.Connection[tuple[bool]], text: str) -> bool:
    try:
        row = connection.execute(text.encode()).fetchone()
    except psycopg.Error:
        return True  # nobody knows
    return row is None or row[0]
