"""The receipt: what a release did and cost, in figures, read from its events."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from dayfly.balancer.accesslog import Traffic
from dayfly.events import Event, intends
from dayfly.release.alerts import ALERT
from dayfly.release.found import UNASSESSED
from dayfly.release.records import ReleaseRecord

_IMPACT = (
    "findings", "rollback", "preserve", "restoration", "pending", "contract", "later",
    "statements", "unfilled", "notes", "timeline", "budget", "seconds",
)  # fmt: skip


def receipt(events: Sequence[Event], traffic: Traffic) -> dict[str, Any]:
    """Everything that `dayfly receipt N --json` prints but what may still change (the outcome)."""
    told = {event.kind: dict(event.data) for event in events}
    return {
        "verdict": told.get("assessed", {}).get("verdict", UNASSESSED),
        "impact": {
            key: told["assessed"][key] for key in _IMPACT if key in told.get("assessed", {})
        },
        "course": told.get("course", {}).get("course"),
        "held_seconds": told.get("held", {}).get("seconds"),
        "closed_seconds": closed_seconds(events),
        "stages": [
            {key: event.data[key] for key in ("stage", "seconds", "outcome")}
            for event in events
            if event.kind == "stage.finished"
        ],
        "cutover_seconds": told.get("cutover", {}).get("seconds"),
        "traffic": asdict(traffic),
        "counters": told.get("counted"),
        "watch": told.get("watched"),
        "drain": told.get("drained"),
        "image": told.get("image.built"),
        "machines": [
            {key: event.data[key] for key in ("machine", "process", "address")}
            for event in events
            if event.kind == "machine.launched"
        ],
        "deaths": [dict(event.data) for event in events if event.kind == "machine.died"],
        "outputs": [dict(event.data) for event in events if event.kind == "archived"],
        "preserved": told.get("preserved"),
        "restored": [dict(event.data) for event in events if event.kind == "restored"],
        "notes": [event.data["message"] for event in events if event.kind in ("note", ALERT)],
    }


def closed_seconds(events: Iterable[Event]) -> float | None:
    """How long the app was closed; None where it was not, or is still."""
    began: float | None = None
    for event in events:
        did = (event.kind, event.data.get("step"), event.data.get("outcome"))
        if intends(event, "close"):
            began = event.time
        elif did == ("step.done", "open", "done") and began is not None:
            return round(event.time - began, 3)
    return None


def whole(record: ReleaseRecord) -> dict[str, Any]:
    """A release with its receipt, as people and programs read it."""
    return {**row(record), "stages": [], **record.receipt}


def row(record: ReleaseRecord) -> dict[str, Any]:
    """One line of `dayfly releases`."""
    return {
        "release": record.number,
        "app": record.app,
        "commit": record.commit,
        "subject": record.subject,
        "who": record.who,
        "outcome": record.outcome,
        "verdict": record.receipt.get("verdict", UNASSESSED),
        **why(record.reason),
        "started": iso(record.started),
        "finished": iso(record.finished),
    }


def rollbacks(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The receipt of each time that traffic went back to the release whose events these are.

    A rollback that only stopped a release moved no traffic, and has none.
    """
    return _of_each("rollback", events)


def contracted(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The receipt of each time that what the release left out was tried."""
    return _of_each("contract", events)


def _of_each(what: str, events: Iterable[Event]) -> list[dict[str, Any]]:
    found, began = [], None
    for event in events:
        if event.kind == f"{what}.started":
            began = event
        elif event.kind == f"{what}.finished" and began is not None:
            told = {
                "who": began.data.get("who", ""),
                "started": iso(began.time),
                "finished": iso(event.time),
                "outcome": event.data["outcome"],
            }
            if "receipt" in event.data:
                found.append({**told, **event.data["receipt"]})
            began = None
    return found


def why(reason: str) -> dict[str, Any]:
    """Why something failed: one line to list, and what was said last."""
    first, *detail = reason.splitlines() or [""]
    return {"reason": first, "detail": detail}


def iso(moment: float | None) -> str | None:
    """Seconds since the epoch as an ISO time in UTC."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
