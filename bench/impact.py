"""How long it takes to know what a migration does to a database of 300 tables."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench import rates
from bench.row import Row, Skipped, at_most, median, percentile
from dayfly.database.answer import of_files
from dayfly.database.memory import quickest
from dayfly.database.programs import DatabaseError, programs
from dayfly.database.question import Question
from dayfly.database.scratch import scratch_server

PART = "what a migration does to 300 tables"
TABLES, ROWS = 300, 200
BUDGET = 1.0
TABLE = """
CREATE TABLE t{n} (
    id serial PRIMARY KEY, parent int REFERENCES t{parent}, name varchar(100) NOT NULL, note text,
    amount numeric(10, 2) DEFAULT 0, made timestamptz NOT NULL DEFAULT now(), kind int,
    flag boolean NOT NULL DEFAULT false, code text UNIQUE, body jsonb
);
CREATE INDEX ON t{n} (parent); CREATE INDEX ON t{n} (name, made);
INSERT INTO t{n} (name, code) SELECT 'name', 'c' || i FROM generate_series(1, {rows}) i
"""
MIGRATIONS = (
    "ALTER TABLE t1 ADD urgent boolean",
    "ALTER TABLE t2 ADD urgent boolean NOT NULL DEFAULT false",
    "ALTER TABLE t3 DROP COLUMN note",
    "ALTER TABLE t4 RENAME name TO title",
    "ALTER TABLE t5 ALTER kind TYPE bigint",
    "ALTER TABLE t6 ALTER kind SET NOT NULL",
    "CREATE INDEX CONCURRENTLY ON t7 (kind)",
    "CREATE INDEX ON t8 (kind)",
    "ALTER TABLE t9 ADD CONSTRAINT positive CHECK (amount >= 0) NOT VALID",
    "ALTER TABLE t10 ADD CONSTRAINT other FOREIGN KEY (kind) REFERENCES t11 (id)",
    "UPDATE t12 SET note = name",
    "CREATE TABLE fresh (id serial PRIMARY KEY, t int REFERENCES t13)",
    "CREATE VIEW shown AS SELECT id, name FROM t14",
    "DROP TABLE t299",
    "ALTER TABLE t15 ADD x int NOT NULL DEFAULT 1; ALTER TABLE t15 ALTER x DROP DEFAULT",
)


def measure(rounds: int) -> list[Row | Skipped]:
    try:
        programs(None)
    except DatabaseError as error:
        return [Skipped(PART, error.message)]
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="dayfly-bench-") as place:
        folder = Path(place)
        folder.chmod(0o711)
        with production(folder / "production") as url:
            found = [*of_all(url, folder, rounds), *of_each(url, folder)]
        return [*found, *rates.measure(folder, rounds)]


@contextmanager
def production(folder: Path) -> Iterator[str]:
    with scratch_server(quickest(folder, 0), programs(None)) as server, server.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for n in range(TABLES):
                connection.execute(TABLE.format(n=n, parent=max(n - 1, 0), rows=ROWS).encode())
            connection.execute("ANALYZE")
        yield url


def of_all(url: str, folder: Path, rounds: int) -> list[Row]:
    """All migrations of a release at once."""
    directory = files(folder / "all", MIGRATIONS)
    cold, cached = [], []
    for number in range(rounds):
        question = Question(url=url, folder=folder / f"cold-{number}", budget=BUDGET)
        cold.append(of_files(question, directory).seconds)
        cached.append(of_files(question, directory).seconds)
    note = f"{len(MIGRATIONS)} migrations"
    return [
        at_most(PART, "a release, nothing kept", median(cold), "s", 30, note=note),
        at_most(PART, "a release, with a kept copy", median(cached), "s", 5, note=note),
    ]


def of_each(url: str, folder: Path) -> list[Row]:
    question = Question(url=url, folder=folder / "cold-0", budget=BUDGET)
    seconds = [
        of_files(question, files(folder / f"one-{number}", [text])).seconds
        for number, text in enumerate(MIGRATIONS)
    ]
    note = f"median {median(seconds):.2f} s of {len(seconds)}, each with a kept copy"
    return [at_most(PART, "one migration, p95", percentile(seconds, 0.95), "s", 2, note=note)]


def files(directory: Path, texts: tuple[str, ...] | list[str]) -> Path:
    directory.mkdir()
    for number, text in enumerate(texts, 1):
        (directory / f"{number:04}.sql").write_text(text)
    return directory
