"""Values that PostgreSQL accepts for its types."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from dayfly.database.shapes import shapes
from dayfly.database.synthetic import Type, candidates, inside, value

# Every type of PostgreSQL that a table is likely to have.
_TYPES = """bool int2 int4 int8 numeric numeric(5,2) numeric(2,2) float4 float8 money text varchar
    varchar(2) char char(3) name uuid date time timetz timestamp timestamptz interval bytea json
    jsonb jsonpath inet cidr macaddr macaddr8 bit bit(5) varbit varbit(3) tsvector tsquery xml point
    line lseg box path polygon circle int4range int8range numrange daterange tsrange tstzrange
    int4multirange datemultirange pg_lsn oid regclass text[] int4[] numeric(5,2)[] jsonb[] uuid[]
    timestamptz[] "char" """
TYPES = _TYPES.split()


@pytest.mark.postgres
def test_the_server_takes_them(production: str) -> None:
    with psycopg.connect(production) as connection:
        columns = ", ".join(f"c{at} {kind}" for at, kind in enumerate(TYPES))
        connection.execute(f"CREATE TABLE all_types ({columns})".encode())
        [shape] = shapes(connection).values()
        for number in (1, 2, 3):
            texts = [value(column.type, number) for column in shape.columns]
            literals = sql.SQL(", ").join(sql.Literal(text) for text in texts)
            connection.execute(sql.SQL("INSERT INTO all_types VALUES ({})").format(literals))


@given(st.sampled_from(["int4", "text", "uuid", "date", "timestamptz"]))
def test_different_rows_have_different_keys(name: str) -> None:
    assert len({value(Type(name=name, category="?"), number) for number in (1, 2, 3)}) == 3


@pytest.mark.parametrize(
    ("category", "rule", "expected"),
    [
        ("N", "CHECK ((price >= 500))", {"500", "501", "499"}),
        ("N", "CHECK ((share > 0.5))", {"1.5"}),
        ("S", "CHECK ((kind = ANY (ARRAY['web'::text, 'it''s'::text])))", {"web", "it's"}),
        ("S", "CHECK ((length(code) = 12))", {"x" * 12}),
        ("D", "CHECK ((day > '2030-05-01'::date))", {"2100-01-01"}),
    ],
)
def test_what_may_satisfy_a_check(category: str, rule: str, expected: set[str]) -> None:
    assert expected <= set(candidates(Type(name="", category=category), rule))


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ("FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')", {"a": "2023-01-01"}),
        ("FOR VALUES IN ('it''s', 'b')", {"a": "it's"}),
        ("FOR VALUES IN (NULL)", {"a": None}),
        ("FOR VALUES FROM (MINVALUE) TO (10)", None),
        ("FOR VALUES WITH (modulus 4, remainder 0)", {}),
        ("DEFAULT", {}),
    ],
)
def test_what_a_partition_takes(bound: str, expected: dict[str, str | None] | None) -> None:
    assert inside(bound, ["a"]) == expected
