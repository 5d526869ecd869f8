"""Whether what is told of a lock is enough: each change told before, and then really made."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.row import Row, Skipped, median
from dayfly.database.answer import of_files
from dayfly.database.programs import programs
from dayfly.database.question import Question
from dayfly.database.scratch import scratch_server

PART = "how long it blocks: as told before, and as it really does"
BUDGET = 1.0
ORDERS, DOCS = 100_000, 5_000
SCHEMA = f"""
CREATE EXTENSION pg_trgm;
CREATE FUNCTION twice(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 || $1; END';
CREATE FUNCTION words(seed int, count int) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg('w' || (seed * i % 9973), ' ') FROM generate_series(1, count) i
$$;
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id int PRIMARY KEY, customer int NOT NULL, kind int, note text, during int4range
);
CREATE TABLE docs (id int PRIMARY KEY, kind int, body text NOT NULL);
INSERT INTO customers SELECT i, 'name ' || i FROM generate_series(1, {ORDERS // 10}) i;
INSERT INTO orders
    SELECT i, 1 + i % {ORDERS // 10}, i % 100, words(i, 40), int4range(2 * i, 2 * i + 1)
    FROM generate_series(1, {ORDERS}) i;
INSERT INTO docs SELECT i, i % 100, words(i, 1600) FROM generate_series(1, {DOCS}) i;
CREATE INDEX ON orders (customer);
CREATE MATERIALIZED VIEW per_customer AS SELECT c.id, c.name, count(*) AS orders
    FROM customers c JOIN orders o ON o.customer = c.id GROUP BY c.id, c.name;
ANALYZE
"""


@dataclass(frozen=True)
class Change:
    what: str
    sql: str


CHANGES = (
    Change("an index", "CREATE INDEX ON orders (kind)"),
    Change("a hash index", "CREATE INDEX ON orders USING hash (kind)"),
    Change("a GiST index", "CREATE INDEX ON orders USING gist (during)"),
    Change("no overlaps", "ALTER TABLE orders ADD EXCLUDE USING gist (during WITH &&)"),
    Change("text search", "CREATE INDEX ON orders USING gin (to_tsvector('english', note))"),
    Change("trigrams", "CREATE INDEX ON orders USING gin (note gin_trgm_ops)"),
    Change("one's own function in an index", "CREATE INDEX ON orders (twice(note))"),
    Change("unique", "ALTER TABLE orders ADD UNIQUE (id, kind)"),
    Change("another type", "ALTER TABLE orders ALTER kind TYPE bigint"),
    Change("another type, long rows", "ALTER TABLE docs ALTER kind TYPE bigint"),
    Change(
        "a new column that is worked out",
        "ALTER TABLE orders ADD token uuid NOT NULL DEFAULT gen_random_uuid()",
    ),
    Change(
        "a generated column of text search",
        "ALTER TABLE orders ADD said tsvector GENERATED ALWAYS AS"
        " (to_tsvector('english', note)) STORED",
    ),
    Change("not null", "ALTER TABLE orders ALTER kind SET NOT NULL"),
    Change("a check", "ALTER TABLE orders ADD CHECK (kind >= 0)"),
    Change(
        "a foreign key", "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id)"
    ),
    Change("all rows changed", "UPDATE orders SET kind = kind + 1"),
    Change("half of the rows deleted", "DELETE FROM orders WHERE id % 2 = 0"),
    Change("rows copied", "CREATE TABLE copied AS SELECT * FROM orders"),
    Change(
        "a join copied",
        "CREATE TABLE copied AS SELECT o.*, c.name FROM orders o"
        " JOIN customers c ON c.id = o.customer",
    ),
    Change("a materialized view anew", "REFRESH MATERIALIZED VIEW per_customer"),
)


def measure(folder: Path, rounds: int) -> Iterator[Row | Skipped]:
    (folder / "rates").mkdir()
    with scratch_server(folder / "rates", programs(None)) as server, server.database() as url:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(SCHEMA.encode())
        except psycopg.errors.FeatureNotSupported as error:
            yield Skipped(PART, str(error).partition("\n")[0])  # without contributed modules
            return
        question = Question(url=url, folder=folder / "rates-copy", budget=BUDGET)
        for number, change in enumerate(CHANGES):
            yield _row(question, change, folder / f"rate-{number}", rounds)


def _row(question: Question, change: Change, directory: Path, rounds: int) -> Row:
    directory.mkdir()
    (directory / "0001.sql").write_text(change.sql)
    found: dict[str, Any] = of_files(question, directory).as_json()
    told = sum(each["ms"] for entry in found["timeline"] for each in entry["statements"]) / 1000
    takes = median([_taken(question.url, change.sql) for _ in range(rounds)])
    return Row(
        part=PART,
        what=change.what,
        ours=told,
        unit="s",
        floor=takes,
        ratio=told / takes,
        bar="≥ 1×",
        good=told >= takes,
    )


def _taken(url: str, sql: str) -> float:
    """Seconds on production itself, and nothing stays."""
    with psycopg.connect(url) as connection:
        began = time.monotonic()
        connection.execute(sql.encode())
        seconds = time.monotonic() - began
        connection.rollback()
    return seconds
