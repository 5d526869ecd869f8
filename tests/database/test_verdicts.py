"""Migrations as people and tools write them, and what a release may do with them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from copies import Copies, executed, migration
from dayfly.database.impact.assess import gathered, judged
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

HERE = Path(__file__).parent
SCHEMA = tomllib.loads((HERE / "operations.toml").read_text())["schema"]["statements"]
CASES = [
    case
    for name in ("verdicts.toml", "probes.toml")
    for case in tomllib.loads((HERE / name).read_text())["case"]
]
TABLES = ("orders", "customers", "loose", "visits", "visits_1", "visits_rest", "loose_drafts")
ROWS = (2_000, 10_000_000)


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, ())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_verdict_of(copies: Copies, case: dict[str, Any]) -> None:
    url = copies.renewed([*SCHEMA, *case.get("prepare", ())])
    transactions = [
        migration(*texts, alone=case.get("alone", False)) for texts in case["transactions"]
    ]
    evidence = gathered(url, transactions)
    executed(url, case.get("after", ()))
    impacts = [
        judged(evidence, rows={**dict.fromkeys(TABLES, rows), "drafts": 0}, budget=1.0)
        for rows in ROWS
    ]
    told = "\n".join(f"{f.verdict}: {f.message}" for f in impacts[1].findings)
    assert [impact.verdict for impact in impacts] == case["verdicts"], told
