"""Whether the outgoing release could serve again on the schema as it is now."""

from collections.abc import Iterable, Mapping
from typing import Any

from dayfly.events import Event
from dayfly.release.work import Work

MIGRATE = "migrate"
_ALL = 1_000_000


def shut(found: Mapping[str, Any]) -> bool:
    """Whether a verdict says that a migration closes the way back."""
    return bool(found.get("rollback", {}).get("state") == "closed")


def closed(events: Iterable[Event]) -> bool:
    """Whether the release whose events these are has run a migration that closed it."""
    says, ran = False, False
    for event in events:
        says = shut(event.data) if event.kind == "assessed" else says
        ran = ran or (event.kind == "stage.started" and event.data["stage"] == MIGRATE)
    return says and ran


def closed_by(work: Work) -> bool:
    return closed(work.parts.journal.events(release=work.record.number, limit=_ALL))
