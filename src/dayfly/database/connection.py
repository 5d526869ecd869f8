"""Sessions in a database, whatever its encoding."""

from typing import Any

import psycopg
from psycopg import Connection

CONNECT_SECONDS = 10


def connect(url: str = "", **how: Any) -> Connection:  # noqa: ANN401 - as psycopg takes them
    """As `psycopg.connect`; texts come and go in UTF-8, and nothing is prepared but by a migration.

    Else psycopg takes the database's own encoding: one in SQL_ASCII would answer with bytes, and
    what LATIN1 has no sign for could not even be asked. And with statements of its own that it has
    prepared it would give up the migration's.
    """
    always = {
        "client_encoding": "utf8",
        "prepare_threshold": None,
        "connect_timeout": CONNECT_SECONDS,
    }
    return psycopg.connect(url, **{**always, **how})


def said(error: psycopg.Error) -> str:
    """By the server, without its hints; of what never reached it, by the driver."""
    return error.diag.message_primary or str(error)
