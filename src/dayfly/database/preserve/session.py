"""Sessions in which a value has one spelling, whoever asks and whatever the server's settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, errors, sql

from dayfly.database.connection import connect
from dayfly.database.problems import asking, connecting
from dayfly.database.programs import DatabaseError

LOCK_SECONDS = 10.0  # that we wait behind others, with all who come later behind us
_SPELLING = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "search_path": "public",
    "row_security": "off",  # an error, instead of some of the rows
    "check_function_bodies": "off",
    "work_mem": "64MB",  # joins of whole tables, in one session
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


@contextmanager
def session(url: str, *, lock_seconds: float = LOCK_SECONDS) -> Iterator[Connection[Any]]:
    """Outside of any transaction."""
    with (
        connecting(url),
        connect(url, autocommit=True) as connection,
        asking(connection),
    ):
        limit = {"lock_timeout": f"{lock_seconds * 1000:.0f}"}
        for name, value in (_SPELLING | limit).items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        yield connection


@contextmanager
def explained(what: str, hint: str = "") -> Iterator[None]:
    """What the server refuses, with what we were about; a missing grant is told elsewhere."""
    try:
        yield
    except (errors.InsufficientPrivilege, errors.LockNotAvailable, errors.QueryCanceled):
        raise
    except psycopg.OperationalError as error:
        raise DatabaseError(
            f"{what}: the connection to the database was lost: {first_line(error)}", hint=hint
        ) from error
    except psycopg.Error as error:
        detail = error.diag.message_detail
        more = f" ({detail})" if detail else ""
        raise DatabaseError(f"{what}: {first_line(error)}{more}", hint=hint) from error


def first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def hashed(columns: list[sql.Composable]) -> sql.Composed:
    """One word for the text of several values, the same wherever these come from."""
    return sql.SQL("md5(row({})::text)").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(column) for column in columns)
    )


def number_of(connection: Connection[Any], question: sql.Composed) -> int:
    row = connection.execute(question).fetchone()
    return int(row[0]) if row else 0
