"""Rows of production that a migration would clash with: it is asked for them, and told of them."""

import pytest

from copies import Copies, migration
from dayfly.database.impact.assess import Impact, assess
from dayfly.database.impact.questions import asker
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE events (id int, day date) PARTITION BY RANGE (day)",
    "CREATE TABLE events_rest PARTITION OF events DEFAULT",
    "CREATE TABLE elsewhere (id int, day date)",
    "CREATE TABLE bookings (room int4range, during tsrange, gone boolean DEFAULT false)",
    "CREATE TABLE plans (id int PRIMARY KEY, name text UNIQUE, code text, land text)",
    "CREATE UNIQUE INDEX ON plans (code, land)",
)
ROWS = (
    "INSERT INTO events VALUES (1, '2027-03-03'), (2, '2029-03-03')",
    "INSERT INTO elsewhere VALUES (1, '2030-01-01'), (2, '2031-01-01')",
    "INSERT INTO bookings VALUES ('[1,2)', '[2025-01-01,2025-01-03)')",
    "INSERT INTO bookings VALUES ('[1,2)', '[2025-01-02,2025-01-04)')",
    "INSERT INTO plans VALUES (1, 'free', 'f', 'de'), (2, 'pro', 'p', 'de')",
)
COUNTED = {"events": 2, "events_rest": 2, "elsewhere": 2, "bookings": 2, "plans": 2}
E27 = "CREATE TABLE e27 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')"
E28 = "CREATE TABLE e28 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')"
E30 = "ALTER TABLE events ATTACH PARTITION elsewhere FOR VALUES FROM ('2030-01-01') TO "
MOVED = (
    "CREATE TABLE e27 (LIKE events)",
    "WITH moved AS (DELETE FROM events_rest RETURNING *) INSERT INTO e27 SELECT * FROM moved",
    "ALTER TABLE events ATTACH PARTITION e27 FOR VALUES FROM ('2027-01-01') TO ('2030-01-01')",
)
EXCLUDED = "EXCLUDE USING gist (room WITH &&, during WITH &&)"


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


def impact(copies: Copies, *changes: str, rows: tuple[str, ...] = ROWS) -> Impact:
    with (
        copies.fresh(*rows) as production,
        copies.fresh() as url,
        asker(production, seconds=5) as ask,
    ):
        return assess(url, [migration(*changes)], rows=COUNTED, budget=1.0, ask=ask)


def failing(found: Impact) -> list[str]:
    return [each.message for each in found.findings if each.kind == "fails"]


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ((E27,), "1 rows in events_rest that its new bounds refuse"),
        ((E28,), ""),
        ((E30 + "('2031-01-01')",), "1 rows in elsewhere that its new bounds refuse"),
        ((E30 + "('2032-01-01')",), ""),
        (MOVED, ""),
        ((f"ALTER TABLE bookings ADD {EXCLUDED}",), f"some rows that exclude others: {EXCLUDED}"),
        ((f"ALTER TABLE bookings ADD {EXCLUDED} WHERE (gone)",), ""),
    ],
)
def test_rows_that_a_new_partition_or_exclusion_refuses(
    copies: Copies, changes: tuple[str, ...], refused: str
) -> None:
    found = impact(copies, *changes)
    assert failing(found) == ([f"will fail: production has {refused}"] if refused else [])
    assert {each.statement for each in found.findings if each.kind == "fails"} <= {changes[-1]}


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        (["INSERT INTO plans (id, name) VALUES (3, 'free')"], "name"),
        (["INSERT INTO plans (id, name) VALUES (3, 'gold'), (4, 'pro')"], "name"),
        (["INSERT INTO plans VALUES (2, 'gold')"], "id"),
        (["INSERT INTO plans (id, land, code) VALUES (3, 'de', 'f')"], "code, land"),
        (["ALTER TABLE plans RENAME name TO title",
          "INSERT INTO plans (id, title) VALUES (3, 'free')"], "name"),
        (["UPDATE plans SET name = 'pro' WHERE id = 1"], "name"),
        (["UPDATE plans SET name = 'gold' WHERE id > 0"], "name"),
        (["INSERT INTO plans (id, name) VALUES (3, 'gold'), (4, NULL)"], ""),
        (["INSERT INTO plans (id, land, code) VALUES (3, 'at', 'f')"], ""),
        (["INSERT INTO plans (id, name) VALUES (1 + 2, lower('FREE'))"], ""),
        (["INSERT INTO plans (id, name) VALUES (3, 'free') ON CONFLICT DO NOTHING"], ""),
        (["DELETE FROM plans WHERE id = 1", "INSERT INTO plans (id, name) VALUES (3, 'free')"], ""),
        (["SELECT id FROM plans WHERE name = 'free'",
          "INSERT INTO plans (id, name) VALUES (3, 'free')"], ""),
        (["ALTER TABLE plans DROP CONSTRAINT plans_name_key",
          "INSERT INTO plans (id, name) VALUES (3, 'free')"], ""),
        (["UPDATE plans SET name = 'pro' WHERE id = 2"], ""),
        (["UPDATE plans SET name = 'pro' WHERE id = 7"], ""),
    ],
)  # fmt: skip
def test_values_of_unique_columns_that_production_has_already(
    copies: Copies, changes: list[str], taken: str
) -> None:
    found = impact(copies, *changes)
    told = f"will fail: what it puts into {taken} of plans is there already, in 1 rows"
    assert failing(found) == ([told] if taken else [])
    assert found.verdict in ("staged", "downtime") or not taken
