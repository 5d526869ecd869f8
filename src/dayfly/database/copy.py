"""Scratch copies of production: its schema and a few synthetic rows, in a throw-away server."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import Connection, sql

from dayfly.database.books import BOOKS
from dayfly.database.cluster import ADMIN, new_cluster
from dayfly.database.dump import dumped
from dayfly.database.memory import quickest, size_of
from dayfly.database.prepared import SETTINGS, prepared
from dayfly.database.production import Production, observed
from dayfly.database.programs import programs_for
from dayfly.database.restoring import TEMPLATE, connected, load_books
from dayfly.database.scratch import ScratchServer, serving

_LOG = "captured"
_JSON_SINCE = 15
_STRATEGIES_SINCE = 15
_FILLED = """
    SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema' AND c.relname <> ALL (%s)
"""
_NEW = "CREATE DATABASE {} TEMPLATE {} OWNER {}"
_BY_FILES = " STRATEGY file_copy"  # half the time; before 15 it is the only way


@dataclass(frozen=True, kw_only=True)
class Copies:
    """A server that has production's schema, and makes a new copy of it in a moment."""

    server: ScratchServer
    production: Production
    unfilled: tuple[str, ...]  # tables without a row, because none could be made up
    log: Path  # of the server; where its name ends in .csv, it is CSV
    password: str  # of production's user, here
    base: Path  # what it was copied from, and what is found out about that schema is kept

    def fresh(self) -> str:
        """The URL of a new copy, with a superuser's rights; gone with the server."""
        return self._new(TEMPLATE)

    def empty(self) -> str:
        """As `fresh`, of a database that has nothing in it."""
        return self._new("template0")

    def _new(self, template: str) -> str:
        name = f"copy_{secrets.token_hex(4)}"
        with connected(self.server, "postgres") as connection:
            _create(connection, name, self.production, template)
        return self.server.url(name)

    def without_rows(self) -> str:
        """As `fresh`, for a migration that only the rows we made up refuse; bookkeeping stays."""
        url = self.fresh()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            for schema, table in connection.execute(_FILLED, ([*BOOKS],)).fetchall():
                connection.execute(
                    sql.SQL("DELETE FROM ONLY {}").format(sql.Identifier(schema, table))
                )
        return url

    def as_production(self, url: str) -> str:
        """The same copy, entered with the name and rights that production's URL gives."""
        user = self.production.user
        if user == ADMIN:
            return url
        return self._url(user, url)

    def entered_by(self, role: str, url: str) -> str:
        """The same copy, entered by another role of production."""
        if role in (ADMIN, self.production.user):
            return self.as_production(url)
        with connected(self.server, "postgres") as connection:
            let_in = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
            connection.execute(let_in.format(sql.Identifier(role), sql.Literal(self.password)))
        return self._url(role, url)

    def _url(self, user: str, url: str) -> str:
        return self.server.url(urlsplit(url).path.removeprefix("/"), user, self.password)


@contextmanager
def copy_of(url: str, *, folder: Path, postgresql: str | None = None) -> Iterator[Copies]:
    """Scratch copies of the database at `url`; their server ends with them.

    `folder` keeps the restored schema for the next time; PostgreSQL's user must be able to enter
    it. `postgresql` names the folder of PostgreSQL's programs.
    """
    production = observed(url)
    programs = programs_for(production.version, postgresql)
    ready = prepared(folder, programs, dumped(url, programs), production)
    at = quickest(folder, size_of(ready.base))
    form = "json" if production.version >= _JSON_SINCE else "csv"
    with (
        new_cluster(folder, programs, base=ready.base, at=at) as cluster,
        serving(cluster, programs, {**SETTINGS, **_logging(form)}) as server,
    ):
        password = _begin(server, production)
        yield Copies(
            server=server,
            production=production,
            unfilled=ready.unfilled,
            log=cluster.data / _LOG / f"{_LOG}.{form}",
            password=password,
            base=ready.base,
        )


def _logging(form: str) -> dict[str, str]:
    return {
        "logging_collector": "on",
        "log_destination": f"{form}log",
        "log_directory": _LOG,
        "log_filename": f"{_LOG}.log",
        "log_rotation_age": "0",
        "log_rotation_size": "0",
        "lc_messages": "C",
    }


def _begin(server: ScratchServer, production: Production) -> str:
    """Bring the bookkeeping up to date, and let production's user in."""
    password = secrets.token_urlsafe(24)
    with connected(server, TEMPLATE) as connection:
        load_books(connection, production.books)
        if production.user != ADMIN:
            rights = sql.SQL("SUPERUSER" if production.administers else "NOSUPERUSER")
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.Identifier(production.user), rights, sql.Literal(password)
                )
            )
    return password


def _create(connection: Connection, name: str, production: Production, template: str) -> None:
    database = sql.Identifier(name)
    owner = ADMIN if production.owner.startswith("pg_") else production.owner
    new = _NEW + _BY_FILES if production.version >= _STRATEGIES_SINCE else _NEW
    connection.execute(
        sql.SQL(new).format(database, sql.Identifier(template), sql.Identifier(owner))
    )
    path = sql.SQL(", ").join(map(sql.Identifier, production.search_path or ("public",)))
    connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = {}").format(database, path))
    if production.may_create and production.user != ADMIN:
        user = sql.Identifier(production.user)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, user))
