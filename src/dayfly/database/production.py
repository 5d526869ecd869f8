"""What is asked of production: few read-only questions in one short transaction."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import Connection, sql

from dayfly.database.books import LISTS, NAMING, written_down
from dayfly.database.connection import connect
from dayfly.database.figures import GUESSED_ROW_BYTES, Values
from dayfly.database.fingerprint import asked as fingerprint_of
from dayfly.database.problems import asking, connecting
from dayfly.database.programs import DatabaseError

STATEMENT_SECONDS = 10
OLDEST = 12
_ADMINS = ("rds_superuser", "cloudsqlsuperuser", "azure_pg_admin")  # what is nearly one elsewhere

_FACTS = """
    SELECT current_setting('server_version_num')::int, current_user::text,
           current_setting('search_path'), pg_get_userbyid(datdba)::text,
           has_database_privilege(oid, 'CREATE'), pg_encoding_to_char(encoding)::text
    FROM pg_database WHERE datname = current_database()
"""
_ROLES = """
    SELECT rolname::text, rolsuper, rolinherit, rolbypassrls, array(
        SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
        WHERE m.member = r.oid ORDER BY 1
    ) FROM pg_roles r ORDER BY 1
"""
# What a session of its user is given, and what a migration does depends on.
_SETTINGS = """
    SELECT name, setting FROM pg_settings WHERE name IN (
        'TimeZone', 'DateStyle', 'IntervalStyle', 'default_text_search_config',
        'standard_conforming_strings', 'transform_null_equals'
    )
"""
_EXTENSIONS = "SELECT extname::text FROM pg_extension ORDER BY 1"
_SIZES = """
    SELECT n.nspname::text, c.relname::text, c.reltuples::bigint, c.relpages,
           coalesce(s.n_live_tup, 0), pg_relation_size(c.oid), pg_table_size(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT n.nspname::text, p.relname::text, sum(greatest(c.reltuples, s.n_live_tup, 0))::bigint,
           sum(c.relpages), 0, sum(pg_relation_size(c.oid)), sum(pg_table_size(c.oid))
    FROM pg_class p JOIN pg_namespace n ON n.oid = p.relnamespace
    CROSS JOIN LATERAL pg_partition_tree(p.oid) t JOIN pg_class c ON c.oid = t.relid
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE p.relkind = 'p' AND t.isleaf GROUP BY 1, 2
"""
_COLUMNS = """
    SELECT schemaname::text, tablename::text, attname::text, avg_width, n_distinct FROM pg_stats
    WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' ORDER BY inherited
"""
_BOOKS = """
    SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relname = ANY (%s) ORDER BY 1, 2
"""
_NAMED = """
    SELECT n.nspname::text, c.relname::text, array_agg(a.attname::text)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relkind = 'r' AND c.relname = ANY (%s) GROUP BY 1, 2
"""

OWN = "$user"  # in a search_path: the schema that is called as the role
_PATH = re.compile(r'"((?:[^"]|"")*)"|([^",\s]+)')

Table: TypeAlias = tuple[str, str]  # schema and name


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much a table holds, as far as production's catalogue knows."""

    rows: int
    pages: int
    bytes: int
    stored: int  # with what is too long for a row


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role without its password."""

    name: str
    superuser: bool
    inherits: bool
    bypasses_row_security: bool
    member_of: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Production:
    """What a copy needs to know beside the schema itself."""

    version: int  # the major one
    user: str
    owner: str  # of the database
    may_create: bool  # schemas and trusted extensions
    encoding: str  # as the server calls it
    search_path: tuple[str, ...]  # with its own schema where "$user" stands, though it may not be
    settings: Mapping[str, str]
    roles: tuple[Role, ...]
    extensions: tuple[str, ...]
    sizes: Mapping[Table, Size]
    columns: Mapping[Table, Mapping[str, Values]] = field(default_factory=dict)  # where it may read
    books: Mapping[Table, bytes] = field(default_factory=dict)  # rows, as COPY writes them
    fingerprint: tuple[str, ...] = ()  # of its catalogue; empty where it can't be had

    @property
    def administers(self) -> bool:
        """Whether its user may do what only a superuser may in the copy."""
        [own] = [role for role in self.roles if role.name == self.user]
        return own.superuser or bool(set(own.member_of) & set(_ADMINS))


def observed(url: str, *, at: str | None = None) -> Production:
    """Ask; what is refused is told with the grant that is missing.

    `at` is a replica that is asked for all but what the role of `url` may do.
    """
    with reading(url) as connection:
        facts = _one(connection, _FACTS)
        if at in (None, url):
            return _observed(connection, facts)
    with reading(at) as connection:
        return _observed(connection, facts)


def _observed(connection: Connection, facts: tuple[Any, ...]) -> Production:
    version, user, path, owner, may_create, encoding = facts
    if version < OLDEST * 10_000:
        raise DatabaseError(
            f"production runs PostgreSQL {version // 10_000}; Dayfly needs {OLDEST} or newer"
        )
    return Production(
        version=version // 10_000,
        user=user,
        owner=owner,
        may_create=may_create,
        encoding=encoding,
        search_path=tuple(user if name == OWN else name for name in _names(path)),
        settings=dict(connection.execute(_SETTINGS).fetchall()),
        roles=tuple(_role(row) for row in connection.execute(_ROLES)),
        extensions=tuple(row[0] for row in connection.execute(_EXTENSIONS)),
        sizes={(row[0], row[1]): _size(*row[2:]) for row in connection.execute(_SIZES)},
        columns=_columns(connection),
        books=_books(connection),
        fingerprint=_fingerprint(connection),
    )


def recorded(url: str) -> tuple[str, ...]:
    """The migrations that its tools have written down as done."""
    with reading(url) as connection:
        found: dict[str, list[tuple[Any, ...]]] = {}
        for schema, table, there in connection.execute(_NAMED, ([*NAMING],)).fetchall():
            names = [name for name in NAMING[table] if name in there]
            columns = sql.SQL(", ").join(map(sql.Identifier, names))
            question = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(schema, table))
            found.setdefault(table, []).extend(connection.execute(question).fetchall())
        return written_down(found)


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """One transaction that can neither write nor take long."""
    with (
        connecting(url),
        connect(url) as connection,
        asking(connection),
    ):
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        limit = sql.SQL("SET LOCAL statement_timeout = {}").format(STATEMENT_SECONDS * 1000)
        connection.execute(limit)
        connection.execute("SET LOCAL lock_timeout = 1000")
        yield connection
        connection.rollback()


def _one(connection: Connection, question: LiteralString) -> tuple[Any, ...]:
    row = connection.execute(question).fetchone()
    if row is None:
        raise DatabaseError("the database gave no answer to what it is")
    return row


def _role(row: tuple[Any, ...]) -> Role:
    name, superuser, inherits, bypasses, groups = row
    return Role(
        name=name,
        superuser=superuser,
        inherits=inherits,
        bypasses_row_security=bypasses,
        member_of=tuple(groups),
    )


def _columns(connection: Connection) -> dict[Table, dict[str, Values]]:
    """What was found in a table with its heirs comes last, and counts."""
    found: dict[Table, dict[str, Values]] = {}
    for schema, table, name, width, distinct in connection.execute(_COLUMNS):
        found.setdefault((schema, table), {})[name] = Values(width=width, distinct=distinct)
    return found


def _size(estimate: int, pages: int, live: int, size: int, stored: int) -> Size:
    """A table never analysed says nothing of its rows: its bytes have to."""
    rows = max(int(estimate), int(live), 0) or int(int(size) / GUESSED_ROW_BYTES)
    return Size(rows=rows, pages=int(pages), bytes=int(size), stored=int(stored))


def _books(connection: Connection) -> dict[Table, bytes]:
    names = [*NAMING, *LISTS]
    return {
        (schema, name): _copied(connection, sql.Identifier(schema, name))
        for schema, name in connection.execute(_BOOKS, (names,)).fetchall()
    }


def search_path(url: str) -> tuple[str, ...]:
    """Where its sessions look for names, as it is set: with "$user", and what is not there yet."""
    with reading(url) as connection:
        return _names(*_one(connection, "SHOW search_path"))


def _names(path: str) -> tuple[str, ...]:
    found = (bare.lower() or name.replace('""', '"') for name, bare in _PATH.findall(path))
    return tuple(filter(None, found))


def versions(url: str) -> tuple[str, ...]:
    """A fingerprint that is another one also when something was changed and changed back."""
    with reading(url) as connection:
        return _fingerprint(connection, versions=True)


def fingerprint_and_versions(url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of one moment."""
    with reading(url) as connection:
        return _fingerprint(connection), _fingerprint(connection, versions=True)


def _fingerprint(connection: Connection, *, versions: bool = False) -> tuple[str, ...]:
    """Nothing where it takes too long or may not be read: then the schema is dumped."""
    with suppress(psycopg.Error), connection.transaction():
        return fingerprint_of(connection, versions=versions)
    return ()


def _copied(connection: Connection, table: sql.Identifier) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as rows:
        return b"".join(bytes(row) for row in rows)
