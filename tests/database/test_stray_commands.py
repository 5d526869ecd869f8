"""Migrate commands that take their database from elsewhere than they are told: production's."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from dayfly.command import Setting
from dayfly.command import run as run_program
from dayfly.database.answer import of_command
from dayfly.database.capture import CaptureError, Run
from dayfly.database.guard import StrayError, guard
from dayfly.database.question import Question
from dayfly.database.redirected import to_copy
from dayfly.database.sqlfiles import apply_files
from migrating import PLAIN, alembic_project, django_project, write
from migrating.alembic_project import alembic
from migrating.django_project import django

pytestmark = pytest.mark.postgres

ENTERED = "the migrate command entered production instead of the copy, and was ended there"
GONE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RemoveField("Order", "reference")]
"""
# The tool writes this one down only when the column is gone for good: an index comes last.
GONE_INDEXED = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.RemoveField("Order", "reference"),
            migrations.AddField("Order", "number", models.IntegerField(null=True, db_index=True)),
        ]
"""
# A driver that does not say who it is, with a transaction for each migration.
NAMELESS = """
    import sys, psycopg
    with psycopg.connect(sys.argv[1], application_name="") as connection:
        connection.execute("ALTER TABLE orders DROP COLUMN note")
        for books in sys.argv[2:]:
            connection.execute(f"INSERT INTO {books} VALUES ('2', 'x')")
"""


def command(folder: Path, production: str, *argv: str, fenced: bool = False) -> Run:
    """As Dayfly runs one; by default as if its driver were none of libpq's."""

    def run(copy: str) -> int:
        env = to_copy(PLAIN, [production], copy, url="DATABASE_URL", fenced=fenced)
        setting = Setting(cwd=folder, env={**env, "PYTHONDONTWRITEBYTECODE": "1"})
        argv_ = [sys.executable, *argv]
        return run_program(argv_, setting=setting, seconds=60, check=False, on_line=print).status

    return run


def refused(production: str, scratch: Path, run: Run, *names: str) -> StrayError:
    with pytest.raises(StrayError) as error:
        of_command(Question(url=production, folder=scratch, budget=1.0), run, names)
    return error.value


def columns(production: str, table: str) -> set[str]:
    with psycopg.connect(production) as connection:
        found = connection.execute(f"SELECT * FROM {table} LIMIT 0".encode()).description or []
        return {column.name for column in found}


@pytest.mark.parametrize("text", [GONE, GONE_INDEXED], ids=["at once", "later"])
def test_django_with_its_database_in_settings(
    production: str, scratch: Path, tmp_path: Path, text: str
) -> None:
    """Written down in the same transaction it never comes through; later it may, which is told."""
    project = django(tmp_path)
    assert django_project.migrate(project)(production) == 0
    settings = project / "settings.py"
    settings.write_text(
        settings.read_text().replace('os.environ["DATABASE_URL"]', f'"{production}"')
    )
    django_project.add(project, "0002_gone", text)

    run = command(project, production, "manage.py", "migrate", "--noinput", "-v", "0")
    told = refused(production, scratch, run, "shop.0002_gone")

    gone = "reference" not in columns(production, "shop_order")
    assert not (gone and text == GONE)
    assert ENTERED in told.message
    assert ("PRODUCTION WAS CHANGED" in told.message) == gone
    assert ("the migrations that it had" in told.hint) != gone


def test_alembic_with_its_database_in_a_file(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    project = alembic(tmp_path)
    assert alembic_project.upgrade(project)(production) == 0
    env = project / "alembic" / "env.py"
    env.write_text(env.read_text().replace('os.environ["DATABASE_URL"]', f'"{production}"'))
    alembic_project.add(project, "b2", "a1", "op.drop_table('shops')")

    run = command(project, production, "-m", "alembic", "upgrade", "head")
    told = refused(production, scratch, run, "b2")

    assert ENTERED in told.message
    assert "id" in columns(production, "shops")


@pytest.fixture
def orders(production: str, tmp_path: Path) -> str:
    """With a migration that is written down."""
    made = write(tmp_path / "first", {"1.sql": "CREATE TABLE orders (id int, note text)"})
    apply_files(production, made)
    write(tmp_path, {"nameless.py": NAMELESS})
    return production


def test_production_does_not_let_it_in(
    orders: str, scratch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where its driver is libpq, at whatever address."""
    run = command(tmp_path, orders, "nameless.py", orders, fenced=True)

    with pytest.raises(CaptureError, match="exit status 1"):
        of_command(Question(url=orders, folder=scratch, budget=1.0), run)

    assert 'Tablespace "only_on_the_copy" does not exist' in capsys.readouterr().out
    assert "note" in columns(orders, "orders")


def test_one_that_does_not_say_who_it_is_waits_at_the_books(
    orders: str, scratch: Path, tmp_path: Path
) -> None:
    run = command(tmp_path, orders, "nameless.py", orders, "dayfly_migrations")

    told = refused(orders, scratch, run)

    assert ENTERED in told.message
    assert "INSERT INTO dayfly_migrations" in told.message
    assert "note" in columns(orders, "orders")


def test_what_was_not_prevented_is_told(orders: str, scratch: Path, tmp_path: Path) -> None:
    """It has no books, and does not say who it is."""
    told = refused(orders, scratch, command(tmp_path, orders, "nameless.py", orders))

    assert told.message == (
        "the migrate command never reached the copy; PRODUCTION WAS CHANGED: its schema is "
        "another one"
    )
    assert "DATABASE_URL" in told.hint


def test_one_that_does_nothing_at_all(orders: str, scratch: Path, tmp_path: Path) -> None:
    told = refused(orders, scratch, command(tmp_path, orders, "-c", "pass"))

    assert told.message == "the migrate command never reached the copy"
    assert "the migrations that it had" in told.hint


@pytest.mark.parametrize("named", [True, False])
def test_one_that_comes_to_the_copy_and_migrates_elsewhere(
    orders: str, scratch: Path, tmp_path: Path, *, named: bool
) -> None:
    """Names that are known beforehand have to be looked for on the copy."""
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT 1')"
    run = command(tmp_path, orders, "-c", code)
    question = Question(url=orders, folder=scratch, budget=1.0)

    if named:
        told = refused(orders, scratch, run, "2.sql")
        assert "looked elsewhere for what is pending" in told.message
    else:
        assert of_command(question, run).impact.verdict == "none"


def test_what_a_tool_found_and_left_is_noted(orders: str, scratch: Path, tmp_path: Path) -> None:
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'])"
    run = command(tmp_path, orders, "-c", f"{code}.execute('SELECT * FROM dayfly_migrations')")
    question = Question(url=orders, folder=scratch, budget=1.0)

    answer = of_command(question, run, ("2.sql",))

    assert answer.pending == ()
    assert answer.notes == ("left by the migrate command: 2.sql",)


def while_guarded(url: str, body: Callable[[], object]) -> list[str]:
    with guard(url) as found:
        body()
    return list(found.strays.values())


def test_nobody_else_waits_for_the_guard(orders: str) -> None:
    def others() -> None:
        with psycopg.connect(orders) as connection:
            connection.execute("SET lock_timeout = '50ms'")
            connection.execute("INSERT INTO orders VALUES (1, 'n')")
            connection.execute("UPDATE orders SET note = 'm'")
            connection.execute("SELECT * FROM dayfly_migrations")
            connection.execute("TRUNCATE orders")
            connection.execute("ALTER TABLE orders ADD more int")

    assert while_guarded(orders, others) == []


@pytest.mark.parametrize("name", ["", "dayfly migrate 7"])
def test_a_migration_that_is_under_way_goes_on(orders: str, name: str) -> None:
    """One of a release, or one that began before: the lock is let go."""
    with psycopg.connect(orders, application_name=name) as theirs:
        if not name:
            theirs.execute("SELECT 1")

        def others() -> None:
            theirs.execute("INSERT INTO dayfly_migrations VALUES ('3', 'x')")

        assert while_guarded(orders, others) == []
        theirs.rollback()


def test_a_migration_that_begins_meanwhile_waits_a_moment(orders: str) -> None:
    """It can't be told from the command, whose end it outlives."""
    done = threading.Event()

    def theirs() -> None:
        with psycopg.connect(orders) as connection:
            connection.execute("INSERT INTO dayfly_migrations VALUES ('3', 'x')")
        done.set()

    thread = threading.Thread(target=theirs)
    assert while_guarded(orders, thread.start) == []
    thread.join()
    assert done.is_set()
