"""What schema changes do to a live PostgreSQL as it was measured, and what is said of migrations.

Rows of data in tests/database, tried on a real server of any version.
"""

import tomllib
from pathlib import Path
from typing import Any

import psycopg

from copies import Copies, executed, migration
from dayfly.database.impact.assess import Evidence, Impact, gathered, judged
from dayfly.database.impact.blocking.blocking import SAME_ROWS
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.replay.locks import READERS_TOO, WRITERS, strongest

HERE = Path(__file__).parents[1] / "database"
DATA = tomllib.loads((HERE / "operations.toml").read_text())
OPERATIONS: list[dict[str, Any]] = DATA["operation"]
CASES: list[dict[str, Any]] = [
    case
    for name in ("verdicts.toml", "probes.toml", "unseen.toml")
    for case in tomllib.loads((HERE / name).read_text())["case"]
]
OUTGOING: dict[str, str] = DATA["outgoing"]
NAMES = {text: name for name, text in OUTGOING.items()}
TABLES = ("orders", "customers", "loose", "visits", "visits_1", "visits_rest", "loose_drafts")
SMALL, LARGE = 2_000, 10_000_000
PLANNED = ("42", "22P02")  # what the planner finds without executing

Row = dict[str, Any]


def on(version: int, rows: list[Row], *, icu: bool = True) -> list[Row]:
    """Those that a version of PostgreSQL knows, built with ICU or without."""
    return [r for r in rows if r.get("since", 0) <= version and (icu or not r.get("icu"))]


def operation_comes_out_as_measured(copies: Copies, row: Row) -> None:
    url = copies.renewed([*DATA["schema"]["statements"], *row.get("prepare", ())])
    worked = failing(url)
    transactions = [migration(*row["statements"], alone=row.get("alone", False))]
    evidence = gathered(url, transactions, statements=OUTGOING.values())
    now_failing = {name: state for name, state in failing(url).items() if name not in worked}

    small, large = (impact(evidence, rows) for rows in (SMALL, LARGE))
    broken = row.get("broken", {})
    if "refused" in row:
        assert refused(evidence.observed) == row["refused"]
        assert [small.verdict, large.verdict] == row["verdicts"], told(large)
        return
    assert observed(evidence.observed) == {
        "lock": row.get("lock", ""),
        "rewrites": row.get("rewrites", []),
        "scans": row.get("scans", []),
    }
    assert now_failing == broken, "what was executed fails as it did"
    assert foretold(small) == {*broken.values(), *row.get("told", ())} - {"42601"}, told(small)
    assert planned(evidence) == {n: s for n, s in broken.items() if s.startswith(PLANNED)}
    assert stale(evidence) == row.get("stale", [])
    assert blocked(small) == row.get("blocks", {})
    assert list(small.loses) == row.get("loses", []), told(small)
    bridges = [finding.bridge.keep for finding in small.findings if finding.bridge]
    assert bridges == [row[b] for b in ("bridge",) if b in row]
    assert row.get("widens", "") in told(small)
    assert [small.verdict, large.verdict] == row["verdicts"], told(large)


def verdict_is_right(copies: Copies, case: Row) -> None:
    url = copies.renewed([*DATA["schema"]["statements"], *case.get("prepare", ())])
    transactions = [
        migration(*texts, alone=case.get("alone", False)) for texts in case["transactions"]
    ]
    evidence = gathered(url, transactions)
    executed(url, case.get("after", ()))
    small, large = (impact(evidence, rows) for rows in (SMALL, LARGE))
    assert [small.verdict, large.verdict] == case["verdicts"], told(large)
    assert not [found.remedy for found in small.findings if "…" in found.remedy]
    assert not twice(small), told(small)


def impact(evidence: Evidence, rows: int) -> Impact:
    counted = {**dict.fromkeys(TABLES, rows), "drafts": 0}
    return judged(evidence, rows=counted, budget=1.0)


def failing(url: str) -> dict[str, str]:
    """The statements of the outgoing release that fail when they are executed."""
    found: dict[str, str] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for name, text in OUTGOING.items():
            connection.execute("BEGIN")
            try:
                connection.execute(text.encode())
            except psycopg.Error as error:
                found[name] = error.sqlstate or ""
            connection.execute("ROLLBACK")
    return found


def observed(seen: Observed) -> dict[str, object]:
    effects = [step.effect for step in seen.steps]
    scanned = {oid for effect in effects for oid in effect.scanned | whole(effect.read, effect)}
    return {
        "lock": strongest(
            mode
            for effect in effects
            for oid, mode in effect.locks.items()
            if seen.before.shown(oid) != "open_orders"
        ),
        "rewrites": sorted({seen.before.shown(oid) for e in effects for oid in e.rewritten}),
        "scans": sorted(map(seen.before.shown, scanned)),
    }


def whole(read: frozenset[int], effect: Effect) -> frozenset[int]:
    """An UPDATE without a condition reads the whole table; one with an index does not."""
    return frozenset() if "WHERE" in effect.statement.text else read


def refused(seen: Observed) -> str:
    return next(step.effect.refused.sqlstate for step in seen.steps if step.effect.refused)


def foretold(found: Impact) -> set[str]:
    return {finding.sqlstate for finding in found.findings if finding.sqlstate} - {"42601"}


def planned(evidence: Evidence) -> dict[str, str]:
    return {NAMES[b.text]: b.sqlstate for b in evidence.checked.broken if not b.prepared}


def stale(evidence: Evidence) -> list[str]:
    return sorted(NAMES[b.text] for b in evidence.checked.broken if b.prepared)


def blocked(found: Impact) -> dict[str, str]:
    short = {READERS_TOO: "RW", WRITERS: "W", SAME_ROWS: ""}
    return {
        finding.table: short[finding.blocks]
        for finding in found.findings
        if short.get(finding.blocks)
    }


def twice(found: Impact) -> list[str]:
    """Statements that may write a table of which it is told already what they take away there."""
    losing = [f for f in found.findings if f.kind == "loses"]
    return [
        writing.message
        for writing in found.findings
        for loss in losing
        if "code that may write" in writing.message and loss is not writing
        if (loss.statement, loss.relation) == (writing.statement, writing.relation)
    ]


def told(found: Impact) -> str:
    return "\n".join(f"{f.verdict}: {f.message} [{f.statement}]" for f in found.findings)
