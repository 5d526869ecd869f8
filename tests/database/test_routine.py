"""What an app reads as it starts is no migration; what a migration reads is none of the app's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dayfly.database.answer import of_command
from dayfly.database.capture import CaptureError, Run
from dayfly.database.captured import Statement, Transaction
from dayfly.database.question import Answer, Question
from dayfly.database.routine import without_routine
from migrating import asked, command, django_project, write
from migrating.django_project import django, migrate

SETTINGS = "SELECT * FROM settings WHERE at < 'monday'"


def read(text: str, migration: str = "", *, reads: bool = True) -> Transaction:
    return Transaction(
        statements=(Statement(text=text, migration=migration),), block=False, reads=reads
    )


ROWS = [
    ("done again", read(SETTINGS), [read(SETTINGS)], True),
    ("with another value", read(SETTINGS), [read(SETTINGS.replace("mon", "tues"))], True),
    ("not done again", read(SETTINGS), [], False),
    ("of another table", read(SETTINGS), [read("SELECT * FROM orders WHERE at < 'monday'")], False),
    ("of a migration", read(SETTINGS, "0002"), [read(SETTINGS)], False),
    ("by a migration each time", read(SETTINGS), [read(SETTINGS, "0002")], False),
    ("beside the tool", read(SETTINGS, reads=False), [read(SETTINGS, reads=False)], False),
]


@pytest.mark.parametrize(("first", "second", "gone"), [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])  # fmt: skip
def test_what_belongs_to_no_migration(
    first: Transaction, second: list[Transaction], gone: bool
) -> None:
    assert without_routine([first], lambda: second) == (() if gone else (first,))


def test_it_stays_where_the_command_cannot_be_run_again() -> None:
    def again() -> tuple[Transaction, ...]:
        raise CaptureError("exit status 1")

    assert without_routine([read(SETTINGS)], again) == (read(SETTINGS),)


def test_the_command_runs_again_only_where_that_tells_something() -> None:
    def again() -> tuple[Transaction, ...]:
        raise AssertionError("it was run again")

    done = [read(SETTINGS, "0002"), read("UPDATE orders SET x = 1", reads=False)]
    assert without_routine(done, again) == tuple(done)


READS = "SELECT id FROM shop_order WHERE reference = 'of long ago'"
APP = f"""
    from django.apps import AppConfig
    from django.db import connection
    from django.db.models.signals import post_migrate

    def look(**kwargs):
        connection.cursor().execute("{READS}")

    class Shop(AppConfig):
        name = "shop"

        def ready(self):
            WHEN
"""
AT_START = APP.replace("WHEN", "look()")
AT_THE_END = APP.replace("WHEN", "post_migrate.connect(look, sender=self)")
NULLABLE = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.AddField("Order", "note", models.TextField(null=True))]
"""
READING = f"""
    from django.db import migrations

    def close(apps, editor):
        with editor.connection.cursor() as cursor:
            cursor.execute("{READS}")
            for id, in cursor.fetchall():
                cursor.execute("DELETE FROM shop_order WHERE id = %s", [id])

    class Migration(migrations.Migration):
        atomic = ATOMIC
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RunPython(close)]
"""
BACKFILL = f"""
    import os, psycopg
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for id, in connection.execute("{READS}").fetchall():
            connection.execute("DELETE FROM shop_order WHERE id = %s", [id])
"""


def and_backfill(project: Path) -> Run:
    write(project, {"backfill.py": BACKFILL})
    return command(project, "sh", "-c", "python backfill.py && python manage.py migrate -v 0")


CASES = [
    ("at start, nothing pending", AT_START, "", migrate, "none"),
    ("at the end, nothing pending", AT_THE_END, "", migrate, "none"),
    ("at start", AT_START, NULLABLE, migrate, "online"),
    ("at the end", AT_THE_END, NULLABLE, migrate, "online"),
    ("a migration too", AT_START, READING.replace("ATOMIC", "True"), migrate, "downtime"),
    ("a migration in pieces too", AT_START, READING.replace("ATOMIC", "False"), migrate,
     "downtime"),
    ("another command", AT_START, NULLABLE, and_backfill, "downtime"),
]  # fmt: skip


@pytest.mark.postgres
@pytest.mark.sampled(3)
@pytest.mark.parametrize(("app", "second", "run", "verdict"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_an_app_that_reads_rows_as_it_starts(  # noqa: PLR0913, PLR0917 - fixtures and a row of data
    production: str,
    scratch: Path,
    tmp_path: Path,
    app: str,
    second: str,
    run: Callable[[Path], Run],
    verdict: str,
) -> None:
    project = django(tmp_path)
    assert migrate(project)(production) == 0
    asked(production, b"INSERT INTO shop_order (reference) SELECT generate_series(1, 5)")
    asked(production, b"ANALYZE")
    write(project, {"shop/apps.py": app})
    if second:
        django_project.add(project, "0002_second", second)
    answer = impact_of(production, scratch, run(project))
    assert answer.impact.verdict == verdict
    told = [found.message for found in answer.impact.findings if "was not seen" in found.message]
    assert len(told) == (verdict == "downtime")


def impact_of(production: str, scratch: Path, run: Run) -> Answer:
    return of_command(Question(url=production, folder=scratch, budget=1.0), run)
