"""Work beside an app that works: a lock is asked for often, and never for long."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from dayfly.clock import Stop
from dayfly.database.pace import ATTEMPTS, PAUSE_SECONDS, Pace
from dayfly.database.sqlfiles import EndedError, LockedError, apply_files, pending_files

Done = TypeVar("Done")


def patiently(
    work: Callable[[], Done],
    *,
    stop: Stop,
    tell: Callable[[str], None],
    attempts: int = ATTEMPTS,
) -> Done:
    """Do it again while it meets somebody's lock; the LockedError of the last of `attempts`."""
    for attempt in range(1, attempts):
        try:
            return work()
        except LockedError as error:
            tell(f"{error.message}, attempt {attempt} of {attempts}: others go first")
            stop.wait(PAUSE_SECONDS)
    return work()


def apply_patiently(  # noqa: PLR0913 - all by name
    url: str,
    directory: Path,
    pace: Pace,
    *,
    leave: Collection[str] = (),
    name: str,
    stop: Stop,
    tell: Callable[[str], None],
    outwaited: Callable[[], bool] = lambda: False,
) -> tuple[str, ...]:
    """Run what is new, but for those to leave; the names. `name`: of the session.

    `outwaited`: whether a session that was ended had kept others waiting.

    The deadline is that of each file, or statement where it has no transaction.

    LockedError when each attempt met somebody's lock. Files before stay done.
    """
    files = pending_files(url, directory)
    new = tuple(file.name for file in files if file.name not in leave)

    def apply() -> None:
        try:
            apply_files(
                url,
                directory,
                leave=leave,
                name=name,
                lock_seconds=pace.lock,
                statement_seconds=pace.deadline,
            )
        except EndedError as error:
            if not outwaited():
                raise
            raise LockedError(f"{error.message}, as others waited", hint=error.hint) from error

    patiently(apply, stop=stop, tell=tell, attempts=pace.attempts)
    return new
