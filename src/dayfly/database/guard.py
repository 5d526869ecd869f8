"""Production while something runs that is to see a copy alone: what strays there is ended.

A migrate command may take its database from elsewhere than the URL it is given. Where its driver
is libpq, or does as libpq does, production does not let it in: it asks for a tablespace that only
the copy has (`PGOPTIONS`). One that has options of its own still says who it is (`PGAPPNAME`).
And whatever its driver it wants to write down what it has done: in production's books, on which a
lock stands that only such a write meets. So it waits there with its transaction open, and is ended
before anything is committed.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection, sql

from dayfly.database.books import NAMING
from dayfly.database.connection import connect
from dayfly.database.programs import DatabaseError
from dayfly.errors import DayflyError

ONLY = "only_on_the_copy"  # the tablespace in which copies are on a server of our own
NAME = "dayfly impact"  # of the sessions of what is to see a copy alone
GRACE_SECONDS = 0.5  # for a session without that name: it may be somebody else's
LOOK_SECONDS = 0.02
_OWN = "dayfly guard"
# Who is not told: what a role may not lock, its migrations can't write either.
_BOOKS = """
    SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relname = ANY (%s)
    AND has_schema_privilege(n.oid, 'USAGE')
    AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') ORDER BY 1, 2
"""
# A transaction that is older than the guard is none of ours, nor one that Dayfly knows by name.
_STRAYS = """
    SELECT pid, coalesce(usename::text, ''), coalesce(query, ''), application_name = %(name)s,
           coalesce(xact_start >= %(since)s, true) AND application_name NOT LIKE 'dayfly %%'
    FROM pg_stat_activity WHERE datname = current_database() AND (application_name = %(name)s
    OR %(guard)s = ANY (pg_blocking_pids(pid)))
"""
_END = "SELECT pg_terminate_backend(%s)"


class StrayError(DatabaseError):
    """What was to see a copy alone has entered production, or never came to the copy."""


@dataclass
class Guard:
    """What came of it: the last statement of each session that was found in production."""

    strays: dict[int, str] = field(default_factory=dict)
    left: bool = False  # one could not be ended


@dataclass(kw_only=True)
class _Lock:
    """On production's books; `pid` is 0 where there is none."""

    connection: Connection
    pid: int = 0
    since: object = None

    def let_go(self) -> None:
        self.pid = 0
        self.connection.rollback()


def guarded(url: str, run: Callable[[str], int]) -> Callable[[str], int]:
    """A migrate command that is ended where it enters production, at `url`; then StrayError."""

    def tried(copy: str) -> int:
        with guard(url) as found:
            try:
                status = run(copy)
            except DayflyError as error:
                if found.strays:
                    raise _stray(found) from error
                raise
        if found.strays:
            raise _stray(found)
        return status

    return tried


def guarded_start(
    url: str, attempt: Callable[[str], str], *, books: bool = False
) -> Callable[[str], str]:
    """As `guarded`, of an app that is started and says what fails; with `books` if it migrates."""

    def tried(copy: str) -> str:
        with guard(url, books=books) as found:
            said = attempt(copy)
        told = f"it {_entered_production(found)}" if found.strays else said
        return f"{told}\n{ELSEWHERE}" if found.strays or kept_out(said) else said

    return tried


def kept_out(output: str) -> str:
    """What to do where a command's output says that production did not let it in."""
    return ELSEWHERE if ONLY in output else ""


def _stray(found: Guard) -> StrayError:
    return StrayError(f"the migrate command {_entered_production(found)}", hint=ELSEWHERE)


def _entered_production(found: Guard) -> str:
    """In words, once some session has been found."""
    statement = " ".join(next(iter(found.strays.values())).split()) or "nothing yet"
    ended = "could not be ended there" if found.left else "was ended there"
    return f"entered production instead of the copy, and {ended}: {statement}"


ELSEWHERE = (
    "It takes its database from elsewhere than DATABASE_URL, or the variable that [database] url "
    "names:\nread it from there, so that Dayfly can lead it to a copy."
)


@contextmanager
def guard(url: str, *, books: bool = True) -> Iterator[Guard]:
    """Ends sessions that stray into production while the body runs; it never stops the body."""
    found, over = Guard(), threading.Event()
    with ExitStack() as stack:
        try:
            looking, lock = _entered(stack, url, books=books)
        except psycopg.Error:
            yield found  # a replica, a pool that keeps no transaction: what follows tells
            return

        def look() -> None:
            since: dict[int, float] = {}
            with suppress(psycopg.Error):
                while not over.wait(LOOK_SECONDS):
                    since = _looked(looking, lock, found, since)

        thread = threading.Thread(target=look, name="guard", daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()
            with suppress(psycopg.Error):
                _looked(looking, lock, found, {})
                lock.let_go()


def _entered(stack: ExitStack, url: str, *, books: bool) -> tuple[Connection, _Lock]:
    def enter(*, autocommit: bool) -> Connection:
        made = connect(
            url,
            autocommit=autocommit,
            application_name=_OWN,
        )
        return stack.enter_context(made)

    looking, holding = enter(autocommit=True), enter(autocommit=False)
    lock = _Lock(connection=holding)
    if books:
        try:
            _take(lock)
        except psycopg.Error:
            lock.let_go()
    return looking, lock


def _take(lock: _Lock) -> None:
    """Whoever reads the books, or writes anything else, does not meet it."""
    lock.connection.read_only = True
    lock.connection.execute("SET LOCAL lock_timeout = '1s'")
    lock.connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    tables = lock.connection.execute(_BOOKS, ([*NAMING],)).fetchall()
    if tables:
        names = sql.SQL(", ").join(sql.Identifier(*table) for table in tables)
        lock.connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(names))
    row = lock.connection.execute("SELECT pg_backend_pid(), clock_timestamp()").fetchone()
    if row:
        lock.pid, lock.since = row


def _looked(
    looking: Connection, lock: _Lock, found: Guard, since: dict[int, float]
) -> dict[int, float]:
    """Since when each of them waits without having said who it is."""
    words = {"name": NAME, "guard": lock.pid, "since": lock.since}
    waiting: dict[int, float] = {}
    for pid, _, query, named, young in looking.execute(_STRAYS, words).fetchall():
        waiting[pid] = since.get(pid, time.monotonic())
        if named or (young and waiting[pid] + GRACE_SECONDS < time.monotonic()):
            found.strays[pid] = query
            _end(looking, lock, found, pid)
        elif not young:
            lock.let_go()
    return waiting


def _end(looking: Connection, lock: _Lock, found: Guard, pid: int) -> None:
    """One that may not be ended must not keep others waiting on it either."""
    try:
        looking.execute(_END, (pid,))
    except psycopg.errors.InsufficientPrivilege:
        found.left = True
        lock.let_go()
