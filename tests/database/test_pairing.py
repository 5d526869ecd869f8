"""How long a statement takes that reads one table for each row of another."""

import pytest

from copies import Copies, migration
from dayfly.database.impact.assess import assess
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE a (id int PRIMARY KEY, k int, n bigint)",
    "CREATE TABLE b (k int, v int)",
    "CREATE TABLE c (k int PRIMARY KEY, v int)",
    "INSERT INTO a SELECT i, i FROM generate_series(1, 3) i",
    "INSERT INTO b SELECT i, i FROM generate_series(1, 3) i",
    "INSERT INTO c SELECT i, i FROM generate_series(1, 3) i",
)
FILL = "UPDATE a SET n ="


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


def seconds(copies: Copies, *texts: str, rows: int = 20_000) -> float:
    """How long rows of `a` stay locked, where each table has as many."""
    with copies.fresh() as url:
        transactions = [migration(*texts)]
        found = assess(url, transactions, rows=dict.fromkeys("abc", rows), budget=0.1)
    return sum((each.blocked_ms or 0) / 1000 for each in found.findings if each.table == "a")


@pytest.mark.parametrize(
    "text",
    [
        f"{FILL} (SELECT count(*) FROM b WHERE b.k = a.k)",
        f"{FILL} (SELECT v FROM b WHERE b.k = a.k LIMIT 1)",
        f"{FILL} 1 FROM b WHERE b.k < a.k",
        "DELETE FROM a USING b WHERE b.v + a.k > 5",
    ],
)
def test_the_time_grows_with_the_rows_of_both(copies: Copies, text: str) -> None:
    assert 10 < seconds(copies, text) < 60


@pytest.mark.parametrize(
    "text",
    [
        f"{FILL} (SELECT v FROM c WHERE c.k = a.k)",
        f"{FILL} b.v FROM b WHERE b.k = a.k",
        f"{FILL} c.v FROM c WHERE c.k = a.k",
        f"{FILL} (SELECT max(v) FROM b)",
        f"{FILL} 1 WHERE EXISTS (SELECT FROM b WHERE b.k = a.k)",
        f"{FILL} 1 WHERE k NOT IN (SELECT v FROM b)",
        f"{FILL} (SELECT count(*) FROM b WHERE b.k = a.k) WHERE id = 1",
    ],
)
def test_the_time_grows_with_the_rows_of_each(copies: Copies, text: str) -> None:
    assert seconds(copies, text) < 3
