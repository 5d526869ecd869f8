"""Time, deadlines, and being told to stop: the only places where Dayfly waits."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dayfly.errors import DayflyError, StoppedError

SECOND = 1_000_000_000  # in nanoseconds, as DAY
DAY = 86_400 * SECOND
POLL_SECONDS = 0.05
FOREVER = float("inf")  # where something else ends the waiting
EAGER, SOONEST_SECONDS = 0.03, 0.005  # looks cost little beside the time that passed already


class DeadlineError(DayflyError):
    """What was waited for did not come in time."""


@dataclass(frozen=True)
class Stop:
    """A request to stop, handed down to whatever may take long.

    Whoever wants the work to end calls `request`; the work calls `check` between two steps and
    sleeps only through `wait`, which ends early.
    """

    _event: threading.Event = field(default_factory=threading.Event)
    _reason: list[str] = field(default_factory=list)

    def request(self, reason: str) -> None:
        self._reason.append(reason)
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    @property
    def reason(self) -> str:
        return self._reason[0] if self._reason else ""

    def check(self) -> None:
        if self.requested:
            raise StoppedError(self.reason)

    def wait(self, seconds: float) -> None:
        """Sleep, but raise StoppedError as soon as a stop is requested."""
        self._event.wait(seconds)
        self.check()


def wait_until(
    condition: Callable[[], bool],
    *,
    seconds: float,
    what: str,
    stop: Stop | None = None,
    poll: float = POLL_SECONDS,
) -> float:
    """Wait until `condition()` holds and return the seconds it took; DeadlineError names `what`.

    Looks every `poll` seconds, more often at first: what is quick is not made slow by waiting.
    """
    stop = stop or Stop()
    started = time.monotonic()
    while not condition():
        passed = time.monotonic() - started
        if passed >= seconds:
            raise DeadlineError(f"{what}: not within {seconds:g} s")
        pause = min(poll, max(passed * EAGER, SOONEST_SECONDS))
        stop.wait(min(pause, max(seconds - passed, 0.001)))
    return time.monotonic() - started
