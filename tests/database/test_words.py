"""What is read off the text of a statement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.impact.words import (
    asks_for_nulls,
    fills_nulls_only,
    first_word,
    lists,
    mentions,
    set_columns,
    shape,
    tokens,
    without_literals,
)

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name.upper() not in ("SET", "FROM", "WHERE", "RETURNING")
)
STRINGS = st.text(st.characters(exclude_characters="\0\\"), max_size=20).map(
    lambda text: "'" + text.replace("'", "''") + "'"
)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("UPDATE orders SET note = 'a, b = c' WHERE id = 1", ("note",)),
        ("update orders o set note = f(1, 2), amount = amount + 1 from x", ("note", "amount")),
        ('UPDATE "orders" SET ("Note", amount) = (SELECT a, b FROM c) WHERE x', ("Note", "amount")),
        ("/* why */ UPDATE orders -- so\nSET note = $$x = 1, y$$", ("note",)),
        ("UPDATE orders SET tags[1] = 'x'", ("tags",)),
        ("INSERT INTO orders VALUES (1) ON CONFLICT DO UPDATE SET note = ''", ("note",)),
        ("INSERT INTO orders VALUES (1) ON CONFLICT DO NOTHING", ()),
        ("WITH x AS (SELECT 1) UPDATE orders SET note = ''", ("note",)),
        ("WITH x AS (UPDATE orders SET note = '' RETURNING id) SELECT id FROM x", ()),
    ],
)
def test_the_columns_that_an_update_sets(text: str, columns: tuple[str, ...]) -> None:
    assert set_columns(text) == columns


@pytest.mark.parametrize(
    ("where", "only"),
    [
        ("note IS NULL", True),
        ("orders.note IS NULL AND id < 5", True),
        ("other.note IS NULL AND id < 5", False),
        ("NOT (note IS NULL)", False),
        ("id IN (SELECT id FROM other WHERE note IS NULL)", False),
        ("id < 5 AND note is null", True),
        ("note IS NULL OR id = 3", False),
        ("note IS NOT NULL", False),
        ("other_note IS NULL", False),
        ("note IS NULL IS FALSE", False),
        ("(note IS NULL) = false", False),
        ("x = (note IS NULL)", False),
        ("id BETWEEN 1 AND note IS NULL", False),
        ("((id < 5) AND (orders.note IS NULL)) RETURNING id", True),
        ("id BETWEEN 1 AND 5 AND note IS NULL", True),
    ],
)
def test_an_update_that_only_fills_nulls_is_told_from_one_that_overwrites(
    where: str, only: bool
) -> None:
    assert fills_nulls_only(f"UPDATE orders SET note = '' WHERE {where}", ("note",)) is only


@pytest.mark.parametrize(
    ("query", "only"),
    [
        ("SELECT count(*) FROM orders WHERE note IS NULL", True),
        ('SELECT 1 AS "a" FROM "orders" WHERE "orders"."note" IS NULL LIMIT 1', True),
        ("SELECT count(*) FROM orders", False),
        ("SELECT count(*) FROM orders WHERE note IS NULL AND id < 5", False),
        ("SELECT count(*) FROM orders WHERE note IS NULL OR id = 1", False),
        ("SELECT count(*) FROM orders WHERE note IS NOT NULL", False),
        ("SELECT count(*) FROM orders WHERE other IS NULL", False),
        ("SELECT count(*) FROM orders WHERE id IN (SELECT id FROM x WHERE note IS NULL)", False),
    ],
)
def test_a_query_for_rows_that_were_left_out_is_told_from_others(query: str, only: bool) -> None:
    assert asks_for_nulls(query, frozenset({"note"})) is only


@given(st.lists(st.tuples(NAMES, STRINGS), min_size=1, max_size=5))
def test_whatever_the_values_are_the_columns_are_found(pairs: list[tuple[str, str]]) -> None:
    assigned = ", ".join(f"{name} = {value}" for name, value in pairs)
    assert set_columns(f"UPDATE t SET {assigned} WHERE true") == tuple(name for name, _ in pairs)


@given(st.text(max_size=200))
def test_any_text_is_read_without_complaint(text: str) -> None:
    list(tokens(text))
    set_columns(text)
    fills_nulls_only(text, ("a",))
    asks_for_nulls(text, frozenset({"a"}))
    without_literals(text)
    lists(text)
    first_word(text)
    shape(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SELECT a FROM t WHERE id = 1", "select a from t where id=22", True),
        ("SELECT a FROM t WHERE b IN ('x')", "SELECT a FROM t WHERE b IN ('y', 'z', 'q')", True),
        ("SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE b = 1", False),
    ],
)
def test_statements_of_one_shape(one: str, other: str, same: bool) -> None:
    assert (shape(one) == shape(other)) is same


@given(STRINGS, STRINGS)
def test_lists_of_constants_are_compared_without_them(one: str, other: str) -> None:
    few, more = (f"x = ANY (ARRAY[{items}])" for items in (one, f"{one}, {other}"))
    assert without_literals(few) == without_literals(more)
    [had], [has] = lists(few), lists(more)
    assert had <= has


def test_a_name_is_found_as_a_word_only() -> None:
    assert mentions('DELETE FROM "Orders"', "orders")
    assert not mentions("DELETE FROM orders_old", "orders")
