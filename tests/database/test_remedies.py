"""The SQL that a finding advises, tried and judged like any other migration."""

import pytest

from copies import Copies, executed, migration
from dayfly.database.impact.assess import assess
from dayfly.database.impact.finding import Finding
from dayfly.database.scratch import ScratchServer
from dayfly.database.sqltext import split

pytestmark = pytest.mark.postgres

SCHEMA = (
    'CREATE TABLE customers (id serial PRIMARY KEY, mail varchar(50) NOT NULL, "Name" text)',
    "CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers (id), note text)",
    "INSERT INTO customers (mail) SELECT 'c' || i FROM generate_series(1, 20) i",
    "INSERT INTO orders SELECT i, i, 'note' FROM generate_series(1, 20) i",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON customers, orders TO buyer",
    "GRANT USAGE ON SEQUENCE customers_id_seq TO buyer",
)
CONTINUED = "SELECT setval('customers_id_seq', (SELECT max(id) FROM customers))"
KEPT = "CREATE TABLE orders_before AS SELECT * FROM orders"
UNSEEN = """DO $$BEGIN
    IF EXISTS (SELECT FROM orders WHERE id < 0) THEN DELETE FROM orders; END IF; END$$"""
# The change, the kind of its finding, and what the first release does to get there.
CASES = [
    (
        "ALTER TABLE customers RENAME TO clients",
        "breaks",
        (
            "ALTER TABLE customers RENAME TO clients",
            "CREATE VIEW customers AS SELECT * FROM clients",
            "GRANT DELETE ON customers TO buyer",
            "GRANT INSERT ON customers TO buyer",
            "GRANT SELECT ON customers TO buyer",
            "GRANT UPDATE ON customers TO buyer",
        ),
    ),
    (
        "ALTER TABLE orders RENAME note TO text",
        "breaks",
        (
            "ALTER TABLE orders ADD COLUMN text text",
            "UPDATE orders SET text = note WHERE text IS NULL",
        ),
    ),
    (
        'ALTER TABLE customers ALTER "Name" TYPE int USING 1',
        "breaks",
        (
            'ALTER TABLE customers ADD COLUMN "Name_new" integer',
            'UPDATE customers SET "Name_new" = "Name"::integer WHERE "Name_new" IS NULL',
        ),
    ),
    (
        "ALTER TABLE customers DROP COLUMN mail",
        "breaks",
        ("ALTER TABLE customers ALTER COLUMN mail DROP NOT NULL",),
    ),
    (
        "ALTER TABLE orders ADD COLUMN x jsonb NOT NULL",
        "breaks",
        ("ALTER TABLE orders ADD COLUMN x jsonb",),
    ),
    (
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "breaks",
        ("CREATE POLICY all_rows ON orders TO buyer USING (true) WITH CHECK (true)",),
    ),
    ("SELECT setval('customers_id_seq', 1)", "breaks", (CONTINUED,)),
    ("ALTER SEQUENCE customers_id_seq RESTART", "breaks", (CONTINUED,)),
    ("DELETE FROM orders WHERE id < 5", "loses", (KEPT,)),
    (UNSEEN, "loses", (KEPT,)),
    (
        "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (note)",
        "breaks",
        ("SELECT note FROM orders GROUP BY note HAVING count(*) > 1",),
    ),
    (
        "ALTER TABLE orders ADD x uuid DEFAULT gen_random_uuid()",
        "blocks",
        (
            "ALTER TABLE orders ADD COLUMN x uuid",
            "ALTER TABLE orders ALTER COLUMN x SET DEFAULT gen_random_uuid()",
            "UPDATE orders SET x = gen_random_uuid() WHERE x IS NULL",
        ),
    ),
]


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    executed(Copies.of(elsewhere, ()).renewed(()), ["CREATE ROLE buyer NOLOGIN"])
    return Copies.of(elsewhere, SCHEMA)


@pytest.mark.parametrize(("change", "kind", "first"), CASES, ids=[case[0] for case in CASES])
def test_what_is_advised_first_is_online(
    copies: Copies, change: str, kind: str, first: tuple[str, ...]
) -> None:
    many = 10_000_000 if kind == "blocks" else 2_000
    found = findings(copies, change, rows=many)
    remedy = next(each.remedy for each in found if each.kind == kind and each.remedy)
    pieces = [" ".join(piece.text.split()) for piece in split(remedy.split("-- Release 2")[0])]
    assert sorted(pieces) == sorted(first)
    again = findings(copies, *first)
    assert [each.message for each in again if not (harmless(each) or asked(each))] == []


def harmless(finding: Finding) -> bool:
    return finding.verdict in ("none", "online")


def asked(finding: Finding) -> bool:
    """A question to the rows that are there, to which a person finds the answer."""
    return finding.statement.startswith("SELECT note")


def findings(copies: Copies, *texts: str, rows: int = 2_000) -> tuple[Finding, ...]:
    change = migration(*texts, alone="CONCURRENTLY" in texts[0])
    counted = {"customers": rows, "orders": rows}
    with copies.fresh() as url:
        return assess(url, [change], rows=counted, budget=1.0, role="buyer").findings


def test_an_index_that_is_made_without_a_lock_already_is_not_told_to_be(copies: Copies) -> None:
    found = findings(copies, "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (note)")
    [remedy] = [each.remedy for each in found if each.kind == "breaks"]
    assert remedy.startswith("-- Release 1: write no duplicates any more, and clean those")
    assert "-- Release 2. Outside a transaction:\nCREATE UNIQUE INDEX CONCURRENTLY u " in remedy


def test_a_foreign_key_to_a_renamed_table_refuses_what_it_did(copies: Copies) -> None:
    view = "CREATE VIEW customers AS SELECT * FROM clients"
    found = findings(copies, "ALTER TABLE customers RENAME TO clients", view)
    assert not [each.message for each in found if "refuses" in each.message]
