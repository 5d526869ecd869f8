"""Which way a release takes, as rows of data."""

from typing import Any

import pytest

from dayfly.release.course import course_of, forbidding

BLOCKS = {"kind": "blocks", "verdict": "downtime", "blocked_ms": 2000}
SHORT = {"kind": "blocks", "verdict": "online", "blocked_ms": 300}
UNKNOWN_TIME = {**BLOCKS, "blocked_ms": None}
LOSES = {"kind": "loses", "verdict": "staged", "blocked_ms": 0}
FAILS = {"kind": "fails", "verdict": "staged", "blocked_ms": 0}
UNKNOWN = {"kind": "unknown", "verdict": "downtime", "blocked_ms": 0}


def found(
    verdict: str, *findings: dict[str, Any], seconds: float | None = 2.2, whole: bool = True
) -> dict[str, Any]:
    migrating = {"seconds": seconds, "whole": whole}
    return {"verdict": verdict, "findings": list(findings), "migrating": migrating}


@pytest.mark.parametrize(
    ("what", "hold", "wish", "course"),
    [
        ({"verdict": "unassessed"}, 5, "", "beside"),
        (found("none"), 5, "", "beside"),
        (found("online", SHORT), 5, "downtime", "beside"),  # allowed, and not needed
        (found("staged", LOSES), 5, "", None),
        (found("staged", LOSES), 5, "despite", "beside"),
        (found("staged", LOSES), 5, "downtime", "window"),
        (found("downtime", BLOCKS), 5, "", "held"),
        (found("downtime", BLOCKS), 5, "downtime", "window"),
        (found("downtime", BLOCKS), 2, "", None),  # all of it counts, and not only what blocks
        (found("downtime", BLOCKS), 0, "", None),
        (found("downtime", BLOCKS, seconds=5.5), 5, "", None),
        (found("downtime", BLOCKS, BLOCKS, BLOCKS), 5, "", "held"),  # of three tables at once
        (found("downtime", BLOCKS, seconds=None), 5, "", None),
        (found("downtime", UNKNOWN_TIME), 5, "", None),
        (found("downtime", BLOCKS, whole=False), 5, "", None),
        (found("downtime", BLOCKS, LOSES), 5, "", None),
        (found("downtime", UNKNOWN), 5, "", None),
        (found("staged", FAILS), 5, "downtime", None),
        (found("staged", FAILS), 5, "despite", "beside"),
        (found("downtime", BLOCKS, SHORT), 5, "", "held"),
    ],
)
def test_a_release_takes(what: dict[str, Any], hold: float, wish: str, course: str | None) -> None:
    despite, downtime = wish == "despite", wish == "downtime"

    assert course == course_of(what, hold=hold, despite=despite, downtime=downtime)


BREAKS = {"kind": "breaks", "verdict": "staged", "blocked_ms": 0}
REFUSED_ROWS = {"kind": "fails", "verdict": "online", "blocked_ms": 0}


@pytest.mark.parametrize(
    ("what", "forbids"),
    [
        (found("none"), []),
        (found("staged", LOSES, BREAKS, SHORT), []),
        (found("downtime", BLOCKS, LOSES), [BLOCKS]),
        (found("staged", FAILS, BREAKS), [FAILS]),
        (found("downtime", UNKNOWN), [UNKNOWN]),
        (found("online", REFUSED_ROWS), []),
    ],
)
def test_what_was_left_out_must_not_run_while_its_release_serves(
    what: dict[str, Any], forbids: list[dict[str, Any]]
) -> None:
    assert forbidding(what) == forbids
