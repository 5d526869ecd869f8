"""A production of thousands of tables: more than one statement can lock."""

from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_files
from dayfly.database.impact.assess import Impact
from dayfly.database.question import Question
from migrating import write

pytestmark = pytest.mark.postgres

TABLES = 2_000


@pytest.fixture
def crowded(production: str) -> str:
    """A schema for each customer, say; one table is asked about."""
    tables = [f"CREATE TABLE t{n} (id int PRIMARY KEY, name text)" for n in range(TABLES)]
    with psycopg.connect(production, autocommit=True) as connection:
        for at in range(0, TABLES, 100):
            connection.execute(";".join(tables[at : at + 100]).encode())
        connection.execute("INSERT INTO t7 SELECT n, 'x' FROM generate_series(1, 5000) n")
        connection.execute("ANALYZE t7")
    return production


def test_what_touches_one_of_thousands_of_tables_is_told_as_ever(
    crowded: str, scratch: Path, tmp_path: Path
) -> None:
    def answer(number: int, sql: str) -> Impact:
        write(tmp_path / str(number), {"1.sql": sql})
        question = Question(url=crowded, folder=scratch, budget=1.0)
        return of_files(question, tmp_path / str(number)).impact

    added = answer(1, "ALTER TABLE t7 ADD note text;")
    dropped = answer(2, "ALTER TABLE t7 DROP COLUMN name;")
    indexed = answer(3, "CREATE INDEX CONCURRENTLY ON t7 (name);")

    assert [each.verdict for each in (added, dropped, indexed)] == ["online", "staged", "online"]
    assert dropped.loses == ("t7.name",)
    assert {found.table for found in dropped.findings} == {"t7"}
