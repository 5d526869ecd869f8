"""When the demo may say that nothing was lost, although it kills a machine under load."""

import runpy
from pathlib import Path

import pytest

from dayfly.balancer.accesslog import Line, parse

compared = runpy.run_path(str(Path(__file__).parents[2] / "scripts/demo_counts.py"))["compared"]
KILLED, OTHER = "orders-2-web-1", "orders-2-web-2"


AT = 1000.0  # the machine was killed


def unanswered(after: float) -> dict[str, object]:
    """HAProxy says nothing of it."""
    return {"time": AT + after, "what": "closed without an answer"}


def post(status: int, server: str = OTHER) -> Line:
    end = "--" if status == 201 else "SH"
    found = parse(
        f"1 orders slot-001 {server} http ::1 POST {status} {end} 0 0 0 1 1 0 9 - /api/orders"
    )
    assert found
    return found


@pytest.mark.parametrize(
    ("failed", "seen", "rows", "agree"),
    [
        (0, [post(201), post(201)], 2, True),
        (0, [post(201)], 2, False),  # HAProxy did not see what the client was told
        (0, [post(201), post(201)], 1, False),  # an order is gone
        (0, [post(201), post(201)], 3, False),  # an order came twice
        (1, [post(201), post(201), post(502, KILLED)], 2, True),
        (1, [post(201), post(201), post(502, KILLED)], 3, True),  # stored, not answered
        (1, [post(201), post(201), post(502, KILLED)], 4, False),
        (1, [post(201), post(201), post(502)], 2, False),  # nobody killed that machine
        (1, [post(201), post(201)], 2, False),
    ],
)
def test_only_requests_on_the_killed_machine_may_fail(
    failed: int, seen: list[Line], rows: int, agree: bool
) -> None:
    load = {"created": 2, "failed": failed, "uncertain": failed, "failures": []}

    told, agreed = compared(load, seen, rows, KILLED, AT)

    assert agreed is agree
    assert ("The three agree" in told) is agree


@pytest.mark.parametrize(
    ("after", "rows", "agree"),
    [(0.01, 2, True), (0.01, 3, True), (0.01, 4, False), (-0.5, 2, False), (3.0, 2, False)],
)
def test_a_request_that_haproxy_leaves_to_its_client_was_on_the_killed_machine_then(
    after: float, rows: int, agree: bool
) -> None:
    load = {"created": 2, "failed": 1, "uncertain": 1, "failures": [unanswered(after)]}

    _, agreed = compared(load, [post(201), post(201)], rows, KILLED, AT)

    assert agreed is agree
