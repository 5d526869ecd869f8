"""What a receipt tells a person of the database."""

from typing import Any

import pytest

from cli.conftest import Terminal
from fake_server import FakeEnvironment
from fake_server.impacts import (
    DOWNTIME,
    PRESERVED,
    RECORDED,
    STAGED,
    assessed,
    export,
    leaving_out,
    release,
)


@pytest.fixture(autouse=True)
def releases(environment: FakeEnvironment) -> None:
    assessed(environment)


def facts(terminal: Terminal, number: int) -> list[str]:
    """The lines of a receipt above its stages, each with one space between its words."""
    told = terminal.type("receipt", str(number)).stdout.partition("  stages\n")[0]
    return [" ".join(line.split()) for line in told.splitlines()]


def test_a_receipt_tells_the_verdict_what_was_found_and_what_is_kept(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.receipts[PRESERVED] |= {
        "preserved": export("29", rows=1204332, size=48_000_000),
        "closed_seconds": 12.5,
        "stages": [{"stage": "migrate", "seconds": 1.0, "outcome": "done"}],
        "notes": ["released despite its verdict staged: nobody reads it", "and another"],
    }
    told = facts(terminal, PRESERVED)
    for line in (
        "verdict staged: in downtime for 12.5 s",
        "migrated 0021_tidy.sql",
        "findings the values of orders.note are lost with it",
        "renames customers.name to full_name",
        (
            "way back closed: it would lose orders.note; "
            "it can't be brought back: the grants of a role that is gone"
        ),
        "exported orders (1,204,332 rows): `dayfly preserved show 29`",
        "notes released despite its verdict staged: nobody reads it",
        "and another",
    ):
        assert line in told


def test_a_receipt_tells_what_lies_in_the_archive(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    versions = [{"key": f"tests/{n}.xml", "version": str(n), "size": 9} for n in range(6)]
    environment.receipts[PRESERVED]["outputs"] = [
        {"of": "build", "bucket": "orders", "count": 1, "versions": [{"key": "builds/a.whl"}]},
        {"of": "test", "bucket": "orders", "count": 1200, "versions": versions},
    ]
    told = facts(terminal, PRESERVED)
    at = told.index("outputs orders/builds/a.whl")
    assert told[at + 1] == "orders/tests/0.xml"
    assert told[at + 6] == "and 1,195 more of the test"


def test_few_findings_are_told_and_the_others_are_counted(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.receipts[DOWNTIME]["held_seconds"] = 2.9
    told = facts(terminal, DOWNTIME)
    assert "verdict downtime: requests were held for 2.90 s" in told
    assert "and 3 more: --json has them" in told
    assert any(line.startswith("pending 0031_paid.sql, ") for line in told)


def test_a_way_back_that_is_proven_names_the_tables(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    back = {"state": "proven", "loses": [], "covered": ["orders", "lines"], "why": ""}
    environment.receipts[STAGED]["impact"]["rollback"] = back
    assert "way back proven: tried with rows in orders, lines" in facts(terminal, STAGED)


@pytest.mark.parametrize(
    ("outcome", "has", "lacks"),
    [
        ("waiting", ["verdict staged", "findings the values"], ["lost 0", "cutover", "machines"]),
        ("assessed", ["verdict staged", "findings the values"], ["lost 0", "cutover"]),
        ("refused", ["verdict staged", "way back closed"], ["findings", "lost 0", "cutover"]),
    ],
)
def test_what_never_ran_has_a_verdict_and_no_figures(
    terminal: Terminal,
    environment: FakeEnvironment,
    outcome: str,
    has: list[str],
    lacks: list[str],
) -> None:
    """Why a release was refused stands above: it names the findings already."""
    environment.receipts[STAGED] |= {"outcome": outcome, "reason": "because"}
    told = "\n".join(facts(terminal, STAGED))
    assert all(words in told for words in has)
    assert not any(words in told for words in lacks)


def test_what_is_under_way_tells_nothing_that_nobody_knows_yet(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.receipts[12] |= {"outcome": "running", "machines": [], "verdict": "unassessed"}
    told = "\n".join(facts(terminal, 12))
    assert "unassessed" not in told
    assert "machines" not in told


def rollback(outcome: str, **told: object) -> dict[str, Any]:
    began = {"who": "ada", "started": "2026-11-23T20:00:00+00:00", "outcome": outcome}
    return {**began, "verdict": "unassessed", "traffic": {"requests": 7}, **told}


def test_a_rollback_tells_what_it_brought_back(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    tables = [{"table": "orders", "rows": 1204, "gone": 0}]
    environment.receipts[12]["rollbacks"] = [
        rollback("refused", reason="what was written since is in conflict"),
        rollback(
            "serving",
            restored=[{"export": "13", "tables": tables}],
            notes=["rolled back, because it hurries"],
        ),
    ]
    told = terminal.type("receipt", "12").stdout
    assert "rollback to it 2026-11-23 20:00:00 by ada  refused" in told
    assert told.count("gone back to") == 1
    assert told.count("of 7 requests") == 1
    assert "restored of 13: orders (1,204 rows)" in told
    assert "notes    rolled back, because it hurries" in told
    assert "unassessed" not in told


@pytest.mark.parametrize("state", ["waiting", "done"])
def test_what_will_come_of_what_waits_is_told_until_it_was_tried(
    terminal: Terminal, environment: FakeEnvironment, state: str
) -> None:
    release(environment, 30, leaving_out(RECORDED["online"], runs=False, why="it blocks"))
    names = ["0040_drop_total.sql"]
    environment.receipts[30] |= {"contract": {"state": state, "migrations": names, "reason": ""}}
    told = facts(terminal, 30)
    later = "later 0040_drop_total.sql: staged, and they will be refused: it blocks"
    assert (later in told) == (state == "waiting")
