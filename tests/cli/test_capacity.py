"""What a person is told of capacity, and what their sizes and prices come to."""

import json
from typing import Any

import pytest

from fake_server import FakeEnvironment
from fake_server.terminal import Terminal

MB = 1024**2
WEB = {
    "app": "orders", "release": 12, "process": "web", "machines": 2, "limit": None,
    "measured": {
        "seconds": 600.0, "memory": 70 * MB, "memory_most": 80 * MB, "cpus": 0.05,
        "cpus_most": 0.32, "cpus_rest": 0.004, "rate": 2.5, "rate_most": 41.0,
        "cpu_of_request": 0.012,
    },
}  # fmt: skip
WORKER = {**WEB, "process": "worker", "machines": 1, "limit": 200 * MB, "measured": None}
SIZES = ("--vm", "1cpu,512MB=4", "--vm", "1cpu,256MB=2", "--host", "4cpu,8GB=20.50")


@pytest.fixture(autouse=True)
def measured(environment: FakeEnvironment) -> dict[str, Any]:
    host = {"cpus": 2, "memory": 4096 * MB, "available": 2048 * MB, "besides": 1024 * MB}
    environment.capacity_ = {"every": 15.0, "host": host, "processes": [WEB, WORKER]}
    return environment.capacity_


def told(terminal: Terminal, *words: str) -> str:
    done = terminal.type("capacity", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_machines_take_and_how_many_fleets_fit(terminal: Terminal) -> None:
    said = told(terminal)
    row = said.splitlines()[1].split()
    assert row == ["orders", "12", "web", "2", "70", "MB", "80", "MB", "0.050", "0.004", "0.320"]
    assert "orders got 2.50 requests a second, 41.00 at most; each took 12 ms of CPU" in said
    assert "What is not measured yet counts with its declared memory" in said
    assert "This host has 2 CPUs and 4.0 GB; 2.0 GB of it are there for machines." in said
    # A quarter more than was measured: 2 of 100 MB and one of 200 MB, and 0.8 CPUs.
    assert "Fleets that fit at their busiest: 2 (a release needs 2" in said
    assert "CPU limits first (memory 5, CPU 2)." in said
    assert "For " not in said


def test_sizes_and_prices_stand_side_by_side(terminal: Terminal) -> None:
    said = told(terminal, *SIZES, "--currency", "EUR")
    assert "For 2 fleets:" in said
    rows = [line.split() for line in said.partition("a month EUR\n")[2].splitlines()]
    assert rows[0] == ["vm", "1cpu,512MB", "4", "2", "memory", "16.00"]
    assert rows[1] == ["vm", "1cpu,256MB", "-", "-", "-", "-"]
    assert rows[2] == ["host", "4cpu,8GB", "1", "6", "CPU", "20.50"]
    assert "1cpu,256MB is too small: orders web needs 100 MB, 0 MB are left" in said
    one = json.loads(told(terminal, *SIZES, "--fleets", "1", "--system", "128MB", "--json"))
    assert [(each["count"], each["month"]) for each in one["sizes"][:2]] == [(2, 8.0), (None, None)]
    assert one["sizes"][2]["system"] == 1024 * MB, "what this host takes besides machines"
    assert one["fits"] == {"memory": 5, "cpus": 2, "fleets": 2, "first": "CPU"}


def test_where_nothing_serves_nothing_is_measured(
    terminal: Terminal, measured: dict[str, Any]
) -> None:
    measured["processes"] = []
    assert told(terminal, *SIZES) == "Nothing serves, so nothing is measured.\n"
    assert json.loads(told(terminal, *SIZES, "--json"))["fits"] is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--vm", "2cpu"), "'2cpu' is no size of a computer"),
        (("--fleets", "0"), "--fleets 0: allowed is 1 and more"),
        (("--system", "much"), "--system much: allowed is a size"),
    ],
)
def test_what_is_typed_wrongly_is_told(
    terminal: Terminal, words: tuple[str, ...], says: str
) -> None:
    done = terminal.type("capacity", *words)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
