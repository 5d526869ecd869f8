"""Run a directory of plain SQL files, each once."""

import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg import Connection

from dayfly.clock import DeadlineError, wait_until
from dayfly.database.connection import connect
from dayfly.database.problems import asking, connecting
from dayfly.database.sqlbooks import Books, books_of, new_books, write_down
from dayfly.database.sqlfailures import NOTHING, failed, unwritten, with_right
from dayfly.database.sqlindexes import index_of, invalid, removed_by
from dayfly.database.sqlleft import left_by
from dayfly.database.sqlnames import SqlFile, SqlFileError, sql_files
from dayfly.database.sqlplan import alone, pending
from dayfly.database.sqltext import split

ONE_AT_A_TIME = 0x44_61_79_66_6C_79  # "Dayfly", the same in every version
OTHERS_SECONDS = 60.0
_POLL_SECONDS = 0.2
_THERE = (
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
    psycopg.errors.DuplicateColumn,
    psycopg.errors.DuplicateSchema,
    psycopg.errors.DuplicateFunction,
)
_CHANGES_SESSION = re.compile(r"\b(?:search_path|role|authorization)\b", re.IGNORECASE)


AGAIN = "RESET ROLE; RESET ALL"  # what a session was, for the next file


class EndedError(SqlFileError):
    """Somebody has ended its session; nothing of the file stays."""


class AlreadyThereError(SqlFileError):
    """It may have run before, by hand, and nobody wrote that down; the hint says how."""


class LockedError(SqlFileError):
    """Somebody holds a lock for longer than we may wait; nothing of the file stays."""


def pending_files(url: str | None, directory: Path) -> tuple[SqlFile, ...]:
    """What would run, in its order; without a database all of it."""
    files = sql_files(directory)
    if url is None:
        return files
    with _connected(url) as connection:
        return pending(files, books_of(connection, files))


History: TypeAlias = tuple[SqlFile, ...]


def history_of(url: str, directory: Path) -> History | None:
    """What has run, in its order; None where the files alone cannot make the schema again.

    That is so above a baseline, and where a repeatable file has another text than it ran with.
    """
    files = sql_files(directory)
    with _connected(url) as connection:
        books = books_of(connection, files)
    if books is None or books.baseline:
        return None
    ran = tuple(file for file in files if file.name in books.runs)
    return None if set(ran) & set(pending(files, books)) else ran


def run_files(url: str, files: History) -> None:
    """Each of them, in a database that has run none."""
    with _connected(url) as connection:
        books = new_books(connection, files)
        for file in files:
            _apply(connection, books, file)


def apply_files(  # noqa: PLR0913 - all by name
    url: str,
    directory: Path,
    *,
    leave: Collection[str] = (),
    name: str = "",
    others_seconds: float = OTHERS_SECONDS,
    lock_seconds: float = 0,
    statement_seconds: float = 0,
) -> tuple[str, ...]:
    """Run what is new, but for those to leave; the names. Only one at a time: it waits for others.

    LockedError when a lock is not to be had within `lock_seconds`, since all who come later wait
    behind who waits; 0 waits for ever. What runs without a transaction waits as long as it takes,
    but for `statement_seconds`, which end any statement.
    """
    files = sql_files(directory)
    with _connected(url, name) as connection, _alone_here(connection, others_seconds):
        books = books_of(connection, files)
        new = [file for file in pending(files, books) if file.name not in leave]
        books = books or new_books(connection, files)
        for file in new:
            _limit(connection, 0 if alone(file.text) else lock_seconds, statement_seconds)
            _apply(connection, books, file)
    return tuple(file.name for file in new)


@contextmanager
def _connected(url: str, name: str = "") -> Iterator[Connection]:
    with (
        connecting(url),
        connect(
            url,
            autocommit=True,
            application_name=name or None,
        ) as connection,
        asking(connection),
    ):
        yield connection


@contextmanager
def _alone_here(connection: Connection, seconds: float) -> Iterator[None]:
    """Asked for again and again: one who waits in the server would hold up CONCURRENTLY."""

    def got() -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (ONE_AT_A_TIME,)).fetchone()
        return bool(row and row[0])

    try:
        wait_until(got, seconds=seconds, what="the run before ends", poll=_POLL_SECONDS)
    except DeadlineError as error:
        raise SqlFileError(
            f"another run of these migrations has not ended within {seconds:g} s",
            hint="Look who: SELECT * FROM pg_stat_activity JOIN pg_locks USING (pid) "
            "WHERE locktype = 'advisory';",
        ) from error
    yield  # the lock goes with the connection


def _limit(connection: Connection, lock_seconds: float, statement_seconds: float) -> None:
    limits = {"lock_timeout": lock_seconds, "statement_timeout": statement_seconds}
    for name, seconds in limits.items():
        milliseconds = f"{seconds * 1000:.0f}"
        connection.execute("SELECT set_config(%s, %s, false)", (name, milliseconds))


def _apply(connection: Connection, books: Books, file: SqlFile) -> None:
    started = time.monotonic()
    if alone(file.text):
        _one_by_one(connection, file)
        _write(connection, books, file, started)
        return
    with connection.transaction():
        try:
            connection.execute(file.text.encode())
        except psycopg.errors.LockNotAvailable as error:
            raise LockedError(
                f"{file.name}: a lock was not to be had in time", hint=NOTHING
            ) from error
        except psycopg.errors.AdminShutdown as error:
            raise EndedError(f"{file.name}: it was ended", hint=NOTHING) from error
        except _THERE as error:
            raise failed(file, error, unwritten(file), how=AlreadyThereError) from error
        except psycopg.Error as error:
            raise failed(file, error, with_right(connection, error, NOTHING)) from error
        _write(connection, books, file, started)


def _one_by_one(connection: Connection, file: SqlFile) -> None:
    pieces = split(file.text)
    for number, piece in enumerate(pieces):
        try:
            connection.execute(piece.text.encode())
        except psycopg.Error as error:
            told = with_right(connection, error, left_by(connection, pieces, number))
            raise failed(file, error, told, piece=piece) from error
        if left := invalid(connection, index_of(piece.text)):  # IF NOT EXISTS passes it over
            raise SqlFileError(
                f"{file.name}, line {piece.line}: the index {left} is there and invalid, "
                "since an earlier run failed",
                hint=f"It checks nothing and nobody uses it: {removed_by(left)} Then run it again.",
            )


def _write(connection: Connection, books: Books, file: SqlFile, started: float) -> None:
    if changes_session(file.text):
        connection.execute(AGAIN)  # or the books are another role's, elsewhere
    write_down(connection, books, file, time.monotonic() - started)


def changes_session(text: str) -> bool:
    """Whether what comes after it would be done as somebody else, or elsewhere."""
    return bool(_CHANGES_SESSION.search(text))
