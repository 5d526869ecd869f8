"""Run SQL files beside an app that works: a lock is asked for often, and never for long."""

from collections.abc import Callable
from pathlib import Path

from dayfly.clock import Stop
from dayfly.database.sqlfiles import LockedError, apply_files

ATTEMPTS = 10
PAUSE_SECONDS = 1.0


def apply_patiently(
    url: str, directory: Path, *, budget: float, stop: Stop, tell: Callable[[str], None]
) -> tuple[str, ...]:
    """Run what is new; the names. `budget`: seconds that others may wait behind us.

    LockedError when each of `ATTEMPTS` met somebody's lock. Files before stay done.
    """
    done: tuple[str, ...] = ()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return done + apply_files(url, directory, lock_seconds=budget)
        except LockedError as error:
            if attempt == ATTEMPTS:
                raise
            tell(f"{error.message}, attempt {attempt} of {ATTEMPTS}: others go first")
            stop.wait(PAUSE_SECONDS)
    return done
