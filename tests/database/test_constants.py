"""Constants that statements put into columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.impact.telling.constants import puts


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("INSERT INTO t VALUES (1, 'x''y')", [{"a": "1", "b": "'x''y'"}]),
        ('INSERT INTO s."T" ("b", a) VALUES (-1, E\'x\'::text), (2, $$y$$) RETURNING a',
         [{"b": "-1", "a": "E'x'::text"}, {"b": "2", "a": "$$y$$"}]),
        ("INSERT INTO t (a, b) OVERRIDING SYSTEM VALUE VALUES (NULL, now()), (DEFAULT, (1))",
         [{}, {}]),
        ("INSERT INTO t (a, b) VALUES (f(1, 2), ARRAY[1, 2]), (1, 2)", [{}, {"a": "1", "b": "2"}]),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", []),
        ("INSERT INTO t SELECT 1, 2", []),
        ("UPDATE t SET a = 1, b = lower('X') WHERE c = 3 RETURNING a", [{"a": "1"}]),
        ("UPDATE t SET a = 1", []),
        ("UPDATE t SET a = 1 FROM u WHERE t.b = u.b", []),
        ("DELETE FROM t WHERE a = 1", []),
    ],
)  # fmt: skip
def test_what_a_statement_puts_where(text: str, rows: list[dict[str, str]]) -> None:
    assert list(puts(text, ["a", "b"]).rows) == rows


def test_which_rows_are_changed() -> None:
    found = puts("UPDATE ONLY t AS o SET a = 1 WHERE o.b = 'x' RETURNING a", [])
    assert (found.target, found.where) == ("ONLY t AS o ", " o.b = 'x' ")


@given(
    st.sampled_from(["INSERT INTO t ", "UPDATE t SET "]),
    st.text("VALUES where(),=a1'[] returning", max_size=60),
)
def test_any_statement_is_read(begin: str, rest: str) -> None:
    assert puts(begin + rest, ["a"]).rows is not None
