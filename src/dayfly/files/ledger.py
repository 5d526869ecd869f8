"""SQLite on a local disk, durable: many readers, and many writers to one sync."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.files.errors import FilesError, NoRoomError, ReadOnlyError

BUSY_SECONDS = 60.0
Statement = tuple[str, tuple[Any, ...]]
Row = tuple[Any, ...]


@dataclass
class _Change:
    statements: Sequence[Statement]
    error: FilesError | None = None
    done: bool = False


class Ledger:
    """Of one file. Whoever comes first writes for all threads that wait; processes take turns."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._own = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._waiting: list[_Change] = []
        self._queue = threading.Lock()
        self._disk = threading.Lock()
        with translated(path):
            self._writer = self._connected()
            self._writer.executescript(schema)

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in (
            "journal_mode=wal",
            "synchronous=full",
            "recursive_triggers=on",
            "cache_size=-16000",
        ):
            connection.execute(f"pragma {pragma}")
        with self._queue:
            self._open.append(connection)
        return connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        with translated(self._path):
            return self._reader().execute(statement, values).fetchall()

    def each(self, statement: str, *values: object) -> Iterator[Row]:
        """Row by row; what is not read costs nothing."""
        with translated(self._path):
            cursor = self._reader().execute(statement, values)
        try:
            yield from cursor
        finally:
            cursor.close()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connected()
        return connection

    def commit(self, statements: Sequence[Statement]) -> None:
        """Return when all of them are on disk, or none."""
        change = _Change(statements)
        with self._queue:
            self._waiting.append(change)
        with self._disk:
            if not change.done:
                with self._queue:
                    group, self._waiting = self._waiting, []
                self._write(group)
        if change.error:
            raise change.error

    def _write(self, group: Sequence[_Change]) -> None:
        try:
            with translated(self._path), self._transaction():
                for change in group:
                    for statement, values in change.statements:
                        self._writer.execute(statement, values)
        except FilesError as error:
            for change in group:
                change.error = error
        finally:
            for change in group:
                change.done = True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("begin immediate")
        try:
            yield
            self._writer.execute("commit")
        except sqlite3.Error:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself
                self._writer.execute("rollback")
            raise

    def close(self) -> None:
        for connection in self._open:
            connection.close()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Tell what SQLite says as FilesError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        message = f"{path}: {error}"
        if code == sqlite3.SQLITE_FULL:
            raise NoRoomError(message, hint="Make room where the index lies.") from error
        if code == sqlite3.SQLITE_READONLY:
            raise ReadOnlyError(message) from error
        hint = "The index can be made anew from the tree: dayfly files rebuild."
        raise FilesError(message, hint=hint) from error
