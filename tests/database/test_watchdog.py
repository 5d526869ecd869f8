"""A migration that makes others wait is ended, whatever driver runs it."""

import threading
import time

import psycopg
import pytest

from dayfly.database.problems import user_of
from dayfly.database.watchdog import counted, limited_locks, own_role, too_long, watched
from migrating import asked

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
                connection.execute("SELECT pg_sleep(2)")
        except psycopg.errors.AdminShutdown:
            ended.set()

    migration = threading.Thread(target=migrate)
    with watched(production, name=NAME, role="", budget=0.4) as watch:
        migration.start()
        time.sleep(0.3)
        began = time.monotonic()
        asked(production, b"SELECT count(*) FROM t")
        waited = time.monotonic() - began
        migration.join()

    assert ended.is_set() == (name == NAME) == bool(watch.ended)
    assert (waited < 1.2) == (name == NAME)


@pytest.mark.postgres
@pytest.mark.parametrize("before", ["", "7s"])
def test_a_role_is_limited_while_it_migrates_and_no_longer(production: str, before: str) -> None:
    role = user_of(production)
    asked(production, f"ALTER ROLE \"{role}\" SET lock_timeout = '{before or 0}'".encode())
    if not before:
        asked(production, f'ALTER ROLE "{role}" RESET lock_timeout'.encode())

    with limited_locks(production, role, 0.4):
        assert asked(production, b"SHOW lock_timeout") == "400ms"

    assert asked(production, b"SHOW lock_timeout") == (before or "0")
