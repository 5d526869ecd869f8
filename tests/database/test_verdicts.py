"""Migrations as people and tools write them, and what a release may do with them."""

import pytest

from copies import Copies
from dayfly.database.scratch import ScratchServer
from measured import CASES, Row, verdict_is_right

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, ())


@pytest.mark.sampled(150)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_verdict_of(copies: Copies, case: Row) -> None:
    verdict_is_right(copies, case)
