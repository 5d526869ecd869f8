"""How long a statement takes that reads one table for each row of another."""

import pytest

from copies import Copies, migration
from dayfly.database.figures import Figures, Values
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
    "CREATE MATERIALIZED VIEW m AS SELECT x.v FROM b x JOIN b y ON x.k = y.k",
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


FEW = {"public.b": Figures(values={"k": Values(width=4, distinct=3)})}
JOINED = "SELECT x.v FROM b x JOIN b y ON x.k = y.k"
LOCK = "ALTER TABLE a ADD x int"


def of_a_join(copies: Copies, text: str, figures: dict[str, Figures]) -> float:
    with copies.fresh() as url:
        found = assess(
            url,
            [migration(LOCK, text)],
            rows=dict.fromkeys(("a", "b", "c", "m"), 20_000),
            budget=0.1,
            figures=figures,
        )
    return sum((each.blocked_ms or 0) / 1000 for each in found.findings if each.table == "a")


@pytest.mark.parametrize(
    "text",
    [
        JOINED,
        f"CREATE TABLE n AS {JOINED}",
        f"CREATE MATERIALIZED VIEW n AS {JOINED}",
        "REFRESH MATERIALIZED VIEW m",
        f"INSERT INTO c (k) {JOINED} WHERE x.v < 0",
        "SELECT count(*) FROM b x JOIN b y ON x.k = y.k AND x.v <> y.v",
    ],
)
def test_a_join_of_few_values_grows_with_the_rows_of_both(copies: Copies, text: str) -> None:
    assert of_a_join(copies, text, FEW) > 5
    assert of_a_join(copies, text, {}) > 5, "nobody knows how many values"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE n AS SELECT b.v FROM b JOIN c ON c.k = b.k",
        "CREATE TABLE n AS SELECT b.v FROM b JOIN (SELECT DISTINCT k FROM b) u ON u.k = b.k",
        "SELECT count(*) FROM b WHERE EXISTS (SELECT FROM a WHERE a.k = b.k)",
        f"CREATE TABLE n AS {JOINED} WITH NO DATA",
    ],
)
def test_a_join_to_one_row_grows_with_each(copies: Copies, text: str) -> None:
    assert of_a_join(copies, text, FEW) < 1


def test_a_join_of_many_values_is_known_from_production(copies: Copies) -> None:
    many = {"public.b": Figures(values={"k": Values(width=4, distinct=-0.9)})}
    assert of_a_join(copies, f"CREATE TABLE n AS {JOINED}", many) < 1
