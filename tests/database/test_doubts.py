"""Where nobody can name what a migration takes away, nothing is promised: it is said beforehand."""

import sys
from pathlib import Path

import pytest

from dayfly.database.answer import of_command, of_files
from dayfly.database.question import Question
from dayfly.release.foretold import foretold
from migrating import asked, command, write

pytestmark = pytest.mark.postgres

PARENTS = """
CREATE TABLE parents (id int PRIMARY KEY, name text, code text UNIQUE);
INSERT INTO parents SELECT i, 'p' || i, 'c' || i FROM generate_series(1, 60) i;
CREATE TABLE logs (what text);
INSERT INTO logs SELECT 'l' || i FROM generate_series(1, 9) i;
"""
TRIGGER = """
CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN OLD; END $$;
CREATE TRIGGER gone AFTER DELETE ON parents FOR EACH ROW EXECUTE FUNCTION gone();
"""
GO = "DELETE FROM parents WHERE name LIKE 'p5%';"
DROP = "ALTER TABLE parents DROP COLUMN code;"
DYNAMIC = "EXECUTE 'DELETE FROM ' || 'lo' || 'gs WHERE what = ''l5''';"
NOT_KNOWN = {
    "block that puts its SQL together": (PARENTS, f"{DROP} DO $$ BEGIN {DYNAMIC} END $$;"),
    "trigger that puts its SQL together": (PARENTS + TRIGGER.format(DYNAMIC), GO),
    "loop alone that puts its SQL together": (
        PARENTS,
        f"DO $$ BEGIN IF EXISTS (SELECT FROM logs WHERE what = 'l5') THEN {DYNAMIC} END IF; END $$",
    ),
    "table whose name is put together": (
        PARENTS,
        f"{DROP} DO $$ BEGIN EXECUTE format('DELETE FROM %I', 'logs'); END $$;",
    ),
    "block beside another that writes": (
        PARENTS,
        f"INSERT INTO logs VALUES ('new'); {DROP} DO $$ BEGIN {DYNAMIC} END $$;",
    ),
    "write through a view": (
        PARENTS + "CREATE VIEW shown AS SELECT what FROM logs;",
        f"{DROP} DO $$ BEGIN DELETE FROM shown WHERE what = 'l5'; END $$;",
    ),
}


def asking(url: str, scratch: Path) -> Question:
    return Question(url=url, folder=scratch, budget=1.0, returns=True)


@pytest.mark.parametrize(("schema", "sql"), NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_what_nobody_can_name_is_promised_to_nobody(
    production: str, scratch: Path, tmp_path: Path, schema: str, sql: str
) -> None:
    asked(production, schema.encode())
    asked(production, b"ANALYZE")
    write(tmp_path, {"001_a.sql": sql})

    found = of_files(asking(production, scratch), tmp_path)

    assert found.restoration is not None
    assert "not known" in found.restoration.why
    assert found.restoration.partly
    told = "\n".join(foretold(found.as_json()))
    assert "no values are lost" not in told
    assert "data go back as they were" not in told


LOOPING = f"""
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("{DROP}")
    for what, in connection.execute("SELECT what FROM logs WHERE what = 'l5'").fetchall():
        connection.execute("DELETE FROM logs WHERE what = %s", [what])
"""


def test_what_a_client_makes_of_rows_is_promised_to_nobody(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    asked(production, PARENTS.encode())
    asked(production, b"ANALYZE")
    write(tmp_path, {"migrate.py": LOOPING})
    run = command(tmp_path, sys.executable, "migrate.py")

    found = of_command(asking(production, scratch), run)

    assert found.restoration is not None
    assert "what it does to rows is not known" in found.restoration.why
