"""One command in a fresh machine of a release: `dayfly run`."""

from collections.abc import Callable

from dayfly.clock import Stop
from dayfly.release import fleet
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts


def run(
    parts: Parts,
    record: ReleaseRecord,
    command: str,
    *,
    on_line: Callable[[str], None],
    stop: Stop,
    occupied: set[str],
) -> int:
    """The exit status of a command in a machine of this release; `occupied` names it meanwhile."""
    wanted = fleet.spec(
        parts,
        record,
        parts.app_of(record),
        fleet.image_of(parts, record),
        fleet.Wanted(process="run", run=command),
    )
    redact = parts.redactor(record.app)
    occupied.add(wanted.name)
    try:
        status = parts.runtime.run(wanted, on_line=lambda line: on_line(redact(line)), stop=stop)
    finally:
        occupied.discard(wanted.name)
        parts.journal.machine_gone(wanted.name, reason="done")
    return status
