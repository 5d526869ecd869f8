"""Sessions in a database, whatever its encoding."""

from typing import Any

import psycopg
from psycopg import Connection


def connect(url: str = "", **how: Any) -> Connection:  # noqa: ANN401 - as psycopg takes them
    """As `psycopg.connect`; texts come and go in UTF-8, and nothing is prepared but by a migration.

    Else psycopg takes the database's own encoding: one in SQL_ASCII would answer with bytes, and
    what LATIN1 has no sign for could not even be asked. And with statements of its own that it has
    prepared it would give up the migration's.
    """
    return psycopg.connect(url, **{"client_encoding": "utf8", "prepare_threshold": None, **how})
