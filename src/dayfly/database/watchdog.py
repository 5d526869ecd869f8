"""Nobody waits for a migration longer than the budget, whatever tool and driver runs it."""

import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection, sql

from dayfly.clock import DeadlineError, Stop, wait_until
from dayfly.database.connection import connect
from dayfly.database.problems import asking, connecting, user_of
from dayfly.database.programs import DatabaseError

Pair = tuple[int, int]  # processes: of a session of the migration, of one that waits for it

LOOKS = 5  # within a budget
LEAST_SECONDS, MOST_SECONDS = 0.05, 0.5  # between two looks
JOIN_SECONDS = 10.0
GONE_SECONDS = 10.0  # a session that is told to end does so at once, unless its disk hangs
_WATCH = "dayfly watch"
# Those that watch may be of the same role.
_OWN = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name <> 'dayfly watch'
      AND backend_type IS DISTINCT FROM 'walsender'
      AND (application_name = %(name)s OR usename = %(role)s)
"""
_OWN_LIMIT = """
    SELECT split_part(setting, '=', 2) FROM pg_roles, unnest(rolconfig) AS setting
    WHERE rolname = %s AND setting LIKE 'lock_timeout=%%'
"""
# Who waits for which session of the migration, and which of these wait themselves.
_WAITING = """
    SELECT blocker.pid, waiting.pid FROM pg_stat_activity waiting
    CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocker(pid)
    JOIN pg_stat_activity own ON own.pid = blocker.pid
    WHERE waiting.wait_event_type = 'Lock' AND (own.application_name = %(name)s
      OR own.usename = %(role)s) AND NOT (waiting.application_name = %(name)s
      OR waiting.usename = %(role)s)
"""


@dataclass
class Watch:
    """What came of it so far; `ended` are the processes of sessions that were ended."""

    ended: list[int] = field(default_factory=list)
    for_others: bool = False  # the last were, since others waited for them
    done: bool = False  # said by the body: the migration has come through
    left: str = ""  # why sessions of one that has not may go on


@contextmanager
def watched(
    url: str,
    *,
    name: str,
    role: str,
    budget: float,
    seconds: float = math.inf,
    stop: Stop | None = None,
) -> Iterator[Watch]:
    """End sessions of the migration for which others wait longer than `budget` seconds.

    All of them are ended after `seconds`, when a stop is requested, and when the body is over
    without having said that it is done: then they are gone before anything is undone.

    They are known by their application's `name`, or by a `role` of their own ("" for none).
    """
    watch, over, heard = Watch(), threading.Event(), stop or Stop()
    with _entered(url) as connection:
        words, last = {"name": name, "role": role}, time.monotonic() + seconds

        def look() -> None:
            since: dict[Pair, float] = {}
            pause = min(max(budget / LOOKS, LEAST_SECONDS), MOST_SECONDS)
            with suppress(psycopg.Error):  # the migration meets the same, and tells it
                while not over.wait(pause):
                    now = time.monotonic()
                    since = counted(since, connection.execute(_WAITING, words).fetchall(), now)
                    all_of_them = now >= last or heard.requested
                    own = _own(connection, words) if all_of_them else set[int]()
                    for pid in own or too_long(since, now - budget):
                        watch.ended.append(pid)
                        watch.for_others = not own
                        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))

        thread = threading.Thread(target=look, name="migration watch", daemon=True)
        thread.start()
        try:
            yield watch
        finally:
            over.set()
            thread.join(JOIN_SECONDS)
            if not watch.done:
                watch.left = _left(url, name=name, role=role)


def _left(url: str, *, name: str, role: str) -> str:
    """What it was that went wrong comes first: this is only told."""
    try:
        end_sessions(url, name=name, role=role)
    except DatabaseError as error:
        return error.message
    return ""


def end_sessions(url: str, *, name: str, role: str) -> None:
    """End those of a migration, and wait until they are gone; DatabaseError when they stay.

    A program that was killed does not end what it has asked the server for.
    """
    words = {"name": name, "role": role}
    with connecting(url), _entered(url) as connection, asking(connection):

        def gone() -> bool:
            own = _own(connection, words)
            for pid in own:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            return not own

        try:
            wait_until(gone, seconds=GONE_SECONDS, what=f"the sessions of {name} end")
        except DeadlineError as error:
            numbers = ", ".join(map(str, sorted(_own(connection, words))))
            raise DatabaseError(f"{error.message} (pid {numbers})") from error


def _entered(url: str) -> Connection:
    """As the role itself: what its settings make of it may end none of its sessions."""
    made = connect(url, autocommit=True, application_name=_WATCH)
    made.execute("SET ROLE NONE")
    return made


def _own(connection: Connection, words: Mapping[str, str]) -> set[int]:
    return {row[0] for row in connection.execute(_OWN, words)}


def counted(since: Mapping[Pair, float], found: Iterable[Pair], now: float) -> dict[Pair, float]:
    """Since when each waits; those that wait no more are forgotten."""
    return {pair: since.get(pair, now) for pair in found}


def too_long(since: Mapping[Pair, float], before: float) -> set[int]:
    return {blocker for (blocker, _), began in since.items() if began < before}


def own_role(migrate_url: str, app_url: str) -> str:
    """The role that only migrations enter as; empty where the app enters as it too."""
    role = user_of(migrate_url)
    return "" if role == user_of(app_url) else role


@contextmanager
def limited_locks(url: str, role: str, budget: float, *, before: str) -> Iterator[None]:
    """Sessions that a role begins in the body ask for a lock no longer than the budget (seconds).

    Whatever the driver. What the role's settings said `before` stands again afterwards.
    """
    set_lock_timeout(url, role, f"{budget * 1000:.0f}ms")
    try:
        yield
    finally:
        set_lock_timeout(url, role, before)


def lock_timeout_of(url: str, role: str) -> str:
    """As the role's own settings have it; empty where they say nothing."""
    with connect(url, autocommit=True) as connection:
        row = connection.execute(_OWN_LIMIT, (role,)).fetchone()
        return str(row[0]) if row else ""


def set_lock_timeout(url: str, role: str, value: str) -> None:
    """In the role's own settings; empty takes it out of them."""
    said = sql.SQL("SET lock_timeout = {}").format(value)
    change = said if value else sql.SQL("RESET lock_timeout")
    with connecting(url), _entered(url) as connection, asking(connection):
        connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), change))
