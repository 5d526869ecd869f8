"""What a verdict says of bridges, and whether it was seen that they hold."""

import json

import pytest

from copies import Copies, executed, migration
from dayfly.database.impact.assess import Impact, assess
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE orders (id serial PRIMARY KEY, note text NOT NULL DEFAULT 'none')",
    "CREATE TABLE visits (d date NOT NULL DEFAULT '2020-01-01', k int) PARTITION BY RANGE (d)",
    "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    "INSERT INTO orders DEFAULT VALUES",
    "INSERT INTO visits DEFAULT VALUES",
)
AS_DJANGO = (
    "ALTER TABLE orders ADD COLUMN x int DEFAULT 7 NOT NULL",
    "ALTER TABLE orders ALTER COLUMN x DROP DEFAULT",
)
COUNTS_TRIGGERS = """
    DO $$ BEGIN
        EXECUTE format('CREATE TABLE t (x%s int)', (SELECT count(*) FROM pg_trigger));
    END $$
"""


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    made = Copies.of(elsewhere, SCHEMA)
    made.role("keeper")
    return made


def tried(
    copies: Copies,
    *statements: str,
    role: str = "",
    first: tuple[str, ...] = (),
    alone: bool = False,
) -> Impact:
    with copies.fresh(*first) as url, copies.fresh(*first) as other:
        return assess(
            url,
            [migration(*statements, alone=alone)],
            rows=dict.fromkeys(("orders", "visits", "visits_1"), 10),
            budget=1.0,
            role=role,
            again=lambda: other,
        )


@pytest.mark.parametrize(
    ("statements", "columns"),
    [
        (AS_DJANGO, ["x"]),
        (("ALTER TABLE orders ALTER note DROP DEFAULT",), ["note"]),
        (("ALTER TABLE orders ALTER id DROP DEFAULT",), ["id"]),
        ((*AS_DJANGO, "CREATE TABLE z AS SELECT 1"), ["x"]),
        (
            ("ALTER TABLE visits ADD x int DEFAULT 7 NOT NULL",
             "ALTER TABLE visits ALTER x DROP DEFAULT"),
            ["x"],
        ),
    ],
)  # fmt: skip
def test_seen_to_hold(copies: Copies, statements: tuple[str, ...], columns: list[str]) -> None:
    impact = tried(copies, *statements)
    assert (impact.verdict, [bridge.column for bridge in impact.bridges]) == ("online", columns)


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (("ALTER TABLE visits ALTER d DROP DEFAULT",), "an insert into visits fails (23514)"),
        (
            (*AS_DJANGO, COUNTS_TRIGGERS),
            "the schema is not the same after it",
        ),
    ],
)  # fmt: skip
def test_what_is_seen_not_to_hold_is_staged(
    copies: Copies, statements: tuple[str, ...], why: str
) -> None:
    impact = tried(copies, *statements)
    assert (impact.verdict, impact.bridges) == ("staged", ())
    assert impact.findings[0].message.endswith(f"it was tried on a copy to keep it: {why}")


@pytest.mark.parametrize(
    ("later", "state"),
    [
        ("ALTER TABLE orders ALTER x TYPE bigint", "42804"),
        ("ALTER TABLE orders RENAME x TO y", "23502"),
    ],
)
def test_what_fails_for_a_moment_between_two_transactions_is_seen(
    copies: Copies, later: str, state: str
) -> None:
    impact = tried(copies, *AS_DJANGO, later, alone=True)
    assert impact.verdict == "staged"
    assert f"an insert into orders fails ({state})" in impact.findings[0].message
    assert tried(copies, *AS_DJANGO, later).verdict == "online", "in one transaction"


def test_who_migrates_needs_the_rights_for_it(copies: Copies) -> None:
    owned = ("ALTER TABLE orders OWNER TO keeper",)
    impact = tried(copies, *AS_DJANGO, role="keeper", first=owned)
    assert impact.verdict == "staged"
    assert "keeper may not create a function in the schema public" in impact.findings[0].message
    owned = (*owned, "GRANT CREATE ON SCHEMA public TO keeper")
    assert tried(copies, *AS_DJANGO, role="keeper", first=owned).verdict == "online"


def test_a_finding_shows_its_bridge(copies: Copies) -> None:
    impact = tried(copies, *AS_DJANGO)
    first, *_ = json.loads(json.dumps(impact.as_json()))["findings"]
    assert first["message"] == (
        "drops the default of orders.x, on which inserts of the outgoing release depend; "
        "Dayfly keeps it until that is retired"
    )
    assert first["bridge"] == {
        "schema": "public",
        "table": "orders",
        "column": "x",
        "default": "7",
        "keep": "ALTER TABLE public.orders ALTER COLUMN x SET DEFAULT 7",
        "drop": "ALTER TABLE public.orders ALTER COLUMN x DROP DEFAULT",
    }


def test_where_nobody_builds_it_the_finding_says_who_would(copies: Copies) -> None:
    impact = tried(copies, *AS_DJANGO).unbridged()
    assert (impact.verdict, impact.bridges) == ("staged", ())
    assert impact.findings[0].message.endswith(
        "it has to stay until that is retired; a release through Dayfly bridges this"
    )
    with copies.fresh() as url:
        executed(url, [*AS_DJANGO, *impact.findings[0].remedy.split(";")])
