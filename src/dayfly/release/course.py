"""Which way a release takes, decided from what it was found to do to the database."""

from collections.abc import Mapping
from typing import Any, Literal

from dayfly.database.impact.finding import DOWNTIME, NONE, ONLINE

Course = Literal["beside", "held", "window"]

BESIDE: Course = "beside"  # migrated while the outgoing fleet serves
HELD: Course = "held"  # the same, and new requests wait for that moment at the balancer
WINDOW: Course = "window"  # nobody is served meanwhile
UNASSESSED = "unassessed"  # nobody looked: the app has no migrations

_MS = 1000


def course_of(
    found: Mapping[str, Any], *, hold: float, despite: bool, downtime: bool
) -> Course | None:
    """None where it has to be refused.

    `hold`: seconds for which requests may be held; `despite`: somebody takes the consequences;
    `downtime`: somebody allows it, in a window or now.
    """
    if despite or found["verdict"] in (NONE, ONLINE, UNASSESSED):
        return BESIDE
    if any(each["kind"] == "fails" for each in _deciding(found)):
        return None  # no window helps what does not work
    if downtime:
        return WINDOW
    return HELD if _only_blocks(found) and _seconds(found) <= hold else None


def _only_blocks(found: Mapping[str, Any]) -> bool:
    """For a while that is known, and it can be ended at any moment without a trace."""
    return bool(found["migrating"]["whole"]) and all(
        each["kind"] == "blocks" and each["verdict"] == DOWNTIME and each["blocked_ms"] is not None
        for each in _deciding(found)
    )


def _deciding(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in found["findings"] if each["verdict"] not in (NONE, ONLINE)]


def _seconds(found: Mapping[str, Any]) -> float:
    """From the start of the migrate command to its end, on production's rows."""
    waits: float = sum(each["blocked_ms"] for each in found["findings"] if each["kind"] == "blocks")
    return float(found["migrating"]["seconds"]) + waits / _MS
