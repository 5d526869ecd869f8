"""The way back tried on copies: what real tools did is undone, their books too, and runs again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.database.answer import of_command, of_files
from dayfly.database.capture import Run
from dayfly.database.loss import Loss
from dayfly.database.preserve.exporting import seal
from dayfly.database.question import Answer, Question
from migrating import alembic_project, applying, asked, django_project, write
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import django, migrate
from preserving import Case, assert_as_before

pytestmark = pytest.mark.postgres

FLYWAY = """
CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50),
    description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL,
    checksum int, installed_by varchar(100) NOT NULL, installed_on timestamp DEFAULT now(),
    execution_time int NOT NULL, success boolean NOT NULL);
"""
SHOPS = "CREATE TABLE shops (id serial PRIMARY KEY, name text NOT NULL, city text);"
CONTRACT = "ALTER TABLE shops DROP COLUMN city; CREATE TABLE towns (id int);"


def sql_files(folder: Path, url: str) -> Run:
    write(folder, {"001_a.sql": SHOPS})
    applying(folder)(url)
    write(folder, {"002_b.sql": CONTRACT})
    return applying(folder)


def flyway(folder: Path, url: str) -> Run:
    asked(url, FLYWAY.encode())
    write(folder, {"V1__a.sql": SHOPS})
    applying(folder)(url)
    write(folder, {"V2__b.sql": CONTRACT})
    return applying(folder)


def with_alembic(folder: Path, url: str) -> Run:
    project = alembic(folder)
    assert upgrade(project)(url) == 0
    asked(url, b"ALTER TABLE shops ADD name text, ADD city text")
    work = "op.drop_column('shops', 'city')\nop.create_table('towns', sa.Column('id', sa.Integer))"
    alembic_project.add(project, "b2", "a1", work)
    return upgrade(project)


@pytest.mark.parametrize("tool", [sql_files, flyway, with_alembic])
def test_the_books_are_set_back_and_it_runs_again(
    production: str,
    scratch: Path,
    tmp_path: Path,
    postgresql: Path,
    tool: Callable[[Path, str], Run],
) -> None:
    run = tool(tmp_path / "project", production)
    asked(production, b"INSERT INTO shops (name, city) VALUES ('a', 'x'), ('b', NULL)")
    assert_returns(Case(production, tmp_path / "7", postgresql), scratch, run)
    assert asked(production, b"SELECT to_regclass('towns') IS NOT NULL")


def test_django(production: str, scratch: Path, tmp_path: Path, postgresql: Path) -> None:
    project = django(tmp_path)
    assert migrate(project)(production) == 0
    asked(production, b"INSERT INTO shop_order (reference) SELECT 'r' || generate_series(1, 5)")
    django_project.add(
        project,
        "0002_more",
        """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [
                migrations.RenameField("Order", "reference", "code"),
                migrations.AddField("Order", "weight", models.IntegerField(default=1)),
                migrations.RenameModel("Order", "Purchase"),
            ]
        """,
    )
    assert_returns(Case(production, tmp_path / "7", postgresql), scratch, migrate(project))


def assert_returns(case: Case, scratch: Path, run: Run) -> None:
    """Tried on copies, done in production, and forward again."""
    found = of_command(asking(case.url, scratch), run)
    assert found.restoration is not None
    assert found.restoration.why == ""
    assert found.restoration.statements

    catalogue, rows = case.catalogue(), case.rows()
    case.preserved(*found.impact.preserve)
    assert run(case.url) == 0
    seal(case.url, case.folder)
    migrated = case.catalogue()
    case.back()
    assert_as_before(case, catalogue, rows)

    assert run(case.url) == 0
    assert case.catalogue().named == migrated.named


def asking(url: str, scratch: Path) -> Question:
    return Question(url=url, folder=scratch, budget=1.0, returns=True)


def answer_of(production: str, scratch: Path, folder: Path, sql: str) -> Answer:
    write(folder, {"001_a.sql": sql})
    return of_files(asking(production, scratch), folder)


def test_what_is_to_be_preserved_is_told_by_column(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    asked(production, SHOPS.encode())
    asked(production, b"INSERT INTO shops (name, city) VALUES ('a', 'x')")
    asked(production, b"CREATE TABLE towns (id int); INSERT INTO towns VALUES (1)")
    asked(production, b"ANALYZE")
    sql = "ALTER TABLE shops DROP city; UPDATE shops SET name = 'n'; DROP TABLE towns;"

    found = answer_of(production, scratch, tmp_path, sql)

    assert set(found.impact.preserve) == {
        Loss(schema="public", table="shops", columns=("name", "city")),
        Loss(schema="public", table="towns"),
    }
    told = found.as_json()
    assert told["preserve"] == [loss.as_json() for loss in found.impact.preserve]
    assert told["restoration"]["why"] == ""  # type: ignore[index]


def test_an_open_way_back_is_not_restored(production: str, scratch: Path, tmp_path: Path) -> None:
    asked(production, SHOPS.encode())

    found = answer_of(production, scratch, tmp_path, "ALTER TABLE shops ADD x int;")

    assert found.restoration is None
    assert found.as_json()["restoration"] is None


PLACES = b"CREATE TABLE wide (a int PRIMARY KEY, b int, c int); INSERT INTO wide VALUES (1, 2, 3)"


@pytest.mark.parametrize(
    ("statement", "partly"),
    [
        ("INSERT INTO wide (a, b, c) VALUES ($1, $2, $3)", False),
        ("INSERT INTO wide VALUES ($1, $2, $3)", True),
    ],
)
def test_a_column_that_comes_back_in_another_place_is_told(
    production: str, scratch: Path, tmp_path: Path, statement: str, partly: bool
) -> None:
    """And where a statement gives its values by place, nobody promises the way back."""
    asked(production, PLACES)
    write(tmp_path, {"001_a.sql": "ALTER TABLE wide DROP b;"})

    question = replace(asking(production, scratch), statements=(statement,))
    found = of_files(question, tmp_path).restoration

    assert found is not None
    assert [told.partition(",")[0] for told in found.unlike] == [
        "the order of the columns of wide is a"
    ]
    assert (statement in found.why, found.partly) == (partly, partly)


def test_what_cannot_be_won_back_is_said_with_its_reason(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    asked(production, b"CREATE TABLE shops (id int PRIMARY KEY, city text)")
    asked(production, b"CREATE TABLE large_shops (size int) INHERITS (shops)")
    asked(production, b"INSERT INTO shops VALUES (1, 'x'); ANALYZE")

    found = answer_of(production, scratch, tmp_path, "ALTER TABLE shops DROP city;")

    assert found.impact.rollback == "closed"
    assert found.restoration is not None
    assert "large_shops" in found.restoration.why
