"""How many fleets fit, and how many computers of a size they need: rows of data."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.errors import UsageError
from dayfly.machines.capacity import MB
from dayfly.machines.sizing import Bought, Fits, Need, Size, bought, fits, size_of

GB = 1024 * MB
WEB = Need(name="orders web", machines=2, memory=300 * MB, cpus=0.5)
WORKER = Need(name="orders worker", machines=1, memory=400 * MB, cpus=0.1)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2cpu,4GB=6.50", Size(cpus=2, memory=4 * GB, price=Decimal("6.50"))),
        ("0.5cpu,512MB", Size(cpus=0.5, memory=512 * MB)),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size: Size) -> None:
    assert size_of(text) == size
    assert str(size) == text.partition("=")[0]


@pytest.mark.parametrize(
    "text", ["", "2cpu", "4GB", "2cpu,4", "0cpu,4GB", "2cpu,0GB", "2cpu,4GB=", "2cpu,4GB=-1", "2,4"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size of a computer") as refused:
        size_of(text)
    assert "2cpu,4GB=6.50" in refused.value.hint


@pytest.mark.parametrize(
    ("needs", "memory", "cpus", "expected"),
    [
        ([WEB, WORKER], 2000, 4, Fits(memory=2, cpus=3)),
        ([WEB, WORKER], 999, 4, Fits(memory=0, cpus=3)),
        ([WEB], 60_000, 2, Fits(memory=100, cpus=2)),
        ([WEB], -5, 2, Fits(memory=0, cpus=2)),
        ([], 2000, 4, None),
    ],
)
def test_so_many_fleets_fit(
    needs: list[Need], memory: int, cpus: float, expected: Fits | None
) -> None:
    assert fits(needs, memory=memory * MB, cpus=cpus) == expected


def test_what_runs_out_first_is_named() -> None:
    assert (Fits(memory=3, cpus=9).first, Fits(memory=9, cpus=3).first) == ("memory", "CPU")
    assert Fits(memory=9, cpus=3).fleets == 3


@pytest.mark.parametrize(
    ("size", "fleets", "expected"),
    [
        ("1cpu,1GB", 1, Bought(count=2, most=2, first="memory")),
        ("1cpu,4GB", 1, Bought(count=2, most=2, first="CPU")),
        ("1cpu,1GB", 2, Bought(count=3, most=2, first="memory")),
        ("8cpu,32GB", 2, Bought(count=1, most=6, first="CPU")),
        ("1cpu,1GB", 1_000_000_000, Bought(count=1_500_000_000, most=2, first="memory")),
        ("2cpu,512MB", 1, "orders worker needs 400 MB, 256 MB are left"),
        ("0.4cpu,4GB", 1, "orders web takes 0.50 CPUs"),
    ],
)
def test_computers_of_a_size_hold_the_fleets(
    size: str, fleets: int, expected: Bought | str
) -> None:
    needs = [WORKER, WEB] if "512MB" in size else [WEB, WORKER]
    assert bought(needs, size_of(size), system=256 * MB, fleets=fleets) == expected


def test_a_month_is_paid_for_each() -> None:
    found = Bought(count=3, most=2, first="CPU")
    assert found.month(Decimal("6.50")) == Decimal("19.50")
    assert found.month(None) is None


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 900), st.floats(0.01, 1)), max_size=4),
    st.integers(1, 3),
)
def test_as_many_machines_as_are_wanted_find_a_place(
    rows: list[tuple[int, int, float]], fleets: int
) -> None:
    """Never fewer computers than the sums ask for, never more than machines."""
    needs = [
        Need(name="a", machines=count, memory=memory * MB, cpus=cpus)
        for count, memory, cpus in rows
    ]
    found = bought(needs, Size(cpus=1, memory=GB), system=100 * MB, fleets=fleets)
    assert isinstance(found, Bought)
    machines = fleets * sum(need.machines for need in needs)
    memory = fleets * sum(need.machines * need.memory for need in needs)
    assert found.count <= machines <= found.count * found.most
    assert found.count * 924 * MB >= memory


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 900), st.integers(1, 64)), max_size=4),
    st.integers(1, 5),
)
def test_each_machine_has_the_first_computer_with_room(
    rows: list[tuple[int, int, int]], fleets: int
) -> None:
    """The largest first, and one by one as a person would do it."""
    needs = [
        Need(name="a", machines=count, memory=memory * MB, cpus=part / 64)
        for count, memory, part in rows
    ]
    largest = sorted(needs, key=lambda need: max(need.memory / (924 * MB), need.cpus), reverse=True)
    each = [need for need in largest for _ in range(need.machines * fleets)]
    computers = list[list[Need]]()
    for need in each:
        held = next((held for held in computers if has_room(held, need)), None)
        computers.append([need]) if held is None else held.append(need)

    found = bought(needs, Size(cpus=1, memory=GB), system=100 * MB, fleets=fleets)
    assert isinstance(found, Bought)
    assert (found.count, found.most) == (len(computers), max(map(len, computers), default=0))


def has_room(held: list[Need], need: Need) -> bool:
    both = [*held, need]
    memory, cpus = sum(need.memory for need in both), sum(need.cpus for need in both)
    return memory <= 924 * MB and cpus <= 1
