"""Both releases on one migrated copy: what is called proven, and what is held against whom."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_command
from dayfly.database.question import Answer, Question
from dayfly.database.wayback import Releases
from migrating import asked

pytestmark = pytest.mark.postgres

WRITES = "INSERT INTO shops (name) VALUES ('of the new release')"
NO_THIRD_COLUMN = """
    SELECT 1 / (3 - count(*)) FROM pg_attribute
    WHERE attrelid = 'shops'::regclass AND attnum > 0
"""
ADD = "ALTER TABLE shops ADD COLUMN city text"


def trying(*statements: str) -> Callable[[str], str]:
    """A release that does this: why it fails, or nothing."""

    def attempt(url: str) -> str:
        try:
            with psycopg.connect(url) as connection:
                for statement in statements:
                    connection.execute(statement.encode())
        except psycopg.Error as error:
            return f"{error}\nthe last line of its output"
        return ""

    return attempt


def answer(
    production: str,
    scratch: Path,
    migration: str,
    incoming: tuple[str, ...],
    outgoing: tuple[str, ...],
) -> Answer:
    asked(production, b"CREATE TABLE shops (id serial PRIMARY KEY, name text NOT NULL)")
    asked(production, b"CREATE TABLE loose (what text)")
    asked(production, b"INSERT INTO shops (name) VALUES ('a'), ('b')")
    question = Question(
        url=production,
        folder=scratch,
        budget=1.0,
        releases=Releases(incoming=trying(*incoming), outgoing=trying(*outgoing)),
    )
    run = trying(migration)
    return of_command(question, lambda url: 1 if run(url) else 0)


@pytest.mark.parametrize(
    ("incoming", "outgoing", "expected"),
    [
        ((WRITES,), ("SELECT name FROM shops",), ("proven", ["shops"], "")),
        (
            ("SELECT city FROM shops",),
            (),
            ("catalogue only", [], "the smoke command wrote no row"),
        ),
        (
            (WRITES, "INSERT INTO loose VALUES ('x')"),
            ("UPDATE shops SET name = name || '!'",),  # its own columns are its own
            ("proven", ["loose", "shops"], ""),
        ),
    ],
)
def test_the_way_back_that_is_open(
    production: str,
    scratch: Path,
    incoming: tuple[str, ...],
    outgoing: tuple[str, ...],
    expected: tuple[str, list[str], str],
) -> None:
    found = answer(production, scratch, ADD, incoming, outgoing)

    assert found.impact.verdict == "online"
    assert found.rollback == dict(zip(("state", "covered", "why"), expected, strict=True), loses=[])


@pytest.mark.parametrize(
    ("incoming", "outgoing", "expected"),
    [
        (("SELECT nothing FROM shops",), (), "the incoming release fails on the migrated copy"),
        (
            (WRITES,),
            (NO_THIRD_COLUMN,),
            "the outgoing release fails on the migrated copy: division by zero",
        ),
        (
            ("INSERT INTO shops (name, city) VALUES ('n', 'Ulm')",),
            ("DELETE FROM shops WHERE name = 'n'",),
            "the outgoing release damages rows that the incoming one has written",
        ),
        (
            ("INSERT INTO shops (id, name, city) VALUES (900, 'n', 'Ulm')",),
            ("DELETE FROM shops WHERE id = 900", "INSERT INTO shops (id, name) VALUES (900, 'n')"),
            "the outgoing release damages rows that the incoming one has written",
        ),
    ],
)
def test_what_closes_it(
    production: str,
    scratch: Path,
    incoming: tuple[str, ...],
    outgoing: tuple[str, ...],
    expected: str,
) -> None:
    found = answer(production, scratch, ADD, incoming, outgoing)

    assert found.impact.verdict == "staged"
    assert found.rollback["state"] == "closed"
    assert any(expected in finding.message for finding in found.impact.findings)


def test_a_copy_without_data_tells_nothing_against_anybody(production: str, scratch: Path) -> None:
    """Both fail for want of a row that only production has."""
    needs = "SELECT 1 / count(*) FROM shops WHERE name = 'a'"

    found = answer(production, scratch, ADD, (needs,), (needs,))

    assert found.impact.verdict == "online"
    assert found.rollback["state"] == "catalogue only"
    assert "does not work on a copy without data: division by zero" in str(found.rollback["why"])
