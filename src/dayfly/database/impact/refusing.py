"""Does a new CHECK take the rows of inserts that do not know its columns? The copy is asked."""

import re
from collections.abc import Iterator, Mapping

import psycopg

from dayfly.database.impact.catalogue import Catalogue, Column, Constraint, Key

_EXPRESSION = re.compile(r"CHECK (\(.*\))( NO INHERIT)?( NOT VALID)?", re.DOTALL)


def refusing(
    url: str, before: Catalogue, after: Catalogue, defaults: Mapping[Key, str]
) -> frozenset[Key]:
    """The CHECKs of new columns alone that refuse what these hold when nobody fills them."""
    asked = dict(_questions(before, after, defaults))
    if not asked:
        return frozenset()
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
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
