"""Rows that go by foreign keys, triggers and code are preserved, and come back.

No row of the copy is like those of production, so nothing of it can be seen there.
"""

from collections import Counter
from pathlib import Path

import pytest

from dayfly.database.answer import of_files
from dayfly.database.preserve.compare import differences
from dayfly.database.preserve.exporting import seal
from dayfly.database.question import Answer, Question
from migrating import applying, asked, write
from preserving import Case

pytestmark = pytest.mark.postgres

PARENTS = """
CREATE TABLE parents (id int PRIMARY KEY, name text, code text UNIQUE);
INSERT INTO parents SELECT i, 'p' || i, 'c' || i FROM generate_series(1, 60) i;
CREATE TABLE logs (what text);
INSERT INTO logs SELECT 'l' || i FROM generate_series(1, 9) i;
"""
GO = "DELETE FROM parents WHERE name LIKE 'p5%';"
KIDS = (
    PARENTS
    + """
CREATE TABLE kids (id int PRIMARY KEY, parent int DEFAULT 1 REFERENCES parents {}, what text);
INSERT INTO kids SELECT i, i, 'precious' FROM generate_series(1, 60) i;
"""
)
CASCADE = KIDS.format("ON DELETE CASCADE")
TRIGGER = (
    PARENTS
    + """
CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN OLD; END $$;
CREATE TRIGGER gone AFTER {} ON parents FOR EACH ROW EXECUTE FUNCTION gone();
"""
)
FUNCTION = (
    PARENTS
    + """
CREATE FUNCTION tidy() RETURNS int LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM logs WHERE what = 'l5'; RETURN 1; END $$;
CREATE FUNCTION purge() RETURNS int LANGUAGE sql AS 'SELECT tidy()';
"""
)
LOOP = """
DO $$ DECLARE r record; BEGIN
FOR r IN SELECT what FROM logs WHERE what LIKE 'l%' LOOP DELETE FROM logs WHERE what = r.what;
END LOOP; END $$;
"""
DROP = "ALTER TABLE parents DROP COLUMN code;"

COMES_BACK = {
    "cascade": (CASCADE, GO),
    "cascade over two keys": (
        CASCADE + """
        CREATE TABLE toys (id int PRIMARY KEY, kid int REFERENCES kids ON DELETE CASCADE);
        INSERT INTO toys SELECT i, i FROM generate_series(1, 60) i;
        """,
        GO,
    ),
    "set null": (KIDS.format("ON DELETE SET NULL"), GO),
    "set default": (KIDS.format("ON DELETE SET DEFAULT"), GO),
    "key changed": (
        KIDS.format("ON UPDATE CASCADE"),
        "UPDATE parents SET id = id + 1000 WHERE name LIKE 'p5%';",
    ),
    "no row could be made up": (
        CASCADE + "ALTER TABLE kids ADD CHECK (length(what) = 8 AND what > 'pr');",
        "DELETE FROM parents;",
    ),
    "truncate": (CASCADE, "TRUNCATE parents CASCADE;"),
    "partitions": (
        PARENTS + """
        CREATE TABLE kids (id int, parent int REFERENCES parents ON DELETE CASCADE)
        PARTITION BY RANGE (id);
        CREATE TABLE kids_1 PARTITION OF kids FOR VALUES FROM (0) TO (1000);
        INSERT INTO kids SELECT i, i FROM generate_series(1, 60) i;
        """,
        GO,
    ),
    "trigger": (TRIGGER.format("DELETE FROM logs WHERE what = 'l5';", "DELETE"), GO),
    "trigger that writes down what goes along": (
        CASCADE + """
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO logs VALUES (OLD.what); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER DELETE ON kids FOR EACH ROW EXECUTE FUNCTION note();
        """,
        GO,
    ),
    "trigger on insert": (
        TRIGGER.format("UPDATE logs SET what = 'x' WHERE what = 'l5';", "INSERT"),
        f"INSERT INTO parents VALUES (1000, 'new'); {DROP}",
    ),
    "trigger that changes the row": (
        """CREATE TABLE marks (id int PRIMARY KEY, note text, at date);
        INSERT INTO marks SELECT i, 'n' || i, '2020-01-01' FROM generate_series(1, 9) i;
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.at := current_date; RETURN NEW; END $$;
        CREATE TRIGGER touch BEFORE UPDATE ON marks FOR EACH ROW EXECUTE FUNCTION touch();""",
        "UPDATE marks SET note = 'x' WHERE note LIKE 'n5%';",
    ),
    "function": (FUNCTION, f"{DROP} SELECT purge();"),
    "block": (PARENTS, DROP + LOOP),
    "truncated by a function": (
        CASCADE + """
        CREATE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS
        $$ BEGIN IF EXISTS (SELECT FROM logs WHERE what = 'l5') THEN
        TRUNCATE logs, parents CASCADE; END IF; END $$;
        """,
        f"{DROP} SELECT clear();",
    ),
    "prepared": (
        PARENTS,
        f"{DROP} PREPARE p (text) AS DELETE FROM logs WHERE what = $1; EXECUTE p ('l5');",
    ),
}  # fmt: skip


def answer(url: str, scratch: Path, folder: Path) -> Answer:
    return of_files(Question(url=url, folder=scratch, budget=1.0, returns=True), folder)


def prepared(url: str, folder: Path, schema: str, sql: str) -> Path:
    asked(url, schema.encode())
    asked(url, b"ANALYZE")
    return write(folder, {"001_a.sql": sql})


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("schema", "sql"), COMES_BACK.values(), ids=COMES_BACK)
def test_what_goes_along_comes_back(
    production: str, scratch: Path, tmp_path: Path, postgresql: Path, schema: str, sql: str
) -> None:
    folder = prepared(production, tmp_path / "sql", schema, sql)
    case = Case(production, tmp_path / "7", postgresql)
    found = answer(production, scratch, folder)
    assert found.restoration is not None
    assert found.restoration.why == ""
    catalogue, rows = case.catalogue(), case.rows()

    case.preserved(*found.impact.preserve)
    assert applying(folder)(production) == 0
    seal(production, case.folder)
    assert case.rows() != rows
    case.back()

    assert differences(catalogue, case.catalogue()) == ()
    now = case.rows()
    lacks = {name: Counter(was) - Counter(now[name]) for name, was in rows.items()}
    assert not any(lacks.values()), lacks
