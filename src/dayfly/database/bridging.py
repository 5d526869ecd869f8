"""Build bridges in production: a guard before the migration, the default after it, then neither.

Each verb can be run again after a crash at any moment, since the database itself says how far it
came: the guard's trigger is there until the default is set, and its function, with the default
written down as its comment, until that is dropped.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import LiteralString, TypeAlias

import psycopg
from psycopg import Connection, errors, sql
from psycopg.rows import class_row

from dayfly.clock import Stop
from dayfly.database.bridge import Bridge
from dayfly.database.connection import connect
from dayfly.database.patience import patiently
from dayfly.database.problems import connecting
from dayfly.database.programs import DatabaseError
from dayfly.database.sqlfiles import LockedError

_LOCKED = (errors.LockNotAvailable, errors.DeadlockDetected, errors.QueryCanceled)
_PARTITIONED_SINCE = 13
# Names are spelled out, so that a default is written down as it is read again.
_BEGUN = "SELECT set_config('lock_timeout', %s, true), set_config('search_path', '', true)"
_FACTS = """
    SELECT coalesce(c.relkind::text, '') AS kind, a.attnum IS NOT NULL AS column,
           pg_get_expr(d.adbin, d.adrelid) AS default, t.oid IS NOT NULL AS guarded,
           p.oid IS NOT NULL AS function, obj_description(p.oid, 'pg_proc') AS kept
    FROM (SELECT) AS one
    LEFT JOIN pg_namespace n ON n.nspname = %(schema)s
    LEFT JOIN pg_class c
        ON c.relnamespace = n.oid AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_attribute a
        ON a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = %(trigger)s
    LEFT JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = %(function)s
"""
_RIGHTS = """
    SELECT current_user::text AS user, pg_get_userbyid(c.relowner)::text AS owner,
           pg_has_role(c.relowner, 'USAGE') AS owns,
           has_schema_privilege(n.oid, 'CREATE') AS creates,
           has_language_privilege('plpgsql', 'USAGE') AS writes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the database shows of a bridge."""

    kind: str  # of the table; empty where there is none
    column: bool
    default: str | None
    guarded: bool
    function: bool
    kept: str | None  # the default that we set


@dataclass(frozen=True, kw_only=True)
class _Rights:
    user: str
    owner: str
    owns: bool
    creates: bool
    writes: bool


Verb: TypeAlias = Callable[[Connection, Bridge, Facts], None]


def guard(
    url: str, bridges: Iterable[Bridge], *, budget: float, stop: Stop, tell: Callable[[str], None]
) -> None:
    """Before the migration: from now on no insert fails that leaves these columns out.

    `budget`: seconds that others may wait behind us. DatabaseError names the grant that is
    missing; LockedError when each attempt met somebody's lock. `drop` undoes what was done.
    """
    _each(_guard, url, bridges, budget, partial(patiently, stop=stop, tell=tell))


def keep(
    url: str, bridges: Iterable[Bridge], *, budget: float, stop: Stop, tell: Callable[[str], None]
) -> None:
    """After the migration: the defaults are set again, and their guards go.

    Where the migration left a column out, or a default on it, there is nothing to keep. As long
    as this fails the guard stays, and does the same.
    """
    _each(_keep, url, bridges, budget, partial(patiently, stop=stop, tell=tell))


def drop(
    url: str, bridges: Iterable[Bridge], *, budget: float, stop: Stop, tell: Callable[[str], None]
) -> None:
    """When the outgoing release is retired, or the migration failed: nothing of ours stays.

    A default that somebody else has set, or that was there before, is left alone.
    """
    _each(_drop, url, bridges, budget, partial(patiently, stop=stop, tell=tell))


def _each(
    verb: Verb,
    url: str,
    bridges: Iterable[Bridge],
    budget: float,
    patient: Callable[[Callable[[], None]], None],
) -> None:
    with (
        connecting(url),
        connect(url, autocommit=True) as connection,
    ):
        for bridge in bridges:
            patient(partial(_once, connection, verb, bridge, budget))


def _once(connection: Connection, verb: Verb, bridge: Bridge, budget: float) -> None:
    with _refused(bridge), connection.transaction():
        connection.execute(_BEGUN, (f"{budget * 1000:.0f}",))
        verb(connection, bridge, _facts(connection, bridge))


def _facts(connection: Connection, bridge: Bridge) -> Facts:
    with connection.cursor(row_factory=class_row(Facts)) as cursor:
        row = cursor.execute(_FACTS, _words(bridge)).fetchone()
    if row is None:
        raise DatabaseError(f"the database gave no answer about {bridge.shown}")
    return row


def _words(bridge: Bridge) -> dict[str, str]:
    return {
        "schema": bridge.schema,
        "table": bridge.table,
        "column": bridge.column,
        "trigger": bridge.trigger,
        "function": bridge.function,
    }


def _guard(connection: Connection, bridge: Bridge, facts: Facts) -> None:
    if facts.guarded or _is_ours(facts):
        return
    _may(connection, bridge, facts)
    _define(connection, bridge)
    _run(
        connection,
        "CREATE TRIGGER {trigger} BEFORE INSERT ON {table} FOR EACH ROW "
        "EXECUTE FUNCTION {function}()",
        bridge,
    )


def _keep(connection: Connection, bridge: Bridge, facts: Facts) -> None:
    if not facts.column or (facts.default is not None and facts.kept is None):
        _remove(connection, bridge, facts)
        return
    if facts.default is None:
        if not facts.function:
            _define(connection, bridge)
        _run(connection, "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}", bridge)
        written = sql.Literal(_facts(connection, bridge).default)
        _run(connection, "COMMENT ON FUNCTION {function}() IS {written}", bridge, written=written)
    if facts.guarded:
        _run(connection, "DROP TRIGGER {trigger} ON {table}", bridge)


def _drop(connection: Connection, bridge: Bridge, facts: Facts) -> None:
    if _is_ours(facts):
        _run(connection, "ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT", bridge)
    _remove(connection, bridge, facts)


def _is_ours(facts: Facts) -> bool:
    return facts.kept is not None and facts.default == facts.kept


def _remove(connection: Connection, bridge: Bridge, facts: Facts) -> None:
    if facts.guarded:
        _run(connection, "DROP TRIGGER {trigger} ON {table}", bridge)
    if facts.function:
        _run(connection, "DROP FUNCTION {function}()", bridge)


def _define(connection: Connection, bridge: Bridge) -> None:
    _run(
        connection,
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {body}",
        bridge,
        body=sql.Literal(bridge.body),
    )


def _run(
    connection: Connection, statement: LiteralString, bridge: Bridge, **more: sql.Composable
) -> None:
    value = sql.SQL(bridge.default)  # as a catalogue spells it
    connection.execute(sql.SQL(statement).format(**bridge.names, value=value, **more))


def _may(connection: Connection, bridge: Bridge, facts: Facts) -> None:
    """Ask beforehand: what PostgreSQL says when it refuses does not name the grant."""
    if facts.kind == "p" and connection.info.server_version < _PARTITIONED_SINCE * 10_000:
        raise _error(bridge, f"a partitioned table can be guarded from {_PARTITIONED_SINCE} on")
    with connection.cursor(row_factory=class_row(_Rights)) as cursor:
        rights = cursor.execute(_RIGHTS, _words(bridge)).fetchone()
    if rights is None:
        raise _error(bridge, "there is no such table")
    user = f'"{rights.user}"'
    if not rights.owns:
        why = f"only the owner of the table may do that, and {rights.user} is not"
        raise _error(
            bridge, why, f'Let an administrator grant it: GRANT "{rights.owner}" TO {user};'
        )
    if not rights.creates:
        grant = f'GRANT CREATE ON SCHEMA "{bridge.schema}" TO {user};'
        why = f"{rights.user} may not create a function in the schema {bridge.schema}"
        raise _error(bridge, why, f"Let its owner grant it: {grant}")
    if not rights.writes:
        grant = f"GRANT USAGE ON LANGUAGE plpgsql TO {user};"
        raise _error(
            bridge, f"{rights.user} may not use plpgsql", f"Let its owner grant it: {grant}"
        )


@contextmanager
def _refused(bridge: Bridge) -> Iterator[None]:
    try:
        yield
    except _LOCKED as error:
        raise LockedError(
            f"the default of {bridge.shown}: a lock was not to be had in time",
            hint="Nothing was changed by this attempt.",
        ) from error
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise _error(bridge, str(error).strip().splitlines()[0]) from error


def _error(bridge: Bridge, why: str, hint: str = "") -> DatabaseError:
    return DatabaseError(f"the default of {bridge.shown} cannot be bridged: {why}", hint=hint)
