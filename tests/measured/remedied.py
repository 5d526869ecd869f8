"""Changes with the form of them that is advised: rows of data, tried on a server of any version."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from copies import Copies, migration
from dayfly.database.captured import Transaction
from dayfly.database.dump import dumped
from dayfly.database.impact.assess import assess
from dayfly.database.impact.finding import DOWNTIME, Finding, worst
from dayfly.database.sqltext import split
from measured import HERE, Row

DATA = tomllib.loads((HERE / "remedied.toml").read_text())
SCHEMA: list[str] = DATA["schema"]["statements"]
REMEDIED: list[Row] = DATA["case"]
ALONE: list[Row] = DATA["alone"]
MANY = 10_000_000
TABLES = """SELECT n.nspname || '.' || c.relname FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm')"""
UNFINISHED = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


def advice_ends_as_the_change(copies: Copies, postgresql: Path, case: Row) -> None:
    """And none of its steps goes through a table under a lock."""
    first = findings(copies, case, [migration(case["change"])])
    remedy = advice(first)
    transactions = [*steps(remedy)]
    advised = [statement.text for each in transactions for statement in each.statements]
    for each in first:
        assert {text for text in sql(each.remedy) if text.startswith("ALTER ")} <= {*advised}, each

    with copies.fresh(*case.get("prepare", ()), case["change"]) as url:
        schema = dumped(url, postgresql)
    with copies.fresh(*case.get("prepare", ()), *advised) as url:
        assert read(url, UNFINISHED) == []
        assert dumped(url, postgresql) == schema, remedy

    told = [each for each in findings(copies, case, transactions) if not in_batches(each)]
    assert worst(tuple(each.verdict for each in told)) == case["verdict"], told


def advice(found: Sequence[Finding]) -> str:
    """Against what others would wait for; partitions refer to what they belong to."""
    blocking = {each.remedy for each in found if (each.verdict, each.kind) == (DOWNTIME, "blocks")}
    [remedy] = (told for told in blocking if not told.startswith("-- As for "))
    return remedy


def steps(remedy: str) -> Iterator[Transaction]:
    """Each alone, but for what is to be one transaction."""
    each, _, together = remedy.partition("-- In one transaction:\n")
    for piece in split(each):
        yield migration(piece.text, alone=True)
    if together:
        yield migration(*sql(together))


def sql(remedy: str) -> list[str]:
    return [piece.text for piece in split(remedy)]


def findings(copies: Copies, case: Row, transactions: Sequence[Transaction]) -> tuple[Finding, ...]:
    with copies.fresh(*case.get("prepare", ())) as url:
        rows = dict.fromkeys(read(url, TABLES), MANY)
        return assess(url, transactions, rows=rows, budget=1.0).findings


def in_batches(finding: Finding) -> bool:
    """An UPDATE of all rows at once, which is advised to be divided."""
    return finding.statement.startswith("UPDATE ")


def read(url: str, query: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute(query.encode())]
