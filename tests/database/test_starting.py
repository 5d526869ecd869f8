"""What an app changes by itself when it starts, on a copy."""

from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_command
from dayfly.database.question import Question
from dayfly.database.starting import Started, started
from dayfly.database.wayback import Releases
from migrating import asked

pytestmark = pytest.mark.postgres

SHOPS = b"CREATE TABLE shops (id serial PRIMARY KEY, name text)"


def start(production: str, scratch: Path, *statements: str) -> Started:
    def run(url: str) -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        return 0

    return started(production, run, folder=scratch)


@pytest.mark.parametrize(
    "statements",
    [
        ("SELECT * FROM shops",),
        ("CREATE TABLE IF NOT EXISTS shops (id int)",),
        ("INSERT INTO shops (name) VALUES ('x')", "CREATE TEMP TABLE t (id int)"),
        ("CREATE TABLE x (id int)", "DROP TABLE x"),
    ],
)
def test_a_start_that_leaves_the_schema_as_it_is(
    production: str, scratch: Path, statements: tuple[str, ...]
) -> None:
    asked(production, SHOPS)

    assert start(production, scratch, *statements) == Started()


@pytest.mark.parametrize(
    ("statements", "changed", "first"),
    [
        (
            ("CREATE TABLE IF NOT EXISTS shops (id int)", "CREATE TABLE orders (id serial)"),
            "adds the table orders",
            "CREATE TABLE orders (id serial)",
        ),
        (
            ("ALTER TABLE shops ADD COLUMN city text",),
            "adds the column shops.city",
            "ALTER TABLE shops ADD COLUMN city text",
        ),
        (("DROP TABLE shops",), "drops the table shops", "DROP TABLE shops"),
        (
            ("ALTER TABLE shops ALTER name SET DEFAULT 'x'",),
            "changes the column shops.name",
            "ALTER TABLE shops ALTER name SET DEFAULT 'x'",
        ),
        (
            ("CREATE TABLE django_migrations (id int, app text, name text)",),
            "adds the table django_migrations",
            "CREATE TABLE django_migrations (id int, app text, name text)",
        ),
    ],
)
def test_a_start_that_changes_it(
    production: str, scratch: Path, statements: tuple[str, ...], changed: str, first: str
) -> None:
    asked(production, SHOPS)

    found = start(production, scratch, *statements)

    assert found.changed[0] == changed
    assert found.statement == first


def test_an_incoming_release_that_migrates_besides(production: str, scratch: Path) -> None:
    """Its migrate command adds a column, and its start one more."""
    asked(production, SHOPS)

    def incoming(url: str) -> str:
        asked(url, b"ALTER TABLE shops ADD COLUMN more int")
        return ""

    def run(url: str) -> int:
        asked(url, b"ALTER TABLE shops ADD COLUMN city text")
        return 0

    releases = Releases(incoming=incoming, outgoing=lambda _url: "")
    question = Question(url=production, folder=scratch, budget=1.0, releases=releases)
    answer = of_command(question, run)

    assert answer.impact.verdict == "staged"
    [unknown] = [finding for finding in answer.impact.findings if finding.kind == "unknown"]
    assert unknown.message == (
        "the incoming release changes the schema when it starts: it adds the column shops.more "
        "(ALTER TABLE shops ADD COLUMN more int)"
    )
    assert unknown.statement == "ALTER TABLE shops ADD COLUMN more int"


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        (("SELECT name FROM shops", "INSERT INTO shops (name) VALUES ('started')"), "none"),
        (("CREATE TABLE IF NOT EXISTS shops (id int)",), "none"),
        (("ALTER TABLE shops ADD COLUMN city text",), "online"),
        (("ALTER TABLE shops DROP COLUMN name",), "staged"),
        (("SELECT name FROM shops", "ALTER TABLE shops ADD COLUMN city text"), "downtime"),
    ],
)
def test_a_start_that_is_declared_is_assessed_as_a_migration(
    production: str, scratch: Path, statements: tuple[str, ...], verdict: str
) -> None:
    asked(production, SHOPS)
    asked(production, b"INSERT INTO shops (name) VALUES ('a'), ('b')")
    asked(production, b"ANALYZE")

    def run(url: str) -> int:
        for statement in statements:
            asked(url, statement.encode())
        return 0

    answer = of_command(Question(url=production, folder=scratch, budget=1.0), run, starts=True)

    assert answer.impact.verdict == verdict
