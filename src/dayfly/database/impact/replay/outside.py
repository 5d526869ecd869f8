"""Run a statement that refuses a transaction, and see its locks although they last a moment.

Another session holds a weak lock on every table, for which such statements wait (CONCURRENTLY) or
queue (VACUUM FULL): what they hold or ask for then is read, and the way is cleared.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from dayfly.clock import wait_until
from dayfly.database.connection import connect
from dayfly.database.impact.replay.locks import strongest
from dayfly.database.impact.replay.marks import Connection, locks
from dayfly.database.impact.words import mentions

SECONDS = 120.0
_TABLES_AT_ONCE = 2000  # more would exceed what the lock table holds; those it names come first
_WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted)"


@dataclass
class _Running:
    connection: Connection
    text: str
    indexes: Mapping[int, int]
    tag: str = ""
    error: psycopg.Error | None = None
    locks: dict[int, str] = field(default_factory=dict)

    def run(self) -> None:
        try:
            self.tag = self.connection.execute(self.text.encode()).statusmessage or ""
        except psycopg.Error as error:
            self.error = error

    def look(self, watcher: Connection) -> bool:
        """Note its locks; whether it waits."""
        pid = self.connection.info.backend_pid
        row = watcher.execute(_WAITS, (pid,)).fetchone()
        for relation, mode in locks(watcher, pid, self.indexes).items():
            self.locks[relation] = strongest((mode, self.locks.get(relation, "")))
        return bool(row and row[0])


def run_outside(
    connection: Connection,
    text: str,
    tables: Iterable[tuple[str, str]],
    indexes: Mapping[int, int],
) -> tuple[str, dict[int, str]]:
    """The tag and the locks of a statement in autocommit, run while others use the tables."""
    running = _Running(connection, text, indexes)
    thread = threading.Thread(target=running.run, daemon=True)
    used = sorted(tables, key=lambda path: not mentions(text, path[1]))
    with _second(connection) as watcher, _second(connection) as user:
        with _using(user, used[:_TABLES_AT_ONCE]):
            thread.start()
            wait_until(
                lambda: not thread.is_alive() or running.look(watcher),
                seconds=SECONDS,
                what="a statement outside a transaction gets its locks",
            )
        thread.join(SECONDS)
    if running.error is not None:
        raise running.error
    return running.tag, running.locks


@contextmanager
def _second(connection: Connection) -> Iterator[Connection]:
    parameters: dict[str, Any] = connection.info.get_parameters()
    password = connection.info.password
    with connect(**parameters, password=password, autocommit=True) as other:
        yield other


@contextmanager
def _using(connection: Connection, tables: Iterable[tuple[str, str]]) -> Iterator[None]:
    names = [sql.Identifier(*path) for path in tables]
    connection.execute("BEGIN")
    if names:
        locking = sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(sql.SQL(", ").join(names))
        connection.execute(locking)
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
