"""How long a statement takes by the width of rows, the method of an index, and what it calls."""

import pytest

from copies import Copies, migration
from dayfly.database.figures import Figures, Values
from dayfly.database.impact.assess import assess
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE docs (id int, body text, tags jsonb, during int4range)",
    (
        "CREATE FUNCTION fine(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql "
        "AS 'BEGIN RETURN length($1) > 0; END'"
    ),
    "INSERT INTO docs SELECT i, 'word', '{}', int4range(i, i + 1) FROM generate_series(1, 3) i",
)
WIDE = Figures(
    width=200,
    beside=3000,
    values={name: Values(width=width, distinct=-1) for name, width in (("tags", 5), ("body", 18))},
)
ROWS = 30_000
FOUND = (
    "ALTER TABLE docs ADD found tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED"
)


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


def seconds(copies: Copies, text: str, known: Figures) -> float:
    with copies.fresh() as url:
        found = assess(
            url,
            [migration(text)],
            rows={"docs": ROWS},
            budget=0.1,
            figures={"public.docs": known},
        )
    return sum((each.blocked_ms or 0) / 1000 for each in found.findings if each.kind == "blocks")


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (FOUND, 25, 100),
        ("CREATE INDEX i ON docs USING gin (to_tsvector('english', body))", 30, 120),
        ("CREATE INDEX i ON docs (fine(body))", 7, 30),
        ("ALTER TABLE docs ALTER id TYPE bigint", 1, 6),
        ("ALTER TABLE docs ADD EXCLUDE USING gist (during WITH &&)", 2, 40),
        ("CREATE INDEX i ON docs USING gin (tags)", 0, 0.5),
        ("CREATE INDEX i ON docs (id)", 0, 0.2),
        ("CREATE INDEX i ON docs USING brin (id)", 0, 0.2),
        ("ALTER TABLE docs ADD CHECK (id > 0)", 0, 0.2),
    ],
)
def test_of_long_rows(copies: Copies, text: str, least: float, most: float) -> None:
    assert least <= seconds(copies, text, WIDE) <= most


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX i ON docs (id)",
        "CREATE INDEX i ON docs (lower(body))",
        "ALTER TABLE docs ALTER id TYPE bigint",
        "CREATE INDEX i ON docs USING gin (tags)",
    ],
)
def test_of_narrow_ones(copies: Copies, text: str) -> None:
    assert seconds(copies, text, Figures()) < 1
