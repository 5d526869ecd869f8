"""What is advised instead of a change ends as that does, and goes through no table under a lock."""

from pathlib import Path

import pytest

from copies import Copies, migration
from dayfly.database.impact.remedies import SPLIT
from dayfly.database.scratch import ScratchServer
from measured import Row
from measured.remedied import (
    ALONE,
    REMEDIED,
    SCHEMA,
    advice,
    advice_ends_as_the_change,
    findings,
)

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


@pytest.mark.parametrize("case", REMEDIED, ids=lambda case: case.get("name", case["change"]))
def test_what_is_advised_ends_as_the_change_does(
    copies: Copies, postgresql: Path, case: Row
) -> None:
    advice_ends_as_the_change(copies, postgresql, case)


@pytest.mark.parametrize("case", ALONE, ids=lambda case: case["change"])
def test_no_statement_is_told_to_be_divided_from_itself(copies: Copies, case: Row) -> None:
    found = findings(copies, case, [migration(case["change"], alone=True)])
    assert advice(found).splitlines() == case["advice"]


def test_what_takes_long_is_told_in_its_safe_form_too(copies: Copies) -> None:
    change = migration(
        "ALTER TABLE orders ADD x int",
        "CREATE INDEX later ON orders (x)",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)",
    )
    assert advice(findings(copies, {}, [change])).splitlines() == [
        SPLIT,
        "-- Outside a transaction:",
        "CREATE INDEX CONCURRENTLY later ON orders (x);",
        "-- Each in a transaction of its own:",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK ((amount > 0)) NOT VALID;",
        "ALTER TABLE orders VALIDATE CONSTRAINT positive;",
    ]
