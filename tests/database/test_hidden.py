"""A table that hides another: which one a name without a schema means to the running release."""

from pathlib import Path

import psycopg
import pytest

from copies import Copies, executed, migration
from dayfly.database.answer import Question, of_files
from dayfly.database.impact.assess import assess
from dayfly.database.impact.evidence.comparison import USUAL
from dayfly.database.production import search_path
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE SCHEMA sales",
    "CREATE TABLE orders (id int)",
    "CREATE TABLE sales.orders (id int)",
    "CREATE TABLE lines (id int)",
)
ROWS = {"orders": 5, "lines": 5, "sales.orders": 5}
OWN = ("CREATE SCHEMA seller", "CREATE TABLE seller.orders (LIKE orders)")


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    made = Copies.of(elsewhere, SCHEMA)
    made.role("seller")
    made.role("hidden_clerk")
    return made


@pytest.mark.parametrize(
    ("changes", "role", "path", "hides"),
    [
        (OWN, "seller", USUAL, "seller.orders hides orders"),
        (OWN, "hidden_clerk", USUAL, ""),
        (OWN, "", USUAL, ""),
        (OWN, "seller", ("public", "seller"), ""),
        (OWN, "hidden_clerk", ("seller", "public"), "seller.orders hides orders"),
        (OWN, "seller", ("$user", "sales"), "seller.orders hides sales.orders"),
        (["CREATE TABLE sales.lines (id int)"], "seller", ("sales", "public"),
         "sales.lines hides lines"),
        (["CREATE VIEW sales.lines AS SELECT 1 AS id"], "seller", ("sales", "public"),
         "sales.lines hides lines"),
        (["CREATE TABLE sales.others (id int)"], "seller", ("sales", "public"), ""),
        (["ALTER TABLE lines SET SCHEMA sales"], "seller", ("sales", "public"), ""),
        (["DROP TABLE sales.orders"], "seller", ("public", "sales"), ""),
    ],
)  # fmt: skip
def test_a_relation_that_the_running_release_finds_first(
    copies: Copies, changes: list[str], role: str, path: tuple[str, ...], hides: str
) -> None:
    with copies.fresh() as url:
        found = assess(url, [migration(*changes)], rows=ROWS, budget=1.0, role=role, path=path)
    told = [each for each in found.findings if " hides " in each.message]
    assert [each.message.partition(":")[0] for each in told] == ([hides] if hides else [])
    assert found.verdict == "staged" or not hides


def test_what_a_migration_makes_without_a_schema_is_made_where_production_would(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    with psycopg.connect(production) as connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id")
        own = connection.info.user
    made = f"CREATE SCHEMA {own}; CREATE TABLE IF NOT EXISTS orders (id int);"
    (tmp_path / "001.sql").write_text(made)

    found = of_files(Question(url=production, folder=scratch, budget=1.0), tmp_path).impact

    assert f"{own}.orders hides orders" in "".join(each.message for each in found.findings)


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ('"$user", public', ("$user", "public")),
        ('Sales, "a b", "x""y"', ("sales", "a b", 'x"y')),
        ("''", ()),
    ],
)
def test_where_a_role_looks_is_read_as_it_is_set(
    copies: Copies, setting: str, path: tuple[str, ...]
) -> None:
    with copies.fresh() as url:
        with psycopg.connect(url) as connection:
            database = connection.info.dbname
        executed(url, [f"ALTER DATABASE {database} SET search_path = {setting}"])
        assert search_path(url) == path
