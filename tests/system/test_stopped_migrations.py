"""A migration that is stopped, or whose server dies, is over before anything of it is undone."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from dayfly.clock import wait_until
from dayfly.database.scratch import ScratchServer
from production import Production, assert_serving, running
from production.crashes import NEVER, dying_server
from production.ledgers import Ledger, ledger
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(3, of="file"),
]

SECONDS = 60
SLOW = (
    "DO $$ BEGIN IF current_setting('application_name') LIKE 'dayfly migrate%' "
    f"THEN PERFORM pg_sleep({SECONDS}); END IF; END $$;"
)
BY_COMMAND: dict[str, str] = {}
BY_FILES = {"migrate": "", "migrations": '"changes"'}


@pytest.fixture(scope="module", params=[BY_COMMAND, BY_FILES], ids=["command", "files"])
def scene(
    request: pytest.FixtureRequest, server: ScratchServer
) -> Iterator[tuple[Production, Ledger]]:
    """An environment whose app migrates by a command of its own, or by files that Dayfly runs."""
    with open_folder() as folder, running(folder) as prod, server.database() as url:
        yield prod, ledger(prod, url, watch='"200ms"', **request.param)


def slowly_dropping(prod: Production, book: Ledger, name: str) -> str:
    """In production only, it sleeps before it drops a column that the serving release has."""
    prod.released(book, book.changed(name, f"ALTER TABLE entries ADD COLUMN {name} text"))
    return book.changed(f"no_{name}", f"{SLOW}\nALTER TABLE entries DROP COLUMN {name}")


def migrating(book: Ledger) -> bool:
    """Whether a session of a migration is at work in its database."""
    with psycopg.connect(book.url) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name LIKE 'dayfly migrate%' AND state = 'active'"
        )
        return found.fetchone() is not None


def answers(prod: Production) -> bool:
    try:
        with urllib.request.urlopen(prod.url, timeout=10):
            return True
    except urllib.error.URLError:
        return False


def assert_as_before(prod: Production, book: Ledger, column: str, serves: int | None) -> None:
    assert not migrating(book)
    assert column in book.columns
    assert answers(prod)
    assert serves
    assert_serving(prod, book.app, serves)


def test_a_stop_is_heard_by_what_migrates(scene: tuple[Production, Ledger]) -> None:
    """The command comes back when everything is as it was."""
    prod, book = scene
    commit, before = slowly_dropping(prod, book, "halted"), prod.serving(book.app)
    with prod.typing("release", commit, "--now", at=book.folder):
        wait_until(lambda: migrating(book), seconds=60, what="the migration")
        began = time.monotonic()
        said = prod.typed("release", "--cancel", str(prod.newest()), at=book.folder)
        passed = time.monotonic() - began
    by_files = "migrations" in (book.folder / "dayfly.toml").read_text()
    book.taken_back()

    assert passed < SECONDS / 2
    assert "is being stopped" in said
    assert ("it was ended. Nothing of it stays." in said) == by_files
    assert prod.record(prod.newest())["reason"].startswith("stopped: ")
    assert_as_before(prod, book, "halted", before)


def test_what_a_dead_server_left_at_work_is_ended(scene: tuple[Production, Ledger]) -> None:
    prod, book = scene
    commit, before = slowly_dropping(prod, book, "orphaned"), prod.serving(book.app)
    with (
        dying_server(prod, "never", NEVER) as server,
        prod.typing("release", commit, "--now", at=book.folder),
    ):
        wait_until(lambda: migrating(book), seconds=60, what="the migration")
        server.kill()
        server.wait()
        assert migrating(book)
        prod.up()
    book.taken_back()

    wait_until(lambda: answers(prod), seconds=30, what="somebody answers")
    assert_as_before(prod, book, "orphaned", before)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("scene", [BY_COMMAND], ids=["command"], indirect=True)
@pytest.mark.parametrize("before", ["", "7s"])
def test_the_limit_for_locks_of_a_role_that_migrates_does_not_outlive_a_server(
    scene: tuple[Production, Ledger], server: ScratchServer, before: str
) -> None:
    """It stood in the role's settings while the migration ran."""
    prod, book = scene
    with migrating_as(server, book, before) as url:
        prod.typed("secret", "set", "MIGRATE_URL", at=book.folder, given=url)
        book.set(migrate_url='"MIGRATE_URL"')
        commit = slowly_dropping(prod, book, f"limited{len(before)}")
        with (
            dying_server(prod, "never", NEVER) as dying,
            prod.typing("release", commit, "--now", at=book.folder),
        ):
            wait_until(lambda: migrates(server), seconds=60, what="the migration")
            assert limit_of(server) == "1000ms"
            dying.kill()
            dying.wait()
            prod.up()
        book.taken_back()

        wait_until(lambda: answers(prod), seconds=30, what="somebody answers")
        assert limit_of(server) == before
        book.set(migrate_url="")
        prod.released(book, book.save("As before"))


@contextmanager
def migrating_as(server: ScratchServer, book: Ledger, limit: str) -> Iterator[str]:
    """The URL of a role that owns the app's tables, with a limit of its own."""
    name = book.url.rpartition("/")[2]
    with psycopg.connect(server.url(name), autocommit=True) as admin:
        admin.execute("CREATE ROLE migrator LOGIN PASSWORD 'migrator'")
        if limit:
            admin.execute(sql.SQL("ALTER ROLE migrator SET lock_timeout = {}").format(limit))
        admin.execute("GRANT app TO migrator")
        admin.execute("ALTER ROLE migrator SET role = app")
        try:
            yield server.url(name, "migrator", "migrator")
        finally:
            admin.execute("DROP ROLE migrator")


def migrates(server: ScratchServer) -> bool:
    question = (
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'migrator' AND query LIKE '%pg_sleep%'"
    )
    with psycopg.connect(server.url("postgres")) as admin:
        return admin.execute(question).fetchone() is not None


def limit_of(server: ScratchServer) -> str:
    """As the role's settings have it; empty where they say nothing."""
    with psycopg.connect(server.url("postgres")) as admin:
        found = admin.execute("SELECT rolconfig FROM pg_roles WHERE rolname = 'migrator'")
        settings = dict(each.split("=", 1) for each in (found.fetchone() or [[]])[0] or [])
        return settings.get("lock_timeout", "")
