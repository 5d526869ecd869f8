"""What roles and databases set for each session on the operator's server: it outlives a copy."""

from collections.abc import Mapping
from contextlib import suppress

import psycopg
from psycopg import Connection, sql

_ASKED = """
    SELECT coalesce(r.rolname::text, ''), coalesce(d.datname::text, ''), s.setconfig
    FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
    LEFT JOIN pg_database d ON d.oid = s.setdatabase
    WHERE coalesce(d.datname::text, '') !~ %s
"""

Settings = Mapping[tuple[str, str, str], str]  # by role, database (empty: all) and name


def role_settings(session: Connection, ours: str) -> Settings:
    """But for those of databases whose name is like `ours`, which go anyway."""
    return {
        (role, database, one.partition("=")[0]): one.partition("=")[2]
        for role, database, settings in session.execute(_ASKED, (ours,)).fetchall()
        for one in settings
    }


def put_back(session: Connection, before: Settings, ours: str) -> None:
    """As far as our rights reach: who could set it could do no more."""
    now = role_settings(session, ours)
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            with suppress(psycopg.Error), session.transaction():
                _set(session, *key, before.get(key))


def _set(session: Connection, role: str, database: str, name: str, value: str | None) -> None:
    """By way of our own session, since a list is written otherwise in a statement."""
    whose = [sql.SQL("ALTER ROLE"), sql.Identifier(role) if role else sql.SQL("ALL")]
    if database and role:
        whose += [sql.SQL("IN DATABASE"), sql.Identifier(database)]
    elif database:
        whose = [sql.SQL("ALTER DATABASE"), sql.Identifier(database)]
    parameter = sql.Identifier(*name.split("."))
    if value is None:
        what = sql.SQL("RESET {}").format(parameter)
    else:
        session.execute("SELECT set_config(%s, %s, true)", (name, value))
        what = sql.SQL("SET {} FROM CURRENT").format(parameter)
    session.execute(sql.SQL(" ").join([*whose, what]))
