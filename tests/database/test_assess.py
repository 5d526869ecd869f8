"""The question and its answer: findings, questions to production, the outgoing release's role."""

import json

import psycopg
import pytest

from copies import Copies, executed, migration
from dayfly.database.impact.assess import Impact, assess
from dayfly.database.impact.questions import asker
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE customers (id int PRIMARY KEY, mail varchar(50), big bigint)",
    "CREATE TABLE orders (id int PRIMARY KEY, customer int, note text)",
    "INSERT INTO customers VALUES (1, 'a@b', 1), (2, 'a@b', 5000000000)",
    "INSERT INTO orders VALUES (1, 1, NULL), (2, 3, 'long'), (3, 1, NULL)",
)
ROWS = {"customers": 2, "orders": 3}


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    made = Copies.of(elsewhere, SCHEMA)
    made.role("shop")
    return made


def impact(copies: Copies, *texts: str, **more: object) -> Impact:
    with copies.fresh() as url:
        return assess(url, [migration(*texts)], **{"rows": ROWS, "budget": 1.0, **more})  # type: ignore[arg-type]


def test_the_answer_as_others_read_it(copies: Copies) -> None:
    found = impact(copies, "ALTER TABLE orders DROP COLUMN note").as_json()
    assert json.loads(json.dumps(found)) == found
    assert found["verdict"] == "staged"
    assert found["rollback"] == {"state": "closed", "loses": ["orders.note"]}
    first, *_ = found["findings"]
    assert set(first) == {
        "verdict", "kind", "migration", "statement", "table", "rows", "lock", "blocks",
        "blocked_ms", "evidence",
        "message", "remedy", "bridge",
    }  # fmt: skip
    assert first["statement"] == "ALTER TABLE orders DROP COLUMN note"
    assert (first["table"], first["rows"], first["lock"]) == ("orders", 3, "ACCESS EXCLUSIVE")
    assert first["blocks"] == "readers and writers"
    assert "ALTER TABLE orders DROP COLUMN note;" in first["remedy"]


def test_the_remedy_is_sql_for_names_of_any_kind(copies: Copies) -> None:
    with copies.fresh(
        'CREATE SCHEMA "My"', 'CREATE TABLE "My"."Order" (id int, "User" text)'
    ) as url:
        change = migration('ALTER TABLE "My"."Order" ALTER "User" SET NOT NULL')
        found = assess(url, [change], rows={"My.Order": 3}, budget=1.0).findings[0]
        executed(url, found.remedy.split(";"))
    assert (found.table, found.rows) == ("My.Order", 3)


def test_a_transaction_that_cannot_be_committed_fails(copies: Copies) -> None:
    later = "ALTER TABLE customers ADD CONSTRAINT u UNIQUE (big) DEFERRABLE INITIALLY DEFERRED"
    found = impact(copies, later, "UPDATE customers SET big = 1")
    assert "fails on a copy of the schema: duplicate key" in found.findings[0].message
    assert found.verdict == "downtime"


def test_nothing_to_do_is_none(copies: Copies) -> None:
    with copies.fresh() as url:
        found = assess(url, [], rows=ROWS, budget=1.0)
    assert (found.verdict, found.rollback, found.findings) == ("none", "catalogue only", ())


def test_rows_that_nobody_counted_are_many(copies: Copies) -> None:
    index = "CREATE INDEX i ON orders (note)"
    assert impact(copies, index).verdict == "online"
    unknown = impact(copies, index, rows={})
    assert unknown.verdict == "downtime"
    assert unknown.findings[0].blocked_ms is None
    assert "CREATE INDEX CONCURRENTLY i ON orders (note);" in unknown.findings[0].remedy


def test_a_lock_is_held_to_the_end_of_its_transaction(copies: Copies) -> None:
    texts = ("ALTER TABLE customers ADD x int", "CREATE INDEX i ON orders (note)")
    rows = {"customers": 2, "orders": 2_000_000}
    together = impact(copies, *texts, rows=rows)
    held = next(found for found in together.findings if found.table == "customers")
    assert (held.verdict, held.blocks) == ("downtime", "readers and writers")
    assert "held while this runs: CREATE INDEX" in held.evidence
    with copies.fresh() as url:
        apart = assess(url, [migration(text) for text in texts], rows=rows, budget=1.0)
    short = next(found for found in apart.findings if found.table == "customers")
    assert short.verdict == "online"


def test_a_row_that_goes_is_looked_for_where_a_key_has_no_index(copies: Copies) -> None:
    key = "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers ON DELETE CASCADE"
    rows = {"customers": 100_000, "orders": 1_000_000}

    def seconds(*prepare: str) -> int | None:
        with copies.fresh(f"{key} NOT VALID", *prepare) as url:
            change = migration("DELETE FROM customers WHERE mail LIKE 'a%'")
            found = assess(url, [change], rows=rows, budget=1.0).findings
        [held] = [f for f in found if "holds changed rows of customers" in f.message]
        return held.blocked_ms and held.blocked_ms // 1000

    slow, quick = seconds(), seconds("CREATE INDEX ON orders (customer)")
    assert slow is not None
    assert quick is not None
    assert slow > 100 * quick


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("ALTER TABLE orders ALTER note SET NOT NULL", "2 rows in which note is NULL"),
        ("ALTER TABLE customers ADD UNIQUE (mail)", "1 values of mail that are there twice"),
        ("CREATE UNIQUE INDEX u ON customers (mail)", "1 values of mail that are there twice"),
        (
            "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id)",
            "1 rows whose customer names no row of customers",
        ),
        ("ALTER TABLE orders ADD CHECK (id < 3)", "1 rows that break"),
        ("ALTER TABLE customers ALTER mail TYPE varchar(2)", "2 values of mail longer than 2"),
        ("ALTER TABLE customers ALTER big TYPE int", "1 values of big outside integer"),
    ],
)
def test_production_is_asked_whether_its_rows_are_in_the_way(
    copies: Copies, change: str, says: str
) -> None:
    with copies.fresh() as production, asker(production, seconds=5) as ask:
        found = impact(copies, change, ask=ask)
    told = next(finding for finding in found.findings if finding.message.startswith("will fail"))
    assert says in told.message
    assert told.statement == change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "ALTER TABLE customers ADD x bigint GENERATED ALWAYS AS (100 / big) STORED",
            "rows that refuse (100 / big)",
        ),
        ("CREATE INDEX i ON customers ((100 / big))", "rows that refuse (100 / big)"),
        (
            "CREATE INDEX i ON customers (id) WHERE 100 / big > 3",
            "rows that refuse ((100 / big) > 3)",
        ),
        (
            "ALTER TABLE customers ADD CHECK (100 / big > -1)",
            "rows that break (((100 / big) > '-1'::integer))",
        ),
    ],
)
def test_rows_of_which_nothing_can_be_computed_are_in_the_way(
    copies: Copies, change: str, says: str
) -> None:
    zero = "INSERT INTO customers VALUES (3, 'c@d', 0)"
    with copies.fresh(zero) as production, asker(production, seconds=5) as ask:
        refused = impact(copies, change, ask=ask)
    with copies.fresh() as production, asker(production, seconds=5) as ask:
        taken = impact(copies, change, ask=ask)
    told = [each.message for each in refused.findings if each.kind == "fails"]
    assert told == [f"will fail: production has some {says}"]
    assert not [each for each in taken.findings if each.kind == "fails"]


def test_a_text_too_long_for_an_index_is_found(copies: Copies) -> None:
    longest = "SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS t (i)"
    filled = f"UPDATE orders SET note = ({longest}) WHERE id = 1"
    with copies.fresh(filled) as production, asker(production, seconds=5) as ask:
        found = impact(copies, "CREATE INDEX i ON orders (note)", ask=ask)
    said = [each.message for each in found.findings]
    assert "will fail: production has 1 values of note too long for an index" in said


def test_a_required_column_without_a_default_fails_where_there_are_rows(copies: Copies) -> None:
    change = "ALTER TABLE orders ADD x int NOT NULL"
    said = [found.message for found in impact(copies, change).findings if found.kind == "fails"]
    assert said == [
        'will fail on the rows that are there: column "x" of relation "orders" contains null values'
    ]
    empty = impact(copies, change, rows={"orders": 0, "customers": 0})
    assert "may fail" in "".join(found.message for found in empty.findings)


def test_an_answer_without_such_rows_is_evidence(copies: Copies) -> None:
    with copies.fresh() as production, asker(production, seconds=5) as ask:
        found = impact(copies, "ALTER TABLE orders ALTER customer SET NOT NULL", ask=ask)
    assert found.findings[0].evidence == "production has no rows in which customer is NULL"
    assert not [finding for finding in found.findings if finding.kind == "fails"]


def test_who_asks_cannot_write_and_does_not_wait(copies: Copies) -> None:
    with copies.fresh() as url, asker(url, seconds=0.2) as ask:
        assert ask("SELECT count(*) FROM orders") == 3
        assert ask("DELETE FROM orders") is None
        assert ask("SELECT count(*) FROM pg_sleep(5)") is None
        assert ask("SELECT count(*) FROM not_there") is None
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE orders")
            assert ask("SELECT count(*) FROM orders") is None
        assert ask("SELECT count(*) FROM orders") == 3


def test_what_production_was_seen_to_send_is_tried_on_the_old_and_the_new_schema(
    copies: Copies,
) -> None:
    seen = [
        "SELECT note FROM orders WHERE id = $1",
        "SELECT now() - interval $1",  # as pg_stat_statements writes it: fails before, too
        "SELECT customer FROM orders",
        "INSERT INTO orders (id, customer) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        "BEGIN",
    ]
    changes = ("ALTER TABLE orders DROP CONSTRAINT orders_pkey",)
    found = impact(copies, *changes, statements=seen)
    assert (found.checked.worked, len(found.checked.unassessed)) == (3, 1)
    assert [broken.sqlstate for broken in found.checked.broken] == ["42P10"]
    assert found.verdict == "staged"
    assert "ON CONFLICT" in found.findings[0].evidence


@pytest.mark.parametrize(
    ("change", "role", "verdict"),
    [
        ("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "shop", "staged"),
        ("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "dayfly", "online"),
        ("REVOKE SELECT ON orders FROM shop", "shop", "staged"),
        ("REVOKE SELECT ON orders FROM shop", "dayfly", "online"),
    ],
)
def test_rights_are_those_of_the_outgoing_releases_role(
    copies: Copies, change: str, role: str, verdict: str
) -> None:
    with copies.fresh("GRANT SELECT ON orders TO shop") as url:
        seen = ["SELECT id FROM orders"]
        found = assess(url, [migration(change)], rows=ROWS, budget=1.0, statements=seen, role=role)
    assert found.verdict == verdict
    assert bool(found.checked.broken) == (change.startswith("REVOKE") and role == "shop")


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("ALTER TABLE orders ADD x int", "SELECT * FROM orders WHERE id = $1"),
        ("ALTER TABLE customers ALTER mail TYPE text", "SELECT id, mail FROM customers"),
    ],
)
def test_a_statement_prepared_before_the_change_is_told_and_is_no_breakage(
    copies: Copies, change: str, seen: str
) -> None:
    with copies.fresh("GRANT SELECT ON orders, customers TO shop") as url:
        found = assess(
            url, [migration(change)], rows=ROWS, budget=1.0, statements=[seen], role="shop"
        )
    assert found.verdict == "online"
    [told] = [each for each in found.findings if "prepare it again" in each.message]
    assert told.evidence == f"{seen}: cached plan must not change result type"
    assert "psycopg 3" in told.remedy
    assert [each.prepared for each in found.checked.broken] == [True]


_LOG = (
    "CREATE TABLE log (id int)",
    """CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
       $$BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END$$""",
    "CREATE TRIGGER g AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()",
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ("DROP VIEW mails", "CREATE VIEW mails AS SELECT mail FROM customers"),
            "takes rights on mails away: shop:SELECT; rights are judged for dayfly only",
        ),
        (("REVOKE INSERT ON orders FROM shop",), "takes rights on orders away: shop:INSERT;"),
        (("ALTER TABLE orders ENABLE ROW LEVEL SECURITY",), "hides rows of orders from who"),
        (("ALTER TABLE orders ADD x int",), ""),
        (("DROP TABLE orders",), ""),
    ],
)
def test_what_another_role_loses_is_told_and_judged_for_nobody(
    copies: Copies, changes: tuple[str, ...], told: str
) -> None:
    """Which of both is the application's is not known where only one URL is named."""
    with copies.fresh(
        "CREATE VIEW mails AS SELECT mail FROM customers", "GRANT SELECT ON mails TO shop",
        "GRANT SELECT, INSERT ON orders TO shop",
    ) as url:  # fmt: skip
        found = assess(url, [migration(*changes)], rows=ROWS, budget=1.0, role="dayfly")

    assert [note for note in found.notes if told in note] == list(found.notes)
    assert bool(found.notes) == bool(told)
    assert found.verdict == ("staged" if "DROP TABLE orders" in changes else "online")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        (("ALTER TABLE orders ADD x serial",), "staged"),
        (
            (
                "ALTER TABLE orders ADD x serial",
                "GRANT USAGE ON SEQUENCE orders_x_seq TO shop",
            ),
            "online",
        ),
        (("ALTER TABLE orders ADD x int GENERATED BY DEFAULT AS IDENTITY",), "online"),
        (_LOG, "staged"),
        ((*_LOG, "GRANT INSERT ON log TO shop"), "online"),
        ((*_LOG, "ALTER FUNCTION f() SECURITY DEFINER"), "online"),
    ],
)
def test_what_writes_of_the_outgoing_release_reach_must_be_granted_to_its_role(
    copies: Copies, changes: tuple[str, ...], verdict: str
) -> None:
    found = impact(copies, *changes, role="shop")
    assert found.verdict == verdict, found.findings
    assert ("GRANT" in found.findings[0].remedy) == (verdict == "staged")


@pytest.mark.parametrize(
    ("first", "later", "verdict"),
    [
        (
            ("ALTER TABLE orders ADD x serial",),
            "GRANT USAGE ON SEQUENCE orders_x_seq TO shop",
            "staged",
        ),
        (_LOG, "GRANT INSERT ON log TO shop", "staged"),
        (("CREATE TABLE fresh (id int)",), "GRANT INSERT ON fresh TO shop", "none"),
    ],
)
def test_what_is_granted_later_is_missed_meanwhile(
    copies: Copies, first: tuple[str, ...], later: str, verdict: str
) -> None:
    with copies.fresh() as url:
        steps = [migration(*first), migration(later)]
        found = assess(url, steps, rows=ROWS, budget=1.0, role="shop")
    assert found.verdict == verdict, found.findings
    told = [each.message for each in found.findings if each.verdict == "staged"]
    assert all(each.startswith("for a moment between two transactions: ") for each in told)


_SAVE = "UPDATE orders SET customer = $1, note = $2 WHERE id = $3"


@pytest.mark.parametrize(
    ("change", "statement", "told"),
    [
        ("UPDATE orders SET note = 'x' WHERE note IS NULL", _SAVE, True),
        ("UPDATE orders SET note = 'x' WHERE note IS NULL", 'UPDATE "orders" SET note = $1', False),
        ("ALTER TABLE orders ADD x int; UPDATE orders SET x = 1", _SAVE, False),
        ("UPDATE customers SET mail = 'x' WHERE mail IS NULL", _SAVE, False),
    ],
)
def test_who_writes_whole_rows_back_is_told(
    copies: Copies, change: str, statement: str, *, told: bool
) -> None:
    found = impact(copies, *change.split("; "), statements=(statement,))
    assert ("writes whole rows of orders back" in " ".join(found.notes)) == told


def test_production_is_asked_for_the_row_to_which_a_default_refers(copies: Copies) -> None:
    def change(default: int) -> tuple[str, ...]:
        return (
            f"ALTER TABLE orders ADD x int DEFAULT {default}",
            "ALTER TABLE orders ADD FOREIGN KEY (x) REFERENCES customers (id) NOT VALID",
        )

    with copies.fresh() as production, asker(production, seconds=5) as ask:
        assert impact(copies, *change(1), ask=ask).verdict == "online"
        assert impact(copies, *change(7), ask=ask).verdict == "staged"
    assert impact(copies, *change(1)).verdict == "staged"


def test_production_is_asked_whether_a_sequence_begins_behind_its_keys(copies: Copies) -> None:
    def change(start: int) -> str:
        options = f"GENERATED BY DEFAULT AS IDENTITY (START WITH {start})"
        return f"ALTER TABLE orders ALTER id ADD {options}"

    with copies.fresh() as production, asker(production, seconds=5) as ask:
        assert impact(copies, change(4), ask=ask).verdict == "online"
        assert impact(copies, change(3), ask=ask).verdict == "staged"
        restarted = (change(3), "ALTER TABLE orders ALTER id RESTART WITH 4")
        assert impact(copies, *restarted, ask=ask).verdict == "online"
        counted = (change(4), "SELECT setval('orders_id_seq', 2)")
        assert impact(copies, *counted, ask=ask).verdict == "staged"
    assert impact(copies, change(4)).verdict == "staged"


def test_what_fails_is_told_and_what_follows_was_not_seen(copies: Copies) -> None:
    with copies.fresh() as url:
        found = assess(
            url,
            [migration("ALTER TABLE nowhere ADD x int", name="2_nowhere"), migration("SELECT 1")],
            rows=ROWS,
            budget=1.0,
        )
        executed(url, ["SELECT count(*) FROM orders"])
    told = found.findings[0]
    assert (found.verdict, told.migration, told.sqlstate) == ("downtime", "2_nowhere", "42P01")
    assert told.message == (
        'fails on a copy of the schema: relation "nowhere" does not exist; '
        "1 statements after it were not assessed"
    )


def test_what_code_may_delete_and_was_not_seen_to_is_kept_before(copies: Copies) -> None:
    condition = "IF EXISTS (SELECT FROM orders WHERE id > 9)"
    code = f"DO $$BEGIN {condition} THEN DELETE FROM customers; END IF; END$$"
    found = impact(copies, "INSERT INTO orders VALUES (4)", code)
    told = found.findings[0]
    assert (found.verdict, told.kind) == ("downtime", "loses")
    assert (told.table, told.rows) == ("customers", 2)
    assert told.message == (
        "may delete rows of customers (code that it runs), which cannot be undone"
    )
    assert found.loses == ("customers (rows)",)
    assert [(loss.table, loss.columns) for loss in found.preserve] == [("customers", None)]
