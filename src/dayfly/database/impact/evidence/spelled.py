"""Defaults that a migration dropped, in words that mean the same in any session."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql

from dayfly.database.connection import connect
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Key

_SPELLED = """
    SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = %s AND adnum = %s
"""


def spelled(
    url: str, before: Catalogue, after: Catalogue, defaults: Mapping[Key, str]
) -> dict[Key, str]:
    """Those that can be set again on the migrated copy, which stays as it is.

    `defaults`: that new columns had meanwhile.
    """
    dropped = list(_dropped(before, after, defaults))
    if not dropped:
        return {}
    with connect(url, autocommit=True) as connection:
        found = {column.key: _again(connection, after, column, text) for column, text in dropped}
    return {key: text for key, text in found.items() if text}


def _dropped(
    before: Catalogue, after: Catalogue, defaults: Mapping[Key, str]
) -> Iterator[tuple[Column, str]]:
    for column in after.of(Column):
        old = before.named.get(after.path(column))
        had = old.default if isinstance(old, Column) else defaults.get(column.key, "")
        if had and not column.fills_itself:
            yield column, had


def _again(
    connection: psycopg.Connection[Any], after: Catalogue, column: Column, default: str
) -> str:
    owner = after.relation(column.table)
    if owner is None:
        return ""
    setting = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
        sql.Identifier(owner.schema, owner.name),
        sql.Identifier(column.name),
        sql.SQL(default),  # as the catalogue spells it
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL search_path = public")  # as a snapshot reads it
            connection.execute(setting)
            connection.execute("SET LOCAL search_path = ''")
            row = connection.execute(_SPELLED, (column.table, column.number)).fetchone()
    except psycopg.Error:
        return ""  # what it calls is gone, or it no longer fits
    return row[0] if row else ""
