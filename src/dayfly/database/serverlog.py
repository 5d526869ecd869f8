"""The log of the server that a copy is on: what it was really asked to execute."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import errors

from dayfly.database.connection import connect
from dayfly.database.problems import shown
from dayfly.database.programs import DatabaseError

JSON_SINCE = 15
_CHUNK = 4 * 2**20
_TAIL_BYTES = 65_536
_NAME = "SELECT pg_current_logfile(%s)"
# Names are relative to where the current one lies; the order is that in which they were written.
_FILES = """
    SELECT name, size FROM pg_ls_logdir() WHERE name ~ %s AND modification >= coalesce(
        (SELECT modification FROM pg_ls_logdir() WHERE name = %s), '-infinity')
    ORDER BY name = %s DESC, modification, name
"""
_READ = "SELECT pg_read_binary_file(%s, %s, %s, true)"

Position = tuple[str, int]  # a file, and how much of it is older


class Log(Protocol):
    @property
    def form(self) -> str:
        """`json` or `csv`."""

    def end(self) -> Position:
        """Where it ends now."""

    def since(self, position: Position) -> bytes: ...

    def has(self, mark: bytes, position: Position) -> bool:
        """Whether it was written since then."""


@dataclass(frozen=True)
class FileLog:
    """Of a server of our own, which writes into one file."""

    path: Path

    @property
    def form(self) -> str:
        return self.path.suffix.removeprefix(".")

    def end(self) -> Position:
        return "", self.path.stat().st_size if self.path.exists() else 0

    def since(self, position: Position) -> bytes:
        with self.path.open("rb") as file:
            file.seek(position[1])
            return file.read()

    def has(self, mark: bytes, position: Position) -> bool:
        tail = self.path.stat().st_size - _TAIL_BYTES
        return mark in self.since(("", max(position[1], tail)))


@dataclass(frozen=True)
class ServerLog:
    """Of the operator's server, which is asked for it; others write into it, too."""

    url: str
    form: str

    def end(self) -> Position:
        with self._reading() as connection:
            name = self._current(connection)
            sizes = dict(self._files(connection, name))
            return name, sizes.get(Path(name).name, 0)

    def since(self, position: Position) -> bytes:
        with self._reading() as connection:
            return b"".join(self._parts(connection, position))

    def has(self, mark: bytes, position: Position) -> bool:
        return mark in self.since(position)

    def _parts(self, connection: psycopg.Connection, position: Position) -> Iterator[bytes]:
        first, offset = position
        for name, size in self._files(connection, first):
            path = str(Path(first).with_name(name))
            for at in range(offset, size, _CHUNK):
                length = min(_CHUNK, size - at)
                row = connection.execute(_READ, (path, at, length)).fetchone()
                yield bytes(row[0]) if row and row[0] else b""
            offset = 0

    def _files(self, connection: psycopg.Connection, first: str) -> list[tuple[str, int]]:
        """With the one that is named first, and all that came later."""
        name = Path(first).name
        rows = connection.execute(_FILES, (rf"\.{self.form}$", name, name)).fetchall()
        return [(str(name), int(size)) for name, size in rows]

    def _current(self, connection: psycopg.Connection) -> str:
        row = connection.execute(_NAME, (f"{self.form}log",)).fetchone()
        if row is None or row[0] is None:
            raise DatabaseError(
                f"the server of scratch_url ({shown(self.url)}) writes no {self.form}log",
                hint=f"ALTER SYSTEM SET logging_collector = on; ALTER SYSTEM SET log_destination = "
                f"'{self.form}log'; then restart it.",
            )
        return str(row[0])

    def _reading(self) -> psycopg.Connection:
        return connect(self.url, autocommit=True)


def log_of(url: str, version: int) -> ServerLog:
    """DatabaseError with the grants that are missing where it can't be read."""
    log = ServerLog(url, "json" if version >= JSON_SINCE else "csv")
    try:
        log.since(log.end())
        _require_read(log)
    except errors.InsufficientPrivilege as error:
        user = str(psycopg.conninfo.conninfo_to_dict(url).get("user") or "")
        raise DatabaseError(
            f"the log of scratch_url's server can't be read: {str(error).splitlines()[0]}",
            hint=f'GRANT pg_monitor, pg_read_server_files TO "{user}"; GRANT EXECUTE ON FUNCTION '
            "pg_current_logfile(text), pg_read_binary_file(text, bigint, bigint, boolean) "
            f'TO "{user}"; in the database that scratch_url names.',
        ) from error
    return log


def _require_read(log: ServerLog) -> None:
    with connect(log.url, autocommit=True) as connection:
        connection.execute(_READ, (log.end()[0], 0, 1))
