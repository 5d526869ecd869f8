"""What is said of statements that a program sends one by one, as it goes through rows."""

from pathlib import Path

import psycopg
import pytest

from copies import Copies, migration
from dayfly.database.answer import of_files
from dayfly.database.impact.assess import Impact, assess
from dayfly.database.impact.evidence.sender import FILES, PROGRAM
from dayfly.database.impact.finding import Finding
from dayfly.database.impact.questions import asker
from dayfly.database.impact.telling.telling import folded
from dayfly.database.question import Question
from dayfly.database.scratch import ScratchServer
from migrating import asked, write

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE orders (id int PRIMARY KEY, note text, hint text, size int NOT NULL)",
    "CREATE TABLE items (id int PRIMARY KEY, size int)",
    "INSERT INTO orders VALUES (1, 'a', NULL, 1), (2, 'b', NULL, 2), (3, NULL, NULL, 3)",
)
ROWS = {"orders": 500, "items": 500}


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


def impact(copies: Copies, *texts: str, **more: object) -> Impact:
    with copies.fresh() as url:
        wanted = {"rows": ROWS, "budget": 1.0, **more}
        return assess(url, [migration(*texts, name="7_fill")], **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("UPDATE orders SET hint = 'x'", "online"),
        ("UPDATE orders SET hint = note WHERE id = 1", "online"),
        ("UPDATE orders SET note = 'x'", "downtime"),
        ("UPDATE orders SET hint = 'x', note = 'x'", "downtime"),
        ("UPDATE orders SET size = 2", "downtime"),
        ("DELETE FROM orders WHERE hint IS NULL", "downtime"),
    ],
)
def test_nothing_is_overwritten_where_production_has_no_values(
    copies: Copies, text: str, verdict: str
) -> None:
    assert impact(copies, text).verdict == "downtime", "nobody was asked"
    with copies.fresh() as production, asker(production, seconds=5) as ask:
        found = impact(copies, text, ask=ask)
    assert found.verdict == verdict, found.findings
    evidence = [finding.evidence for finding in found.findings]
    assert ("production has no values of orders.hint" in evidence) == (verdict == "online")
    assert (found.loses == ()) == (verdict == "online")


def test_one_value_in_production_is_enough_to_lose_it(copies: Copies) -> None:
    kept = "UPDATE orders SET hint = 'kept' WHERE id = 3"
    with copies.fresh(kept) as production, asker(production, seconds=5) as ask:
        found = impact(copies, "UPDATE orders SET hint = 'x'", ask=ask)
    assert (found.verdict, found.loses) == ("downtime", ("orders.hint",))


def test_a_role_that_sees_not_all_rows_gives_no_answer(copies: Copies) -> None:
    copies.role("sees_some")
    hidden = (
        "UPDATE orders SET hint = 'hidden'",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "ALTER ROLE sees_some LOGIN PASSWORD 'x'",
        "GRANT SELECT ON orders TO sees_some",
    )
    with copies.fresh(*hidden) as url:
        where = psycopg.conninfo.conninfo_to_dict(url) | {"user": "sees_some", "password": "x"}
        as_role = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**where)
        with asker(as_role, seconds=5) as ask:
            assert ask("SELECT count(*) FROM orders") is None


def test_what_a_loop_does_row_by_row_is_told_once(copies: Copies) -> None:
    writes = [f"UPDATE orders SET note = 'n{n}' WHERE id = {n}" for n in (1, 2, 3)]
    others = [f"UPDATE items SET size = {n} WHERE size = {n + 1}" for n in (1, 2)]
    found = impact(copies, "SELECT id, note FROM orders", *writes, *others)
    told = [(one.message, one.evidence) for one in found.findings if one.kind == "loses"]
    assert sorted(told) == [
        ("overwrites items.size, which cannot be undone", "and 1 more statement of this shape"),
        ("overwrites orders.note, which cannot be undone", "and 2 more statements of this shape"),
    ]


def test_of_what_is_told_once_the_longest_wait_stays() -> None:
    def blocks(key: int, ms: int | None, table: int = 1) -> Finding:
        return Finding(
            verdict="downtime", kind="blocks", message=f"waits {ms}", blocked_ms=ms,
            statement=f"UPDATE a SET b = 1 WHERE c = {key}", relation=table,
        )  # fmt: skip

    found = folded([blocks(1, 5), blocks(2, 9), blocks(3, 7, table=2), blocks(4, 8)])
    assert [(one.blocked_ms, one.relation) for one in found] == [(9, 1), (7, 2)]
    assert found[0].evidence == "and 2 more statements of this shape"
    assert [one.blocked_ms for one in folded([blocks(1, 5), blocks(2, None)])] == [None]


LOOP = (
    "SELECT id, size FROM orders",
    "ALTER TABLE orders ADD area int",
    *(f"UPDATE orders SET area = {n} WHERE id = {n}" for n in (1, 2, 3)),
)


def test_a_program_that_writes_by_what_it_reads_is_noted(copies: Copies) -> None:
    found = impact(copies, *LOOP)
    assert found.verdict == "online"
    assert found.notes == (
        (
            "7_fill decides in its own program by rows of orders: "
            "what it does was seen on made-up rows only"
        ),
    )


@pytest.mark.parametrize(
    "texts",
    [
        ("ALTER TABLE orders ADD area int", "UPDATE orders SET area = size"),
        ("SELECT 1 FROM orders LIMIT 1", "ALTER TABLE orders ADD area int"),
    ],
)
def test_a_program_that_reads_no_rows_needs_no_note(copies: Copies, texts: tuple[str, ...]) -> None:
    assert impact(copies, *texts).notes == ()


def test_a_file_of_sql_cannot_decide_by_what_it_reads(copies: Copies) -> None:
    reads = ("SELECT count(*) FROM orders WHERE note = 'gone'", "CREATE TABLE n (id int)")
    assert impact(copies, *reads, sender=PROGRAM).verdict == "downtime"
    assert impact(copies, *reads, sender=FILES).verdict == "none"
    assert impact(copies, *LOOP, sender=FILES).notes == ()


def test_a_directory_of_sql_may_read(production: str, scratch: Path, tmp_path: Path) -> None:
    asked(production, b"CREATE TABLE orders (id int PRIMARY KEY, note text)")
    asked(production, b"INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 500) n")
    asked(production, b"ANALYZE")
    text = "SELECT count(*) FROM orders WHERE note = 'gone'; CREATE TABLE n (id int);"
    folder = write(tmp_path / "sql", {"001.sql": text})
    answer = of_files(Question(url=production, folder=scratch, budget=1.0), folder)
    assert (answer.impact.verdict, answer.notes) == ("none", ())
