"""Scratch copies of production: its schema and a few synthetic rows, in a throw-away server."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import Connection, errors, sql

from dayfly.database.begun import Begun, begun, looked_at
from dayfly.database.books import BOOKS
from dayfly.database.cluster import ADMIN
from dayfly.database.connection import connect
from dayfly.database.encoding import clause
from dayfly.database.guard import ONLY
from dayfly.database.operators import operators_server, restored
from dayfly.database.production import Production
from dayfly.database.restoring import empty, load_books
from dayfly.database.server import Server, connected
from dayfly.database.serverlog import Log, log_of
from dayfly.database.source import Source

_STRATEGIES_SINCE = 15
_FILLED = """
    SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema' AND c.relname <> ALL (%s)
"""
_NEW = "CREATE DATABASE {} TEMPLATE {} OWNER {}"
_EMPTY = "template0"
_BY_FILES = " STRATEGY file_copy"  # half the time; before 15 it is the only way


@dataclass(frozen=True, kw_only=True)
class Copies:
    """A server that has production's schema, and makes a new copy of it in a moment."""

    server: Server
    template: str  # the database that they are made of
    production: Production
    unfilled: tuple[str, ...]  # tables without a row, because none could be made up
    schema: str  # production's, as pg_dump writes it
    log: Callable[[], Log]  # of the server; DatabaseError with what is missing
    tablespace: str  # that each is in; empty where that is the operator's matter
    base: Path | None  # what is found out about this schema is kept there
    settings: Mapping[str, str]  # production's, that the server takes

    @property
    def unlike(self) -> tuple[str, ...]:
        """How a copy differs from production, and what a migration does may hang on it."""
        wanted = self.production.settings.items() - self.settings.items()
        return tuple(
            f"{name} is not {value}: the server does not know it" for name, value in wanted
        )

    def fresh(self) -> str:
        """The URL of a new copy, with a superuser's rights; gone with the server."""
        return self._copied(self.template)

    def empty(self) -> str:
        """As `fresh`, of a database that has nothing in it."""
        return self._copied(_EMPTY)

    def twin(self, url: str) -> str:
        """As `fresh`, of a copy as it is now; nobody may be connected to that."""
        return self._copied(_name(url))

    def of(self, url: str) -> "Copies":
        """Copies of one as it is now; nobody may be connected to that."""
        return replace(self, template=_name(self.twin(url)), base=None)

    def _copied(self, template: str) -> str:
        name = self.server.new_name()
        with connected(self.server, self.server.maintenance) as connection:
            _create(connection, self, name, template)
        return self.server.url(name)

    def without_rows(self) -> str:
        """As `fresh`, for a migration that only the rows we made up refuse; bookkeeping stays."""
        url = self.fresh()
        with connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            for schema, table in connection.execute(_FILLED, ([*BOOKS],)).fetchall():
                empty(connection, sql.Identifier(schema, table))
        return url

    def as_production(self, url: str) -> str:
        """The same copy, entered with the name and rights that production's URL gives."""
        return self.server.entered_by(self.production.user, url)

    def entered_by(self, role: str, url: str) -> str:
        """The same copy, entered by another role of production."""
        if role != self.production.user:
            with connected(self.server, self.server.maintenance) as connection:
                self.server.admit(connection, role)
        return self.server.entered_by(role, url)


@contextmanager
def copy_of(
    url: str,
    *,
    folder: Path,
    postgresql: str | None = None,
    source: Source | None = None,
    scratch_url: str = "",
) -> Iterator[Copies]:
    """Scratch copies of the database at `url`; their server ends with them.

    `folder` keeps the restored schema for the next time; PostgreSQL's user must be able to enter
    it. `postgresql` names the folder of PostgreSQL's programs, `source` where `url` is read.
    On the server of a `scratch_url` copies are made instead, and dropped.
    """
    source = source or Source(url)
    if scratch_url:
        with copies_at(scratch_url, url, folder, postgresql, source) as copies:
            yield copies
        return
    with begun(url, folder=folder, postgresql=postgresql, source=source) as found:
        running, production, schema = found
        settings = _begin(running.server, production)
        _make_tablespace(running)
        yield Copies(
            server=running.server,
            template=running.server.template,
            production=production,
            unfilled=running.ready.unfilled,
            schema=schema,
            log=lambda: running.log,
            tablespace=ONLY,
            base=running.ready.base,
            settings=settings,
        )


@contextmanager
def copies_at(
    scratch_url: str, url: str, folder: Path, postgresql: str | None, source: Source
) -> Iterator[Copies]:
    """On the operator's server, where nothing is kept."""
    production, _, schema = looked_at(url, folder, postgresql, source)
    with operators_server(scratch_url, url, production) as server:
        unfilled = restored(server, schema, production)
        settings = _begin(server, production)
        yield Copies(
            server=server,
            template=server.template,
            production=production,
            unfilled=unfilled,
            schema=schema,
            log=lambda: log_of(server.url(server.maintenance), production.version),
            tablespace="",
            base=None,
            settings=settings,
        )


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _begin(server: Server, production: Production) -> dict[str, str]:
    """Bring the bookkeeping up to date, let production's user in; the settings that it knows."""
    with connected(server, server.template) as connection:
        load_books(connection, production.books)
        server.admit(connection, production.user, superuser=production.administers)
        return dict(each for each in production.settings.items() if _takes(connection, *each))


def _takes(connection: Connection, name: str, value: str) -> bool:
    """A time zone of production's machine may be unknown to this one."""
    with suppress(errors.InvalidParameterValue), connection.transaction():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        return True
    return False


def _make_tablespace(running: Begun) -> None:
    """Who asks for it is let in nowhere else. In it a copy is as in the one it has by default."""
    folder = running.cluster.folder_for(ONLY)
    with connected(running.server, running.server.maintenance) as connection:
        words = sql.Identifier(ONLY), sql.Literal(str(folder))
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(*words))


def _create(connection: Connection, copies: Copies, name: str, template: str) -> None:
    production = copies.production
    new = _NEW + _BY_FILES if production.version >= _STRATEGIES_SINCE else _NEW
    words = [name, template, copies.server.owner(production.owner)]
    if copies.tablespace:
        new, words = f"{new} TABLESPACE {{}}", [*words, copies.tablespace]
    made = sql.SQL(new).format(*map(sql.Identifier, words))
    own = clause(connection, production.encoding) if template == _EMPTY else sql.Composed([])
    connection.execute(made + own)
    database = sql.Identifier(name)
    path = sql.SQL(", ").join(map(sql.Identifier, production.search_path or ("public",)))
    connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = {}").format(database, path))
    for setting, value in copies.settings.items():
        said = sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
        connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(*said))
    if production.may_create and production.user != ADMIN:
        user = sql.Identifier(production.user)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, user))
