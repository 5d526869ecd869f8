"""SQLite on a local disk, durable: many readers, and many writers to one sync."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.files.errors import BadNameError, FilesError, NoRoomError, ReadOnlyError

BUSY_SECONDS = 60.0
_PRAGMAS = (
    "journal_mode=wal",
    "synchronous=full",
    "recursive_triggers=on",  # also a row that is replaced leaves
    "cache_size=-16000",
)
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
        self._open: list[sqlite3.Connection] = []
        self._idle: list[sqlite3.Connection] = []  # of those that read
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
        for pragma in _PRAGMAS:
            connection.execute(f"pragma {pragma}")
        self._open.append(connection)
        return connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with translated(self._path):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connected()
            try:
                yield connection
            finally:
                self._idle.append(connection)

    def rows(self, statement: str, *values: object) -> list[Row]:
        with self._reader() as reader:
            return reader.execute(statement, values).fetchall()

    def quick(self, statement: str, *values: object) -> list[Row]:
        """The same at half the cost; whatever SQLite has against it, there are no rows."""
        try:
            reader = self._idle.pop() if self._idle else self._connected()
        except (sqlite3.Error, IndexError):
            return []
        try:
            return reader.execute(statement, values).fetchall()
        except (sqlite3.Error, UnicodeEncodeError):
            return []
        finally:
            self._idle.append(reader)

    def each(self, statement: str, *values: object) -> Iterator[Row]:
        """Row by row; what is not read costs nothing."""
        with self._reader() as reader, closing(reader.execute(statement, values)) as cursor:
            yield from cursor

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
        """All of a group at once; where that fails, each by itself: what fails is one's own."""
        for change in group:
            change.error = FilesError(f"{self._path}: the commit was broken off")
            change.done = True
        try:
            self._execute(group)
        except FilesError as error:
            group[0].error = error
            if len(group) > 1:
                for change in group:
                    self._write([change])
        else:
            for change in group:
                change.error = None

    def _execute(self, group: Sequence[_Change]) -> None:
        with translated(self._path), self._transaction():
            for change in group:
                for statement, values in change.statements:
                    self._writer.execute(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("begin immediate")
        try:
            yield
            self._writer.execute("commit")
        except BaseException:
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
    except UnicodeEncodeError as error:
        raise BadNameError(f"{error.object!a}: is not UTF-8") from error
    except (sqlite3.Error, OverflowError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        message = f"{path}: {error}"
        if code == sqlite3.SQLITE_FULL:
            raise NoRoomError(message, hint="Make room where the index lies.") from error
        if code == sqlite3.SQLITE_READONLY:
            raise ReadOnlyError(message) from error
        hint = "The index can be made anew from the tree: dayfly files rebuild."
        raise FilesError(message, hint=hint) from error
