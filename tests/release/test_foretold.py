"""What is said before a release with downtime goes on, and what its receipt says of the time."""

from typing import Any

import pytest

from dayfly.balancer.accesslog import Traffic
from dayfly.events import Event
from dayfly.release.foretold import foretold
from dayfly.release.receipt import receipt

BLOCKS = {"kind": "blocks", "table": "orders", "rows": 1204332, "blocked_ms": 55_000}
LOSES = {"kind": "loses", "table": "orders", "rows": 1204332, "blocked_ms": 0}
UNKNOWN = {"kind": "unknown", "table": "", "rows": None, "blocked_ms": 0}
NOTE = {"schema": "public", "table": "orders", "columns": ["note", "cents"]}
WHOLE = {"schema": "shop", "table": "audit", "columns": None}


def found(
    *findings: dict[str, Any],
    state: str = "closed",
    preserve: tuple[dict[str, Any], ...] = (),
    why: str | None = "",
    partly: bool = False,
    unlike: tuple[str, ...] = (),
    seconds: float | None = 1.5,
) -> dict[str, Any]:
    return {
        "findings": findings,
        "rollback": {"state": state, "loses": []},
        "preserve": preserve,
        "restoration": None
        if why is None
        else {"statements": [], "why": why, "partly": partly, "unlike": unlike},
        "migrating": {"seconds": seconds, "whole": True},
    }


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (
            found(BLOCKS, state="proven", why=None, seconds=56.5),
            [
                "downtime: its migration is expected to take about 56.5 s",
                (
                    "if it fails after its migration, the schema stays migrated, "
                    "and the outgoing release works on it"
                ),
            ],
        ),
        (
            found(BLOCKS, state="proven", why=None, seconds=None),
            [
                "downtime: nobody knows for how long its migration takes",
                (
                    "if it fails after its migration, the schema stays migrated, "
                    "and the outgoing release works on it"
                ),
            ],
        ),
        (
            found(LOSES, preserve=(NOTE, WHOLE)),
            [
                "downtime: its migration is expected to take about 1.50 s",
                (
                    "before its migration it preserves orders.note, orders.cents "
                    "(about 1,204,332 rows), shop.audit"
                ),
                (
                    "if it fails after its migration, schema and data go back as they were: "
                    "that was tried on a copy"
                ),
            ],
        ),
        (
            found(LOSES, preserve=(NOTE,), unlike=("the order of the columns is b, a",)),
            [
                "downtime: its migration is expected to take about 1.50 s",
                (
                    "before its migration it preserves orders.note, orders.cents "
                    "(about 1,204,332 rows)"
                ),
                (
                    "if it fails after its migration, schema and data go back as they were, but "
                    "the order of the columns is b, a: that was tried on a copy"
                ),
            ],
        ),
        (
            found({**BLOCKS, "blocked_ms": None}, preserve=(), why="the grants of a role"),
            [
                "downtime: nobody knows for how long its migration blocks orders",
                "before its migration it preserves the schema",
                (
                    "if it fails after its migration it cannot be undone: the grants of a role; "
                    "the app stays closed until a release fits it"
                ),
            ],
        ),
        (
            found({**BLOCKS, "blocked_ms": None}),
            [
                "downtime: nobody knows for how long its migration blocks orders",
                "before its migration it preserves the schema; no values are lost",
                (
                    "if it fails after its migration, schema and data go back as they were: "
                    "that was tried on a copy"
                ),
            ],
        ),
        (
            found(UNKNOWN, why="what it does to rows is not known", partly=True),
            [
                "downtime: how long its migration takes is not known",
                "before its migration it preserves the schema",
                (
                    "if it fails after its migration, the schema and what was preserved go back, "
                    "but not all may: what it does to rows is not known"
                ),
            ],
        ),
        (
            found(UNKNOWN, why=None),
            [
                "downtime: how long its migration takes is not known",
                (
                    "if it fails after its migration it cannot be undone: nothing of it can be "
                    "preserved; the app stays closed until a release fits it"
                ),
            ],
        ),
    ],
)
def test_what_downtime_costs_is_said_before(what: dict[str, Any], says: list[str]) -> None:
    assert foretold(what) == says


def step(kind: str, name: str, at: float, **data: object) -> Event:
    return Event(time=at, kind=f"step.{kind}", release=7, data={"step": name, **data})


def test_a_receipt_tells_the_course_and_how_long_it_took() -> None:
    events = [
        Event(time=0.0, kind="course", data={"course": "window"}),
        step("intended", "close", 1.0),
        step("done", "close", 1.1, outcome="done"),
        step("done", "open", 3.0, outcome="failed"),
        step("done", "open", 13.5, outcome="done"),
    ]
    told = receipt(events, Traffic())
    assert (told["course"], told["closed_seconds"]) == ("window", 12.5)
    assert told["held_seconds"] is None
    assert receipt(events[:3], Traffic())["closed_seconds"] is None
    held = receipt([Event(time=0.0, kind="held", data={"seconds": 2.9})], Traffic())
    assert held["held_seconds"] == 2.9
