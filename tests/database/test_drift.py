"""Where production's schema is not what its migrations make."""

from pathlib import Path

import pytest

from dayfly.database.answer import Answer, Question, of_command, of_files
from dayfly.database.sqlfiles import apply_files
from migrating import alembic_project, asked, write
from migrating.alembic_project import alembic, upgrade

pytestmark = pytest.mark.postgres

ORDERS = """
    CREATE TABLE orders (id serial PRIMARY KEY, note varchar(50), amount int CHECK (amount > 0));
    CREATE INDEX by_note ON orders (note);
    CREATE VIEW noted AS SELECT id FROM orders WHERE note IS NOT NULL;
    CREATE TABLE customers (id int PRIMARY KEY);
"""


@pytest.fixture
def files(production: str, tmp_path: Path) -> Path:
    """Run in production, with one more to come."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    write(folder, {"1_orders.sql": ORDERS, "2_name.sql": "ALTER TABLE customers ADD name text;"})
    apply_files(production, folder)
    write(folder, {"3_urgent.sql": "ALTER TABLE orders ADD urgent boolean;"})
    return folder


def drifts(answer: Answer) -> dict[str, str]:
    found = [each for each in answer.impact.findings if each.kind == "drift"]
    return {each.table: each.message for each in found}


def test_what_was_changed_by_hand_is_told_and_decides_nothing(
    production: str, scratch: Path, files: Path
) -> None:
    question = Question(url=production, folder=scratch, budget=1.0)
    assert drifts(of_files(question, files)) == {}

    by_hand = """
        ALTER TABLE orders ALTER amount TYPE bigint, ADD paid boolean;
        DROP INDEX by_note;
        ALTER TABLE customers ALTER name SET NOT NULL;
        CREATE OR REPLACE VIEW noted AS SELECT id FROM orders WHERE note <> '';
        CREATE TABLE backup_of_orders (id int PRIMARY KEY);
        GRANT SELECT ON orders TO PUBLIC;
    """
    asked(production, by_hand.encode())
    answer = of_files(question, files)

    found = drifts(answer)
    assert answer.impact.verdict == "online"
    assert set(found) == {"orders", "customers", "noted", "backup_of_orders"}
    for words in (
        "has more column paid",
        "lacks index by_note",
        "has otherwise column amount (type is bigint, not integer)",
    ):
        assert words in found["orders"]
    assert "column name (not_null is True, not False)" in found["customers"]
    assert found["backup_of_orders"].endswith("has more table backup_of_orders")
    assert "has otherwise view noted" in found["noted"]
    told = {f.table: f.evidence for f in answer.impact.findings if f.kind == "drift"}
    assert "ALTER TABLE orders ADD urgent boolean" in told["orders"]
    assert told["customers"] == ""


def test_it_is_kept_for_the_next_question(production: str, scratch: Path, files: Path) -> None:
    asked(production, b"CREATE TABLE by_hand (id int)")
    own = scratch / "drifted"
    question = Question(url=production, folder=own, budget=1.0)

    first = of_files(question, files)
    [kept] = own.glob("prepared-*/drift-*.json")
    written = kept.stat().st_mtime_ns
    again = of_files(question, files)

    assert drifts(first) == drifts(again)
    assert set(drifts(again)) == {"by_hand"}
    assert kept.stat().st_mtime_ns == written


def test_it_can_be_asked_for_where_nothing_is_pending(
    production: str, scratch: Path, files: Path
) -> None:
    apply_files(production, files)
    asked(production, b"DROP VIEW noted")
    question = Question(url=production, folder=scratch, budget=1.0)

    assert drifts(of_files(question, files)) == {}
    answer = of_files(Question(url=production, folder=scratch, budget=1.0, drift=True), files)

    assert (answer.impact.verdict, answer.pending) == ("none", ())
    assert drifts(answer) == {
        "noted": "production has drifted from its migrations: noted lacks view noted"
    }


def test_files_that_do_not_run_from_nothing_are_told(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    asked(production, b"CREATE TABLE orders (id int)")
    write(tmp_path, {"1_note.sql": "ALTER TABLE orders ADD note text;"})
    apply_files(production, tmp_path)
    write(tmp_path, {"2_paid.sql": "ALTER TABLE orders ADD paid boolean;"})

    answer = of_files(Question(url=production, folder=scratch, budget=1.0), tmp_path)

    [told] = drifts(answer).values()
    assert "is not known" in told
    assert '1_note.sql: relation "orders" does not exist' in told
    assert answer.impact.verdict == "online"


def test_a_database_on_which_nothing_has_run_has_not_drifted(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    asked(production, b"CREATE TABLE orders (id int)")
    write(tmp_path, {"1_note.sql": "ALTER TABLE orders ADD note text;"})
    question = Question(url=production, folder=scratch, budget=1.0, drift=True)
    assert drifts(of_files(question, tmp_path)) == {}


def test_a_tool_makes_all_of_it_only_when_it_is_asked(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    project = alembic(tmp_path)
    assert upgrade(project)(production) == 0
    alembic_project.add(project, "b2", "a1", "op.add_column('shops', sa.Column('name', sa.Text))")
    asked(production, b"ALTER TABLE shops ADD by_hand int")
    question = Question(url=production, folder=scratch, budget=1.0)

    assert drifts(of_command(question, upgrade(project))) == {}
    asking = Question(url=production, folder=scratch, budget=1.0, drift=True)
    found = drifts(of_command(asking, upgrade(project)))

    assert found == {
        "shops": "production has drifted from its migrations: shops has more column by_hand"
    }
