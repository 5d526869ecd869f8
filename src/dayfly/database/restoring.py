"""Production's schema in a throw-away server: roles, extensions, tables, rows."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import psycopg
from psycopg import Connection, errors, sql

from dayfly.database.cluster import ADMIN
from dayfly.database.encoding import clause
from dayfly.database.filling import fill
from dayfly.database.production import Production, Role, Table
from dayfly.database.programs import DatabaseError
from dayfly.database.server import Server, connected
from dayfly.database.sqltext import split

_BATCH = 100  # statements: in one transaction all locks are held
# A foreign server must not be reached from a copy, and its passwords are none of ours.
_LEFT_OUT = ("CREATE USER MAPPING", "ALTER USER MAPPING")
_PUBLISHING = ("CREATE PUBLICATION", "ALTER PUBLICATION", "COMMENT ON PUBLICATION")


def restore(server: Server, schema: str, production: Production) -> tuple[str, ...]:
    """Make the template database; returns the tables that could not be filled.

    Production's roles are there already.
    """
    with connected(server, server.maintenance) as connection:
        _refuse_missing(connection, production.extensions)
        words = map(sql.Identifier, (server.template, server.owner(production.owner)))
        new = sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(*words)
        connection.execute(new + clause(connection, production.encoding))
    with connected(server, server.template) as connection:
        _run(connection, schema)
        connection.execute("RESET ALL")
        load_books(connection, production.books)
        unfilled = fill(connection, production.books.keys())
        _publish(connection, schema)
        connection.execute("ANALYZE")
        return unfilled


def load_books(connection: Connection, books: Mapping[Table, bytes]) -> None:
    """The rows of the bookkeeping tables, as production has them now."""
    connection.execute("SET session_replication_role = replica")
    for table, rows in books.items():
        name = sql.Identifier(*table)
        empty(connection, name)
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
            copy.write(rows)
    connection.execute("RESET session_replication_role")


def empty(connection: Connection, table: sql.Identifier) -> None:
    """Also where rows are published that nothing tells apart, of which none may be deleted."""
    try:
        connection.execute(sql.SQL("DELETE FROM ONLY {}").format(table))
    except errors.ObjectNotInPrerequisiteState:
        connection.execute(sql.SQL("TRUNCATE ONLY {} CASCADE").format(table))


def _refuse_missing(connection: Connection, extensions: Iterable[str]) -> None:
    there = {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}
    missing = sorted(set(extensions) - there)
    if missing:
        raise DatabaseError(
            f"production has the extension {', '.join(missing)}, "
            "and the PostgreSQL that makes the scratch copy lacks it",
            hint="Install it here too: apt install "
            + " ".join(f"postgresql-{_version(connection)}-{name}" for name in missing)
            + " (a package may be named differently: apt search).",
        )


def _version(connection: Connection) -> int:
    return connection.info.server_version // 10_000


def make_roles(connection: Connection, roles: Iterable[Role]) -> None:
    """Without password and login; those of PostgreSQL itself are there."""
    made = [role for role in roles if not role.name.startswith("pg_") and role.name != ADMIN]
    for role in made:
        name = sql.Identifier(role.name)
        with suppress(errors.DuplicateObject):  # of the scratch server itself
            connection.execute(sql.SQL("CREATE ROLE {}").format(name))
        connection.execute(sql.SQL("ALTER ROLE {} {}").format(name, _attributes(role)))
    for role in made:
        for group in role.member_of:
            connection.execute(
                sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role.name))
            )


def _attributes(role: Role) -> sql.SQL:
    superuser = "SUPERUSER" if role.superuser else "NOSUPERUSER"
    inherit = "INHERIT" if role.inherits else "NOINHERIT"
    bypass = "BYPASSRLS" if role.bypasses_row_security else "NOBYPASSRLS"
    return sql.SQL(f"{superuser} {inherit} {bypass}")


def _run(connection: Connection, schema: str) -> None:
    for batch in _batches(schema):
        try:
            connection.execute(batch.encode())
        except psycopg.Error as error:
            raise DatabaseError(
                f"production's schema could not be restored: {_words(error)}",
                hint="The scratch server lacks something that production has "
                "(an extension, a language, a collation): install it here too.",
            ) from error


def _publish(connection: Connection, schema: str) -> None:
    """What only a superuser may publish (all tables, a schema's) is not on the copy of another."""
    for piece in split(schema):
        if piece.text.startswith(_PUBLISHING):
            with suppress(errors.InsufficientPrivilege, errors.UndefinedObject):
                connection.execute(piece.text.encode())


def _batches(schema: str) -> Iterator[str]:
    apart = (*_LEFT_OUT, *_PUBLISHING)
    texts = [piece.text for piece in split(schema) if not piece.text.startswith(apart)]
    for at in range(0, len(texts), _BATCH):
        yield ";\n".join(texts[at : at + _BATCH])


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).splitlines()[:2])
