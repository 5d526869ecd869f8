"""Which pattern of errors that is new moves the traffic back, and how that is said."""

from typing import Any

import pytest

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import matches
from dayfly.logs.query.parse import parse
from dayfly.logs.query.written import text
from dayfly.logs.record import Record
from dayfly.release.newerrors import SHOWN, said, wanted, worst


def patterns(*counts: int) -> list[dict[str, Any]]:
    return [{"count": count, "pattern": f"pattern {count}"} for count in counts]


@pytest.mark.parametrize(
    ("found", "limit", "breach"),
    [
        ([], 1, None),
        (patterns(1), 1, 1),
        (patterns(2, 1), 3, None),
        (patterns(3, 9, 4), 3, 9),
    ],
)
def test_the_most_frequent_is_named(
    found: list[dict[str, Any]], limit: int, breach: int | None
) -> None:
    row = worst(found, limit)

    assert (row and row["count"]) == breach


@pytest.mark.parametrize(
    ("count", "pattern", "says"),
    [
        (1, "no route to <ip>", "an error is new in the logs, once: no route to <ip>"),
        (12, "\nTraceback\n  File", "an error is new in the logs, 12 times: Traceback"),
        (2, " ", "an error is new in the logs, 2 times: "),
        (2, "x" * 500, f"an error is new in the logs, 2 times: {'x' * (SHOWN - 1)}…"),
    ],
)
def test_how_a_person_is_told(count: int, pattern: str, says: str) -> None:
    assert said({"count": count, "pattern": pattern}) == says


@pytest.mark.parametrize(
    ("level", "stream", "counts"),
    [
        ("", "stdout", False),
        ("debug", "stdout", False),
        ("info", "stdout", False),
        ("warning", "stdout", False),
        ("error", "stdout", True),
        ("critical", "stderr", True),
        ("error", "access", False),
    ],
)
def test_which_lines_are_errors(level: str, stream: str, counts: bool) -> None:
    asked = parse(text(tree.Query(wanted("shop")))).where
    record = Record(time=1, message="m", app="shop", level=level, stream=stream)

    assert matches(asked, record) == counts
