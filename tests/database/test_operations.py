"""What schema changes do to a live PostgreSQL comes out as it was measured, one row for each."""

import pytest

from copies import Copies
from dayfly.database.scratch import ScratchServer
from measured import OPERATIONS, Row, operation_comes_out_as_measured

pytestmark = pytest.mark.postgres

MEASURED = 67  # operations of the measurement that operations.toml repeats, row for row


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, ())


def test_each_operation_that_was_measured_is_here() -> None:
    assert len({row["name"] for row in OPERATIONS}) == MEASURED


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row["name"])
def test_an_operation_comes_out_as_measured(copies: Copies, row: Row) -> None:
    operation_comes_out_as_measured(copies, row)
