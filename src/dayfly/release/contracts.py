"""Contract migrations that releases have left out: what became of them, read from the journal."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from dayfly.config.cron import zone_of
from dayfly.events import Event
from dayfly.release.work import Parts, Work

WAITING, STARTED, FINISHED = "contract.waiting", "contract.started", "contract.finished"
UNDONE = "contract.undone"  # by a rollback: they are pending again
PAUSE_SECONDS, MOST_SECONDS = 600.0, 86_400.0  # after a failure, doubled each time

State = Literal["waiting", "running", "done", "refused", "failed"]
AGAIN = "interrupted"  # an outcome after which it simply waits on


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Those of one release."""

    release: int
    migrations: tuple[str, ...]
    state: State = "waiting"
    reason: str = ""
    since: float = 0.0  # of this state, in seconds since the epoch
    failures: int = 0

    def due(self, now: float) -> bool:
        """What was refused needs a person; what failed is tried again, later and later."""
        pause = min(PAUSE_SECONDS * 2 ** max(self.failures - 1, 0), MOST_SECONDS)
        failed = self.state == "failed" and now >= self.since + pause
        return self.state == "waiting" or failed

    def as_json(self) -> dict[str, Any]:
        told = {"release": self.release, "migrations": [*self.migrations]}
        return {**told, "state": self.state, "reason": self.reason}


def told(events: Iterable[Event]) -> dict[int, Contract]:
    """By release; `events` are those of one app, oldest first."""
    found: dict[int, Contract] = {}
    for event in events:
        number = event.release or 0
        if event.kind == WAITING:
            names = tuple(event.data["migrations"])
            found[number] = Contract(release=number, migrations=names, since=event.time)
        elif number in found and event.kind == STARTED:
            found[number] = replace(found[number], state="running", since=event.time)
        elif number in found and event.kind == FINISHED:
            found[number] = _finished(found[number], event)
        elif number in found and event.kind == UNDONE:
            names = found[number].migrations
            found[number] = Contract(release=number, migrations=names, since=event.time)
    return found


def _finished(contract: Contract, event: Event) -> Contract:
    outcome, reason = event.data["outcome"], str(event.data.get("reason", ""))
    ended = replace(contract, since=event.time, reason=reason)
    if outcome == AGAIN:
        return replace(ended, state="waiting")
    return replace(ended, state=outcome, failures=contract.failures + (outcome == "failed"))


def of(parts: Parts, app: str) -> dict[int, Contract]:
    return told(parts.journal.told(app, WAITING, STARTED, FINISHED, UNDONE))


def open_of(parts: Parts, app: str) -> Contract | None:
    """What the serving release has left out, and has not run yet."""
    serving = parts.serving(app)
    contract = of(parts, app).get(serving) if serving is not None else None
    return None if contract is None or contract.state == "done" else contract


def waiting(work: Work) -> frozenset[str]:
    """Names that the outgoing release has left out."""
    contract = open_of(work.parts, work.record.app)
    return frozenset(contract.migrations if contract else ())


def refused(work: Work) -> frozenset[str]:
    """Those among them that only a release with downtime runs."""
    contract = open_of(work.parts, work.record.app)
    return frozenset(contract.migrations if contract and contract.state == "refused" else ())


def when(work: Work) -> str:
    """When they will run, as far as that is known."""
    parts, app = work.parts, work.record.app
    serving = parts.serving(app)
    others = (r for r in parts.journal.releases(app) if r.number != serving)
    until = max((r.warm_until for r in others if r.warm_until is not None), default=None)
    if until is None:
        return "They run when nothing older than the serving release runs any more."
    at = datetime.fromtimestamp(until, zone_of(parts.settings.time_zone))
    return f"They run when nothing older runs any more, which may be from {at:%a %H:%M:%S} on."
