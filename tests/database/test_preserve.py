"""Preserve, migrate, bring back: the schema and the rows of before, whatever the migration did."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from copies import Copies
from dayfly.database.loss import Loss
from dayfly.database.preserve.restoring import outlook
from dayfly.database.scratch import ScratchServer
from preserving import Case, assert_as_before

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TYPE mood AS ENUM ('calm', 'cross')",
    "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100)",
    "CREATE SCHEMA sales",
    "CREATE SEQUENCE ticket",
    "SELECT nextval('ticket') FROM generate_series(1, 41)",
    "CREATE FUNCTION tax(cents int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT cents / 5'",
    ("CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN NEW.note := coalesce(NEW.note, ''stamped''); RETURN NEW; END'"),
    "CREATE TABLE kinds (id int PRIMARY KEY, name text NOT NULL UNIQUE)",
    "INSERT INTO kinds VALUES (1, 'a'), (2, 'b')",
    ("CREATE TABLE orders (id serial PRIMARY KEY, kind int REFERENCES kinds, code varchar(20),"
    " note text NOT NULL DEFAULT 'none', mood mood DEFAULT 'calm', cents int NOT NULL,"
    " rate percent, happened timestamptz NOT NULL DEFAULT '2024-02-03 04:05:06+01',"
    " CONSTRAINT positive CHECK (cents > 0))"),
    ("INSERT INTO orders (kind, code, note, mood, cents, rate)"
    " SELECT 1 + i % 2, 'c' || i, CASE i WHEN 1 THEN E'tab\\tand\\nline \\\\' ELSE 'n' || i END,"
    " 'cross', i, i FROM generate_series(1, 50) i"),
    "CREATE INDEX orders_code ON orders (code)",
    "CREATE UNIQUE INDEX orders_note ON orders (lower(note))",
    "CREATE TRIGGER stamped BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp()",
    "CREATE VIEW dear AS SELECT id, cents, note FROM orders WHERE cents > 10",
    "CREATE VIEW dearest AS SELECT id FROM dear WHERE cents > 20",
    "CREATE MATERIALIZED VIEW counts AS SELECT kind, count(*) FROM orders GROUP BY kind",
    ("CREATE TABLE sales.lines (order_id int REFERENCES orders, place int, what text,"
    " PRIMARY KEY (order_id, place))"),
    "INSERT INTO sales.lines SELECT 1 + i % 50, i, 'w' || i FROM generate_series(1, 99) i",
    "CREATE UNIQUE INDEX counts_kind ON counts (kind)",
    "CREATE TABLE loose (a int, b text, c numeric(10, 2))",
    "INSERT INTO loose VALUES (1, 'x', 1.5), (1, 'x', 2.5), (NULL, NULL, 3), (2, '', NULL)",
    ("CREATE TABLE self (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, top int REFERENCES self,"
    " twice int GENERATED ALWAYS AS (top * 2) STORED)"),
    "INSERT INTO self (top) VALUES (NULL), (1), (1)",
    "CREATE TABLE parts (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "INSERT INTO parts SELECT i, '2024-02-01', 'p' || i FROM generate_series(1, 9) i",
    "ALTER TABLE kinds ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everything ON kinds USING (id > 0)",
    "GRANT SELECT, INSERT ON orders TO PUBLIC",
    ("CREATE FUNCTION secret() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public"
    " AS 'SELECT note FROM orders LIMIT 1'"),
    "REVOKE ALL ON FUNCTION secret() FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "CREATE STATISTICS kinds_of_codes ON kind, code FROM orders",
    "ALTER TABLE orders SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01)",
    "ALTER TABLE orders SET (toast.autovacuum_enabled = false)",
    "ALTER TABLE orders ALTER code SET STATISTICS 500, ALTER code SET STORAGE EXTERNAL",
    "ALTER TABLE orders ALTER note SET STORAGE MAIN, ALTER kind SET (n_distinct = 2)",
    "CREATE RULE quiet AS ON DELETE TO sales.lines DO ALSO NOTHING",
    "ALTER TABLE sales.lines DISABLE RULE quiet",
    "ALTER TABLE orders CLUSTER ON orders_code",
    "ALTER TABLE loose REPLICA IDENTITY FULL",
    "CREATE PUBLICATION told FOR TABLE sales.lines, kinds",
    "ALTER VIEW dear ALTER note SET DEFAULT 'seen'",
    "ALTER SEQUENCE ticket CACHE 7",
    "REVOKE USAGE ON TYPE mood FROM PUBLIC",
    "COMMENT ON TABLE orders IS 'what was bought'",
    "COMMENT ON COLUMN orders.code IS 'of the shop''s'",
    "COMMENT ON INDEX orders_code IS 'looked up'",
    "COMMENT ON FUNCTION secret() IS 'kept'",
    "COMMENT ON TYPE mood IS 'theirs'",
    "COMMENT ON CONSTRAINT positive ON orders IS 'never free'",
    "COMMENT ON VIEW dear IS 'beyond ten'",
    "CREATE TABLE dayfly_migrations (name text PRIMARY KEY, sha256 text)",
    "INSERT INTO dayfly_migrations VALUES ('0001.sql', 'x')",
)  # fmt: skip
BOOK = "INSERT INTO dayfly_migrations VALUES ('0002.sql', 'y')"
CASES = {
    "column": ("ALTER TABLE orders DROP COLUMN code",),
    "column not null": (
        "DROP MATERIALIZED VIEW counts",
        "DROP VIEW dearest",
        "DROP VIEW dear",
        "DROP TRIGGER stamped ON orders",
        "ALTER TABLE orders DROP COLUMN note",
    ),
    "column of an enum": ("ALTER TABLE orders DROP COLUMN mood", "DROP TYPE mood"),
    "column with its key": ("ALTER TABLE orders DROP COLUMN kind CASCADE",),
    "primary key": ("ALTER TABLE orders DROP COLUMN id CASCADE",),
    "identity": ("ALTER TABLE self DROP COLUMN id CASCADE",),
    "generated": ("ALTER TABLE self DROP COLUMN twice",),
    "no key": ("ALTER TABLE loose DROP COLUMN c",),
    "partitioned": ("ALTER TABLE parts DROP COLUMN v",),
    "table": ("DROP TABLE sales.lines",),
    "table in its schema": ("DROP SCHEMA sales CASCADE",),
    "table that others lean on": ("DROP TABLE kinds CASCADE",),
    "tables": ("DROP TABLE sales.lines, orders CASCADE",),
    "table without key": ("DROP TABLE loose",),
    "table with itself": ("DROP TABLE self",),
    "table of partitions": ("DROP TABLE parts",),
    "renamed column": ("ALTER TABLE orders RENAME COLUMN code TO sku",),
    "two places changed": (
        "ALTER TABLE loose RENAME a TO x",
        "ALTER TABLE loose RENAME b TO a",
        "ALTER TABLE loose RENAME x TO b",
    ),
    "renamed table": (
        "ALTER TABLE orders RENAME TO purchases",
        "ALTER SEQUENCE orders_id_seq RENAME TO purchases_id_seq",
        "ALTER INDEX orders_code RENAME TO purchases_code",
        "ALTER TABLE purchases RENAME CONSTRAINT positive TO negative",
    ),
    "moved table": ("ALTER TABLE loose SET SCHEMA sales",),
    "old table put aside": (
        "ALTER TABLE loose RENAME TO loose_old",
        "CREATE TABLE loose (a int)",
    ),
    "cut": ("ALTER TABLE orders ALTER code TYPE varchar(2) USING left(code, 2)",),
    "worked out": ("ALTER TABLE orders ALTER code TYPE varchar(20) USING upper(code)",),
    "column put aside": (
        "ALTER TABLE orders RENAME code TO code_old",
        "ALTER TABLE orders ADD code varchar(20)",
    ),
    "widened": ("ALTER TABLE loose ALTER a TYPE bigint, ALTER b TYPE varchar",),
    "made text": ("ALTER TABLE loose ALTER a TYPE text",),
    "rounded": ("ALTER TABLE loose ALTER c TYPE int",),
    "forgotten time": ("ALTER TABLE orders ALTER happened TYPE date",),
    "retyped under views": (
        "DROP MATERIALIZED VIEW counts",
        "DROP VIEW dearest",
        "DROP VIEW dear",
        "ALTER TABLE orders ALTER cents TYPE bigint",
        "CREATE VIEW dear AS SELECT id, cents, note FROM orders WHERE cents > 10",
        "CREATE VIEW dearest AS SELECT id FROM dear WHERE cents > 20",
    ),
    "dropped and added otherwise": (
        "ALTER TABLE orders DROP code",
        "ALTER TABLE orders ADD code int",
    ),
    "overwritten": ("UPDATE orders SET cents = cents * 100",),
    "deleted": ("DELETE FROM sales.lines WHERE place > 7",),
    "deleted with what leans": ("DELETE FROM sales.lines", "DELETE FROM orders WHERE id > 3"),
    "emptied": ("TRUNCATE orders, sales.lines",),
    "label renamed": ("ALTER TYPE mood RENAME VALUE 'cross' TO 'angry'",),
    "label added": ("ALTER TYPE mood ADD VALUE 'glad'", "ALTER TABLE orders DROP COLUMN code"),
    "domain": (
        "ALTER DOMAIN percent DROP CONSTRAINT percent_check",
        "ALTER DOMAIN percent ADD CHECK (VALUE < 1000)",
    ),
    "tightened": (
        "ALTER TABLE orders ALTER code SET NOT NULL",
        "ALTER TABLE orders ADD UNIQUE (code)",
        "ALTER TABLE orders ADD CHECK (cents < 1000)",
        "ALTER TABLE loose ADD FOREIGN KEY (a) REFERENCES kinds NOT VALID",
        "ALTER TABLE kinds FORCE ROW LEVEL SECURITY",
        "REVOKE INSERT ON orders FROM PUBLIC",
    ),
    "new things": (
        "CREATE TABLE clients (id serial PRIMARY KEY, name text)",
        "ALTER TABLE orders ADD client int NOT NULL DEFAULT 1",
        "INSERT INTO clients (name) VALUES ('c')",
        "ALTER TABLE orders ADD FOREIGN KEY (client) REFERENCES clients",
        "CREATE INDEX ON orders (client)",
        "CREATE TYPE size AS ENUM ('s')",
        "ALTER TABLE clients ADD size size",
        "CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER loudly BEFORE INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION loud()",
        "CREATE POLICY more ON kinds FOR INSERT WITH CHECK (true)",
        "CREATE VIEW who AS SELECT id, client FROM orders",
    ),
    "others dropped": (
        "DROP INDEX orders_code",
        "DROP INDEX orders_note",
        "ALTER TABLE orders DROP CONSTRAINT positive",
        "ALTER TABLE orders ALTER cents DROP NOT NULL, ALTER note SET DEFAULT 'other'",
        "DROP TRIGGER stamped ON orders",
        "DROP FUNCTION stamp",
        "DROP FUNCTION tax",
        "DROP SEQUENCE ticket",
        "DROP VIEW dearest",
        "DROP MATERIALIZED VIEW counts",
        "DROP POLICY everything ON kinds",
        "ALTER TABLE kinds DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE sales.lines DROP CONSTRAINT lines_pkey",
    ),
    "closed to the public": ("DROP FUNCTION secret()",),
    "given to the public": (
        "GRANT EXECUTE ON FUNCTION secret() TO PUBLIC",
        "ALTER TABLE orders DROP COLUMN code",
    ),
    "settings of a function": (
        "ALTER FUNCTION secret() RESET search_path SECURITY INVOKER",
        "ALTER FUNCTION tax(int) VOLATILE COST 7",
        "ALTER TABLE orders DROP COLUMN code",
    ),
    "function that gives another type": (
        "DROP FUNCTION tax",
        (
            "CREATE FUNCTION tax(cents int) RETURNS bigint LANGUAGE sql IMMUTABLE"
            " AS 'SELECT cents::bigint'"
        ),
    ),
    "parameter under another name": (
        "DROP FUNCTION tax",
        (
            "CREATE FUNCTION tax(amount int) RETURNS int LANGUAGE sql IMMUTABLE"
            " AS 'SELECT amount / 5'"
        ),
    ),
    "with the caller's rights": ("ALTER FUNCTION secret() SECURITY INVOKER",),
    "view with a default": ("DROP VIEW dear CASCADE",),
    "type closed to the public": ("ALTER TABLE orders DROP COLUMN mood", "DROP TYPE mood"),
    "settings": (
        "ALTER TABLE orders RESET (fillfactor), SET (autovacuum_enabled = false)",
        "ALTER TABLE orders RESET (toast.autovacuum_enabled)",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
        (
            "DO $$BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC',"
            " current_database()); END$$"
        ),
        "ALTER TABLE orders ALTER note SET STATISTICS 7, ALTER kind RESET (n_distinct)",
        "ALTER TABLE orders ALTER note SET STORAGE EXTENDED, SET WITHOUT CLUSTER",
        "ALTER TABLE loose REPLICA IDENTITY DEFAULT",
        "ALTER TABLE sales.lines ENABLE ALWAYS RULE quiet",
        "DROP STATISTICS kinds_of_codes",
        "CREATE STATISTICS others ON kind, cents FROM orders",
        "ALTER SEQUENCE ticket CACHE 1",
        "COMMENT ON TABLE orders IS 'other'",
        "COMMENT ON COLUMN orders.cents IS 'new'",
        "COMMENT ON TYPE mood IS NULL",
        "ALTER TABLE orders DROP COLUMN rate",
    ),
    "materialized view": ("DROP MATERIALIZED VIEW counts",),
    "replaced": (
        (
            "CREATE OR REPLACE FUNCTION tax(cents int) RETURNS int LANGUAGE sql IMMUTABLE"
            " AS 'SELECT cents / 4'"
        ),
        "CREATE OR REPLACE VIEW dear AS SELECT id, cents, note, mood FROM orders WHERE cents > 1",
        "ALTER TABLE orders DISABLE TRIGGER stamped",
        "ALTER POLICY everything ON kinds USING (id > 1)",
        "ALTER TABLE loose SET UNLOGGED",
    ),
    "detached": ("ALTER TABLE parts DETACH PARTITION parts_1",),
}


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


@pytest.fixture
def case(copies: Copies, tmp_path: Path, postgresql: Path) -> Iterator[Case]:
    with copies.fresh() as url:
        yield Case(url, tmp_path / "7", postgresql)


@pytest.mark.sampled(25)
@pytest.mark.parametrize("name", CASES)
def test_schema_and_rows_come_back(copies: Copies, case: Case, name: str) -> None:
    catalogue, rows, dump = case.catalogue(), case.rows(), case.dump()
    losses = case.losses(copies, *CASES[name])
    case.migrated(losses, *CASES[name], BOOK)

    case.back()
    assert_as_before(case, catalogue, rows)
    assert case.dump() ^ dump == set()

    again = case.back()
    assert sum(put.rows for put in again.tables) == 0
    assert_as_before(case, catalogue, rows)

    case.written(*CASES[name])  # and forward again


def test_a_column_that_comes_back_as_the_last_one_is_told(copies: Copies, case: Case) -> None:
    drop = "ALTER TABLE loose DROP COLUMN b"
    case.migrated(case.losses(copies, drop), drop)

    [told] = case.back().unlike
    assert "the order of the columns of loose is a, c, b, it was a, b, c" in told


def test_a_table_that_comes_back_is_published_again(copies: Copies, case: Case) -> None:
    published = "SELECT pubname || ' ' || tablename FROM pg_publication_tables ORDER BY 1"
    drops = ("DROP TABLE sales.lines", "ALTER PUBLICATION told ADD TABLE orders")
    case.migrated(case.losses(copies, *drops), *drops)

    case.back()

    assert case.values(published) == ["told kinds", "told lines"]


def test_a_publication_that_is_gone_comes_back(copies: Copies, case: Case) -> None:
    published = "SELECT pubname || ' ' || tablename FROM pg_publication_tables ORDER BY 1"
    drops = ("DROP PUBLICATION told", "ALTER TABLE orders DROP COLUMN rate")
    case.written("ALTER PUBLICATION told SET (publish = 'insert, delete')")
    case.migrated(case.losses(copies, *drops), *drops)

    told = [each for each in case.back().unlike if "publication" in each]

    assert told == []
    assert case.values(published) == ["told kinds", "told lines"]
    assert case.values("SELECT pubupdate FROM pg_publication") == [False]


def test_back_over_two_migrations_the_newest_first(copies: Copies, case: Case) -> None:
    first = ("ALTER TABLE orders DROP COLUMN code", "CREATE TABLE codes (id int)")
    second = ("ALTER TABLE orders RENAME TO purchases", "DROP TABLE codes, sales.lines")
    later = replace(case, folder=case.folder.with_name("8"))
    catalogue, rows = case.catalogue(), case.rows()
    case.migrated(case.losses(copies, *first), *first, BOOK)
    lines = Loss(schema="sales", table="lines")
    later.migrated([lines], *second, BOOK.replace("0002", "0003"))

    assert [outlook(one.url, one.folder).conflicts for one in (later, case)] == [(), ()]
    later.back()
    case.back()

    assert_as_before(case, catalogue, rows)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("SELECT 1", True),
        ("INSERT INTO orders (cents, code) VALUES (7, 'new')", True),  # what users wrote meanwhile
        ("UPDATE orders SET cents = cents + 1", True),  # of which nothing was preserved
        ("UPDATE orders SET code = 'other' WHERE id = 1", False),
        ("DELETE FROM orders WHERE id = 9", False),
        ("ALTER TABLE orders DROP COLUMN code", False),
        ("CREATE TABLE half (id int)", False),
        (BOOK, False),
        ("UPDATE dayfly_migrations SET sha256 = 'other'", False),
    ],
)
def test_a_migration_that_left_nothing_leaves_nothing_to_bring_back(
    copies: Copies, case: Case, written: str, *, expected: bool
) -> None:
    case.written("DELETE FROM sales.lines")  # refers to orders
    case.preserved(*case.losses(copies, "ALTER TABLE orders DROP COLUMN code"))
    case.written(written)
    rows, aside = case.rows(), case.folder.with_name("7.1")

    assert outlook(case.url, case.folder).untouched == expected
    done = case.back(accept=True, aside=aside)

    if expected:
        assert (done.tables, done.newer, aside.exists()) == ((), None, False)
        assert rows == case.rows()
