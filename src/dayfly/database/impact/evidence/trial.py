"""Do bridges hold for this migration? All is done on a copy, with inserts between the steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from dayfly.clock import Stop
from dayfly.database.bridge import Bridge
from dayfly.database.bridging import drop, guard, keep
from dayfly.database.captured import Transaction
from dayfly.database.connection import connect
from dayfly.database.impact.replay.replay import replay
from dayfly.database.impact.schema.catalogue import Catalogue, Path, Relation, Thing
from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.errors import DayflyError

LOCK_SECONDS = 10.0  # nobody else is on the copy
_COLUMNS = """
    SELECT attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    JOIN pg_namespace n ON n.oid = relnamespace
    WHERE n.nspname = %s AND relname = %s AND attnum > 0 AND NOT attisdropped
    AND attgenerated = '' AND attidentity <> 'a' AND attname <> ALL (%s) ORDER BY attnum
"""
Connection: TypeAlias = psycopg.Connection[Any]


def tried(
    url: str,
    transactions: Sequence[Transaction],
    bridges: Sequence[Bridge],
    plain: Catalogue,
    role: str,
    owner: str = "",
) -> str:
    """Why they do not hold on this copy, which is changed by it; empty where they do.

    `plain`: what the migration leaves behind without bridges. `role` builds them, `owner` migrates.
    """
    try:
        with connect(url, autocommit=True) as session:
            failed = _failing(session, url, transactions, bridges, (role, owner))
            with session.transaction():
                left = snapshot(session)
    except DayflyError as error:
        return error.message
    return next(iter(failed), "") or (
        "" if _named(left) == _named(plain) else "the schema is not the same after it"
    )


def _named(catalogue: Catalogue) -> dict[Path, tuple[Thing, str]]:
    """Each thing with the name of its parent, which has another oid on each copy."""
    return {
        path: (replace(thing, parent=0), catalogue.shown(thing.parent))
        if isinstance(thing, Relation)
        else (thing, "")
        for path, thing in catalogue.named.items()
    }


def _failing(
    session: Connection,
    url: str,
    transactions: Sequence[Transaction],
    bridges: Sequence[Bridge],
    roles: tuple[str, str],
) -> list[str]:
    """Inserts that worked before and fail at some moment now."""
    role, owner = roles
    failed: list[str] = []
    builder, stop = (_as(role, url) if role else url), Stop()
    working = _prepared(session, bridges)

    def look() -> None:
        failed.extend(_broken(session, working))

    guard(builder, bridges, budget=LOCK_SECONDS, stop=stop, tell=_nobody)
    look()
    replay(url, transactions, role=owner, between=look)
    keep(builder, bridges, budget=LOCK_SECONDS, stop=stop, tell=_nobody)
    look()
    drop(builder, bridges, budget=LOCK_SECONDS, stop=stop, tell=_nobody)
    return failed


def _prepared(session: Connection, bridges: Sequence[Bridge]) -> dict[str, tuple[str, str]]:
    """An insert for each table, as the outgoing release may have it prepared, and its outcome.

    It puts in a row of the table again, so that duplicates are refused: but later than NULL is.
    """
    found: dict[str, tuple[str, str]] = {}
    for schema, table in dict.fromkeys((bridge.schema, bridge.table) for bridge in bridges):
        name = f"dayfly_{len(found)}"
        left_out = [b.column for b in bridges if (b.schema, b.table) == (schema, table)]
        rows = session.execute(_COLUMNS, (schema, table, left_out))
        words = {
            "name": sql.Identifier(name),
            "table": sql.Identifier(schema, table),
            "columns": sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows),
        }
        insert = "INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} LIMIT 1"
        session.execute(sql.SQL(f"PREPARE {{name}} AS {insert}").format(**words))
        found[name] = table, _outcome(session, name)
    return found


def _broken(session: Connection, working: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for name, (table, before) in working.items():
        now = _outcome(session, name)
        if now not in ("", before):
            yield f"an insert into {table} fails ({now})"


def _outcome(session: Connection, name: str) -> str:
    """The SQLSTATE with which it fails; nothing of it stays."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(sql.SQL("EXECUTE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        return error.sqlstate or ""
    return ""


def _as(role: str, url: str) -> str:
    """With the rights of a role, for who may take it."""
    escaped = role.replace("\\", "\\\\").replace(" ", "\\ ")
    return make_conninfo(url, options=f"-c role={escaped}")


def _nobody(_line: str) -> None:
    pass
