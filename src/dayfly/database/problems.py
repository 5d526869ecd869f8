"""What PostgreSQL refuses, in words for the person who has to act on it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict

from dayfly.database.programs import DatabaseError

_WHY = {
    "password authentication failed": "The password in the URL is wrong; so may be its secret.",
    "no password supplied": "The URL has no password: postgresql://USER:PASSWORD@HOST/NAME.",
    "no pg_hba.conf entry": "The server does not let this machine in: add a line to pg_hba.conf.",
    "does not exist": "Look at the name in the URL, and at the server: psql --list.",
    "Connection refused": "No server answers there: look at host and port in the URL.",
    "could not translate host name": "The host name is not known here: look at the URL.",
    "failed to resolve host": "The host name is not known here: look at the URL.",
    "Name or service not known": "The host name is not known here: look at the URL.",
    "timeout expired": "Nothing answered in time: a firewall, or the wrong host.",
    "too many": "The server has no connection left: raise max_connections, or end idle ones.",
    "remaining connection slots": "The server has no connection left: end idle ones.",
}  # fmt: skip
_DENIED = re.compile(
    r"permission denied for (?P<kind>table|relation|schema|sequence|view|foreign table|database|"
    r"function|materialized view) \"?(?P<name>[^\s\"]+)\"?"
)
_NETWORK = re.compile(
    r"Name or service not known|name resolution|Could not resolve host|ENOTFOUND|EAI_AGAIN|"
    r"failed to resolve|Network is unreachable|no such host|UnknownHostException|"
    r"Connection timed out|No route to host|Max retries exceeded",
    re.IGNORECASE,
)
_OWNED = re.compile(r"must be owner of (?P<kind>[a-z ]+?) \"?(?P<name>[^\s\"]+)")
_RIGHT = {"schema": "USAGE", "database": "CONNECT", "function": "EXECUTE"}


@contextmanager
def connecting(url: str) -> Iterator[None]:
    """Tell why a database cannot be reached; its password is never told."""
    try:
        yield
    except psycopg.OperationalError as error:
        if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
            raise
        words = " ".join(str(error).split())
        hint = next((what for key, what in _WHY.items() if key in words), "")
        raise DatabaseError(f"{shown(url)} cannot be reached: {words}", hint=hint) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is not None:
            raise
        raise DatabaseError(
            f"the database's URL cannot be read{_scheme(url)}", hint=_URL
        ) from error


def _scheme(url: str) -> str:
    """What it begins with, which other libraries call the same database by."""
    scheme, found, _ = url.partition("://")
    known = not found or scheme in {"postgresql", "postgres"}
    return "" if known else f": it begins with {scheme}://"


_URL = "It looks like postgresql://USER:PASSWORD@HOST:PORT/NAME."


@contextmanager
def asking(connection: Connection) -> Iterator[None]:
    """Tell what a question was refused for, with the grant that is missing."""
    user = connection.info.user
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise DatabaseError(_first(error), hint=missing_grant(str(error), user)) from error
    except (errors.QueryCanceled, errors.LockNotAvailable) as error:
        raise DatabaseError(
            f"the database did not answer in time: {_first(error)}",
            hint="It is busy, or a lock is held on its catalogue: try again later.",
        ) from error


def missing_grant(words: str, user: str) -> str:
    """What the owner has to type; for a table the schema's USAGE is a right of its own."""
    denied = _DENIED.search(words)
    if denied is None:
        return ""
    kind, name = denied["kind"], denied["name"]
    right = _RIGHT.get(kind, "SELECT")
    on = f"{kind.upper()} {name}" if kind in {*_RIGHT, "sequence"} else name
    return f'Let its owner grant it: GRANT {right} ON {on} TO "{user}";'


def missing_right(words: str, user: str) -> str:
    """What a role lacks that changes a schema: rights to create, or to own what it changes."""
    owned = _OWNED.search(words)
    if owned is not None:
        kind, name = owned["kind"].upper(), owned["name"]
        kind = "TABLE" if kind == "RELATION" else kind
        return (
            f'Only its owner may: ALTER {kind} {name} OWNER TO "{user}"; '
            "or let its owner migrate ([database] migrate_url)."
        )
    return missing_grant(words, user).replace("GRANT USAGE ON SCHEMA", "GRANT CREATE ON SCHEMA")


def missed_network(output: str) -> str:
    """What to do where a command's output says that it reached for something else than us."""
    if not _NETWORK.search(output):
        return ""
    return (
        "It needs the network, and a migration may run where there is none: "
        "let it need nothing but its database."
    )


def shown(url: str) -> str:
    """Where a database is, for a message."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the database"
    host, port = parts.get("host") or "localhost", parts.get("port") or "5432"
    return f"{parts.get('user') or ''}@{host}:{port}/{parts.get('dbname') or ''}"


def user_of(url: str) -> str:
    """The role that a URL enters as; empty where it names none."""
    return str(conninfo_to_dict(url).get("user") or "")


def _first(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0]
