"""A migration that makes others wait is ended, whatever driver runs it."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from dayfly.clock import Stop, wait_until
from dayfly.database.pace import Pace
from dayfly.database.patience import apply_patiently
from dayfly.database.problems import user_of
from dayfly.database.scratch import ScratchServer
from dayfly.database.watchdog import (
    counted,
    end_sessions,
    limited_locks,
    lock_timeout_of,
    own_role,
    too_long,
    watched,
)
from migrating import asked, write

NAME = "dayfly migrate 7"


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([], set()),
        ([(0.0, [(1, 2)]), (0.9, [(1, 2)])], set()),
        ([(0.0, [(1, 2)]), (1.1, [(1, 2)])], {1}),
        ([(0.0, [(1, 2)]), (0.6, []), (1.1, [(1, 2)])], set()),  # it waits anew
        ([(0.0, [(1, 2)]), (0.6, [(1, 3)]), (1.1, [(1, 3)])], set()),  # somebody else does
        ([(0.0, [(1, 2), (5, 2)]), (1.1, [(5, 2)])], {5}),
    ],
)
def test_who_is_ended(looks: list[tuple[float, list[tuple[int, int]]]], expected: set[int]) -> None:
    since: dict[tuple[int, int], float] = {}
    now = 0.0
    for now, found in looks:
        since = counted(since, found, now)
    assert too_long(since, now - 1.0) == expected


def test_a_role_counts_only_where_the_app_has_another() -> None:
    assert own_role("postgresql://a:x@h/d", "postgresql://a:x@h/d") == ""
    assert own_role("postgresql://owner:x@h/d", "postgresql://a:x@h/d") == "owner"


@pytest.mark.postgres
@pytest.mark.parametrize("name", [NAME, "psql"])
def test_a_reader_waits_no_longer_than_the_budget(production: str, name: str) -> None:
    """Another's session that does the same is none of ours."""
    asked(production, b"CREATE TABLE t (a int)")
    ended = threading.Event()

    def migrate() -> None:
        try:
            with psycopg.connect(production, application_name=name) as connection:
                connection.execute("ALTER TABLE t ADD COLUMN b int")
                connection.execute("SELECT pg_sleep(4)")
        except psycopg.errors.AdminShutdown:
            ended.set()

    migration = threading.Thread(target=migrate)
    with watched(production, name=NAME, role="", budget=0.4) as watch:
        migration.start()
        until_locked(production)
        began = time.monotonic()
        asked(production, b"SELECT count(*) FROM t")
        waited = time.monotonic() - began
        migration.join()

    assert ended.is_set() == (name == NAME) == bool(watch.ended)
    assert (waited < 3) == (name == NAME)


def until_locked(url: str) -> None:
    """Table t, so that who reads it has to wait."""
    held = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode LIKE 'AccessEx%'"
    wait_until(lambda: asked(url, held) == 1, seconds=20, what="t is locked", poll=0.02)


@contextmanager
def sleeping(url: str, name: str) -> Iterator[threading.Event]:
    """A session that does not come to its own end; the event tells that it was ended."""
    ended = threading.Event()

    def sleep() -> None:
        try:
            asked(make_conninfo(url, application_name=name), b"SELECT pg_sleep(30)")
        except psycopg.errors.AdminShutdown:
            ended.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    wait_until(lambda: name in at_work(url), seconds=5, what="it sleeps")
    try:
        yield ended
    finally:
        end_sessions(url, name=name, role="")
        thread.join()


def at_work(url: str) -> set[str]:
    """Names of sessions in the database."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND state = 'active'"
        )
        return {row[0] for row in rows}


@pytest.mark.postgres
def test_a_stop_ends_what_is_at_work(production: str) -> None:
    stop = Stop()
    with (
        sleeping(production, NAME) as ended,
        sleeping(production, "dayfly migrate 77") as other,
        watched(production, name=NAME, role="", budget=math.inf, stop=stop),
    ):
        stop.request("ada asked for it")
        assert ended.wait(5)
        assert not other.is_set()


@pytest.mark.postgres
@pytest.mark.parametrize("name", [NAME, "PostgreSQL JDBC Driver"])
@pytest.mark.parametrize("done", [True, False])
def test_what_did_not_come_through_is_gone_when_it_is_over(
    production: str, name: str, *, done: bool
) -> None:
    """A driver that does not bear the name is known by its role."""
    role = user_of(production)
    with sleeping(production, name):
        with (
            suppress(ZeroDivisionError),
            watched(production, name=NAME, role=role, budget=math.inf) as watch,
        ):
            watch.done = done
            raise ZeroDivisionError

        assert (name in at_work(production)) == done
        assert watch.left == ""


@pytest.mark.postgres
def test_sessions_in_another_database_are_not_ours(
    production: str, elsewhere: ScratchServer
) -> None:
    with elsewhere.database() as url, sleeping(url, NAME) as ended:
        end_sessions(production, name=NAME, role="")

        assert NAME in at_work(url)
        assert not ended.is_set()


@pytest.mark.postgres
@pytest.mark.parametrize("before", ["", "7s"])
def test_a_role_is_limited_while_it_migrates_and_no_longer(production: str, before: str) -> None:
    role = user_of(production)
    asked(production, f"ALTER ROLE \"{role}\" SET lock_timeout = '{before or 0}'".encode())
    if not before:
        asked(production, f'ALTER ROLE "{role}" RESET lock_timeout'.encode())

    with limited_locks(production, role, 0.4, before=lock_timeout_of(production, role)):
        assert asked(production, b"SHOW lock_timeout") == "400ms"

    assert asked(production, b"SHOW lock_timeout") == (before or "0")


@pytest.mark.postgres
def test_a_file_for_which_others_wait_too_long_is_tried_again(
    production: str, tmp_path: Path
) -> None:
    """The first attempt is too slow; the second meets an app that no longer reads."""
    asked(production, b"CREATE TABLE t (a int); CREATE TABLE tried (a int)")
    write(tmp_path, {"1.sql": "ALTER TABLE t ADD COLUMN b int; SELECT pg_sleep(4);"})
    told, waits = list[str](), list[float]()

    def read() -> None:
        until_locked(production)
        began = time.monotonic()
        asked(production, b"SELECT count(*) FROM t")
        waits.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    with watched(production, name=NAME, role="", budget=0.4) as watch:
        apply_patiently(
            production,
            tmp_path,
            Pace(lock=1, others=0.4, deadline=60),
            name=NAME,
            stop=Stop(),
            tell=told.append,
            outwaited=lambda: watch.for_others,
        )
        watch.done = True
    reader.join()

    assert waits[0] < 3
    assert told == ["1.sql: it was ended, as others waited, attempt 1 of 10: others go first"]
    assert asked(production, "SELECT count(b) FROM t") == 0
