"""What was preserved is let go of, by a person who is sure that nobody needs it any more.

What it was stays on record, and that it is gone: a rollback would look for it.
"""

import json
import time
from collections.abc import Iterator

from dayfly.durable import write_atomically
from dayfly.errors import DayflyError
from dayfly.release import archived, returning, rollback
from dayfly.release.exported import DROPPED, Preserved
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts, ReleaseError


def allow(parts: Parts, one: Preserved, *, accept: str) -> None:
    """ReleaseError where a rollback may need it, unless `accept` says why that is given up."""
    needing = [str(record.number) for record in _needing(parts, one)]
    if needing and not accept:
        raise ReleaseError(
            f"a rollback to release {' or '.join(needing)} would bring back what {one.name} has",
            hint="To give that up: dayfly preserved drop "
            f'{one.name} --reason "REASON" --accept-loss "REASON"',
        )


def _needing(parts: Parts, one: Preserved) -> Iterator[ReleaseRecord]:
    if one.settled or one.aside or not one.comes_back:
        return
    for record in rollback.goals(parts, one.app):
        if any(c.export and c.export.name == one.name for c in returning.in_the_way(parts, record)):
            yield record


def mark(parts: Parts, one: Preserved, *, why: str, who: str, accept: str) -> None:
    """Before anything goes: from now on nobody counts on it."""
    why += f"; a rollback that may need it is given up, because {accept}" if accept else ""
    message = f"{who} drops what {one.name} has preserved, because {why}"
    record = parts.journal.release(one.release)
    parts.journal.record("note", release=record.number, app=one.app, message=message)
    if not one.dropped:
        told = {"time": time.time(), "who": who, "why": why}
        write_atomically(one.folder / DROPPED, json.dumps(told))


def let_go(parts: Parts, one: Preserved) -> None:
    """ReleaseError where not all of it is gone; once more goes on."""
    try:
        archived.let_go(parts, one.folder)
    except DayflyError as error:
        raise ReleaseError(
            f"not all that {one.name} has preserved is gone: {error.message}",
            hint=error.hint or f"dayfly preserved drop {one.name} goes on where it was.",
        ) from error
