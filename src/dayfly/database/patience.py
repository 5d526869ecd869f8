"""Work beside an app that works: a lock is asked for often, and never for long."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dayfly.clock import Stop
from dayfly.database.sqlfiles import LockedError, apply_files, pending_files

ATTEMPTS = 10
PAUSE_SECONDS = 1.0
Done = TypeVar("Done")


def patiently(work: Callable[[], Done], *, stop: Stop, tell: Callable[[str], None]) -> Done:
    """Do it again while it meets somebody's lock; the LockedError of the last of `ATTEMPTS`."""
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except LockedError as error:
            tell(f"{error.message}, attempt {attempt} of {ATTEMPTS}: others go first")
            stop.wait(PAUSE_SECONDS)
    return work()


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

    def apply() -> None:
        apply_files(url, directory, lock_seconds=budget, statement_seconds=deadline)

    patiently(apply, stop=stop, tell=tell)
    return new
