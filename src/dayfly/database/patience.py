"""Run SQL files beside an app that works: a lock is asked for often, and never for long."""

from collections.abc import Callable
from pathlib import Path

from dayfly.clock import Stop
from dayfly.database.sqlfiles import LockedError, apply_files, pending_files

ATTEMPTS = 10
PAUSE_SECONDS = 1.0


def apply_patiently(
    url: str,
    directory: Path,
    *,
    budget: float,
    deadline: float,
    stop: Stop,
    tell: Callable[[str], None],
) -> tuple[str, ...]:
    """Run what is new; the names. `budget`: seconds that others may wait behind us.

    `deadline`: seconds that each file, or statement where it has no transaction, may take.

    LockedError when each of `ATTEMPTS` met somebody's lock. Files before stay done.
    """
    new = tuple(file.name for file in pending_files(url, directory))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            apply_files(url, directory, lock_seconds=budget, statement_seconds=deadline)
        except LockedError as error:
            if attempt == ATTEMPTS:
                raise
            tell(f"{error.message}, attempt {attempt} of {ATTEMPTS}: others go first")
            stop.wait(PAUSE_SECONDS)
        else:
            break
    return new
