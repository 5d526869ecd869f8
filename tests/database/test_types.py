"""Which changes of type the outgoing release survives, and which the values do."""

import pytest

from dayfly.database.impact.schema.types import bounds, keeps_values, length, widens


@pytest.mark.parametrize(
    ("old", "new", "fits", "kept"),
    [
        ("integer", "bigint", True, True),
        ("bigint", "integer", False, True),  # it fails rather than cuts
        ("integer", "text", False, True),
        ("integer", "numeric(4,0)", False, True),
        ("character varying(50)", "character varying(100)", True, True),
        ("character varying(50)", "character varying", True, True),
        ("character varying(50)", "text", True, True),
        ("character varying(50)", "character varying(20)", False, True),
        ("text", "character varying(20)", False, True),
        ("text", "character varying", True, True),
        ("character varying(50)[]", "character varying(60)[]", True, True),
        ("character varying(50)[]", "character varying(40)[]", False, False),
        ("numeric(10,2)", "numeric(12,2)", True, True),
        ("numeric(10,2)", "numeric(12,4)", True, True),
        ("numeric(10,2)", "numeric(10,4)", False, False),
        ("numeric(10,2)", "numeric", True, True),
        ("numeric", "numeric(10,2)", False, False),
        ("real", "double precision", True, True),
        ("double precision", "real", False, False),
        ("timestamp without time zone", "timestamp with time zone", False, False),
        ("timestamp(3) with time zone", "timestamp(6) with time zone", True, True),
        ("timestamp(6) with time zone", "timestamp(3) with time zone", False, False),
        ("timestamp with time zone", "date", False, False),
        ("text", "integer", False, False),
        ("json", "jsonb", False, False),
        ("jsonb", "json", False, False),
        ("json[]", "jsonb[]", False, False),
        ("integer[]", "bigint[]", False, True),  # = ARRAY[1] fails
        ("bigint[]", "integer[]", False, True),
        ("text[]", "character varying[]", False, True),
        ("integer[]", "bigint", False, False),
        ("order_status", "order_status", True, True),
        ("sales.status", "text", False, False),
    ],
)
def test_a_change_of_type(old: str, new: str, fits: bool, kept: bool) -> None:
    assert widens(old, new) is fits
    assert keeps_values(old, new) is kept


def test_what_a_type_can_hold() -> None:
    assert length("character varying(30)") == 30
    assert length("numeric(30)") is None
    assert bounds("smallint") == (-32768, 32767)
    assert bounds("text") is None
