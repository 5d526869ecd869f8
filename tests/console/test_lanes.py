"""Where the locks of a migration lie in the drawing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.console.lanes import LANES, Drawing, drawing
from dayfly.console.words import milliseconds, size

ALL, WRITERS = "readers and writers", "writers"


def statement(ms: float | None, *locks: tuple[str, str]) -> dict[str, Any]:
    held = [{"table": table, "lock": "SHARE", "blocks": blocks} for table, blocks in locks]
    return {"migration": "0001", "statement": "ALTER TABLE x", "ms": ms, "locks": held}


def drawn(*transactions: list[dict[str, Any]], budget: float | None = 1.0) -> Drawing:
    return drawing([{"statements": each} for each in transactions], budget)


def bars(found: Drawing) -> dict[str, list[tuple[float, float]]]:
    return {
        lane.table: [(round(h.start, 1), round(h.start + h.length, 1)) for h in lane.held]
        for lane in found.lanes
    }


def test_a_lock_lasts_to_the_end_of_its_transaction() -> None:
    found = drawn(
        [statement(100, ("orders", ALL)), statement(100, ("lines", ALL))],
        [statement(200, ("orders", ALL))],
    )
    assert bars(found) == {"orders": [(0, 50.8), (50.8, 100)], "lines": [(25.4, 50.8)]}
    assert [(block.number, block.ms) for block in found.blocks] == [(1, 200), (2, 200)]


def test_a_lock_that_grows_is_a_bar_of_its_own() -> None:
    found = drawn([statement(50, ("orders", WRITERS)), statement(50, ("orders", ALL))])
    [lane] = found.lanes
    assert [(held.whom, held.ms) for held in lane.held] == [("writers", 50), ("all", 50)]
    assert found.legend == [("all", "readers and writers wait"), ("writers", "writers wait")]


@pytest.mark.parametrize(
    ("statements", "limits"),
    [
        ([statement(900, ("orders", ALL))], [None]),
        ([statement(2000, ("orders", ALL))], [50]),
        ([statement(2000, ("orders", ""))], [None]),
        ([statement(500, ("orders", WRITERS)), statement(1500, ("orders", ALL))], [None, 50.2]),
        ([statement(1500, ("orders", WRITERS)), statement(500, ("orders", ALL))], [49.5, 74.2]),
    ],
)
def test_the_line_stands_where_the_budget_is_used_up(
    statements: list[dict[str, Any]], limits: list[float | None]
) -> None:
    """Whoever waits, waits from the first lock on, not from a stronger one later."""
    found = drawn(statements)
    held = [held for lane in found.lanes for held in lane.held]
    assert [held.limit and round(held.limit, 1) for held in held] == pytest.approx(limits, abs=0.3)
    assert found.over == sum(limit is not None for limit in limits)


def test_what_takes_no_time_is_seen_beside_what_takes_an_hour() -> None:
    found = drawn([statement(0.2, ("orders", ALL))], [statement(3_600_000, ("lines", ""))])
    assert bars(found)["orders"] == [(0, 1.5)]
    assert [tick.label for tick in found.ticks] == ["0", "20 min", "40 min", "60 min"]


def test_time_that_nobody_knows_has_room_but_no_figure() -> None:
    found = drawn([statement(100, ("orders", ALL)), statement(None, ("orders", ""))], [])
    assert [held.ms for held in found.lanes[0].held] == [100, None]
    assert found.uncounted == 1
    assert drawn([statement(None, ("orders", ALL))]).ticks[0].label == "0"


def test_more_tables_than_lanes_leave_out_the_least() -> None:
    many = [statement(1, (f"t{n}", ALL if n % 2 else "")) for n in range(2 * LANES)]
    found = drawn(*[[one] for one in many])
    assert len(found.lanes) == len(found.hidden) == LANES
    assert {lane.worst.whom for lane in found.lanes} == {"all"}
    assert found.height < 2000


def test_nothing_to_draw() -> None:
    found = drawing([{"statements": [], "more": 3}], None)
    assert (found.lanes, found.blocks, found.more) == ((), (), 3)


STATEMENTS = st.builds(
    lambda ms, locks: statement(ms, *locks),
    st.none() | st.floats(0, 1e8),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([ALL, WRITERS, ""])), max_size=3
    ).map(lambda locks: list(dict(locks).items())),
)


@given(st.lists(st.lists(STATEMENTS, max_size=6), max_size=40), st.none() | st.floats(0, 1e4))
def test_everything_lies_inside(
    transactions: list[list[dict[str, Any]]], budget: float | None
) -> None:
    found = drawn(*transactions, budget=budget)
    edge = 100 + 1e-6
    for block in found.blocks:
        assert 0 <= block.start <= block.start + block.length <= edge
    for lane in found.lanes:
        for held in lane.held:
            assert 0 <= held.start <= held.start + held.length <= edge
            assert held.length > 0
            assert held.limit is None or held.start <= held.limit <= held.start + held.length
    assert all(0 <= tick.at <= edge for tick in found.ticks)
    assert len(found.ticks) <= 8


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "unknown"), (0, "< 1 ms"), (0.42, "0.4 ms"), (34.7, "35 ms"), (2500, "2.5 s"),
        (55_400, "55 s"), (180_000, "3 min"),
    ],
)  # fmt: skip
def test_an_estimate_has_few_digits(ms: float | None, shown: str) -> None:
    assert milliseconds(ms) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "—"),
        (812, "812 B"),
        (3_500_000, "3.3 MB"),
        (48_000_000, "46 MB"),
        (1024**4, "1.0 TB"),
    ],
)
def test_sizes(number: float | None, shown: str) -> None:
    assert size(number) == shown
