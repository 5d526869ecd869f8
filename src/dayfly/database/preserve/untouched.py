"""Whether what was preserved stands as it did: then there is nothing to bring back."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection, sql

from dayfly.database.preserve.details import Detail, details, other
from dayfly.database.preserve.pairing import Pairing
from dayfly.database.preserve.plan import Plan
from dayfly.database.preserve.session import hashed, number_of
from dayfly.database.preserve.staging import Live, Staged


def untouched(
    connection: Connection[Any],
    pairing: Pairing,
    plan: Plan,
    staged: Iterable[Staged],
    before: Iterable[Detail],
) -> bool:
    """The same schema, the same books, and every row that was kept with the values of then.

    What the schema alone says is not enough: a migration that changes values may have begun.
    """
    if plan.statements or any(each.firm for each, _ in other(before, details(connection))):
        return False
    return all(_stands(connection, pairing, one) for one in staged)


def _stands(connection: Connection[Any], pairing: Pairing, one: Staged) -> bool:
    table, live = one.table, Live.of(pairing, one.table)
    if live is None or not live.has((*table.key, *table.lost)):
        return False
    same = sql.SQL("{} = k.id").format(live.identity(table))
    if table.lost:
        now, then = hashed(live.fields(table.lost)), hashed(one.of_kept(table.lost))
        same = sql.SQL("{} AND {} = {}").format(same, now, then)
    changed = sql.SQL("SELECT count(*) FROM {} k WHERE NOT EXISTS (SELECT FROM {} WHERE {})")
    if number_of(connection, changed.format(one.kept, live.source(table), same)):
        return False
    return not table.book or _as_many(connection, one, live)


def _as_many(connection: Connection[Any], one: Staged, live: Live) -> bool:
    """A book has no row more."""
    more = sql.SQL("SELECT (SELECT count(*) FROM {}) - (SELECT count(*) FROM {})")
    return number_of(connection, more.format(live.only, one.kept)) == 0
