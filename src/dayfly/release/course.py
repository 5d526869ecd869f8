"""Which way a release takes, decided from what it was found to do to the database."""

from collections.abc import Mapping
from typing import Any, Literal

from dayfly.database.impact.finding import DOWNTIME, NONE, ONLINE
from dayfly.release.found import UNASSESSED

Course = Literal["beside", "held", "window"]

BESIDE: Course = "beside"  # migrated while the outgoing fleet serves
HELD: Course = "held"  # the same, and new requests wait for that moment at the balancer
WINDOW: Course = "window"  # nobody is served meanwhile


def course_of(
    found: Mapping[str, Any], *, hold: float, despite: bool, downtime: bool
) -> Course | None:
    """None where it has to be refused.

    `hold`: seconds for which requests may be held; `despite`: somebody takes the consequences;
    `downtime`: somebody allows it, in a window or now.
    """
    if despite or found["verdict"] in (NONE, ONLINE, UNASSESSED):
        return BESIDE
    if any(each["kind"] == "fails" for each in deciding(found)):
        return None  # no window helps what does not work
    if downtime:
        return WINDOW
    lasts = found["migrating"]["seconds"]
    return HELD if _only_blocks(found) and lasts is not None and lasts <= hold else None


def forbidding(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Why what a release has left out must not run while it serves, worst first.

    Nothing older is there that could break, and what is lost is preserved before.
    """
    decide = ("fails", "unknown", "blocks")
    return [each for each in deciding(found) if each["kind"] in decide]


def _only_blocks(found: Mapping[str, Any]) -> bool:
    """For a while that is known, and it can be ended at any moment without a trace."""
    return bool(found["migrating"]["whole"]) and all(
        each["kind"] == "blocks" and each["verdict"] == DOWNTIME and each["blocked_ms"] is not None
        for each in deciding(found)
    )


def deciding(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings for which a release does not simply go on."""
    return [each for each in found["findings"] if each["verdict"] not in (NONE, ONLINE)]
