"""A release that waits for its window: it holds nothing meanwhile, and is assessed again then."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, tzinfo

from dayfly.clock import Stop
from dayfly.config.cron import zone_of
from dayfly.errors import DayflyError, UsageError
from dayfly.release.records import ReleaseRecord, Wish
from dayfly.release.window import Opening, window
from dayfly.release.work import Parts, RefusedError, Work

WAITS = "window.waits"
OVER = "the window is over"
ANOTHER = "Release it in another one."


class WaitingError(DayflyError):
    """It is not time yet: the release goes on when its window opens."""

    def __init__(self, message: str, *, begin: float) -> None:
        super().__init__(message)
        self.begin = begin


def opened(work: Work) -> Opening | None:
    """The opening that it is in now; None where no window is asked for. Else as `entered`."""
    wanted = work.wish.window
    if not wanted:
        return None
    try:
        return entered(wanted, time.time(), _zone(work.parts))
    except WaitingError as error:
        work.emit(WAITS, window=wanted, despite=work.wish.despite, begin=error.begin)
        raise


def entered(wanted: str, moment: float, zone: tzinfo) -> Opening:
    """WaitingError until it opens (again); RefusedError where it does not come any more."""
    opening = window(wanted).opening(moment, zone)
    if opening is None:
        raise RefusedError(f"the window {wanted} is over", hint=ANOTHER)
    if not opening.holds(moment):
        at = f"{datetime.fromtimestamp(opening.begin, zone):%a %Y-%m-%d %H:%M %Z}"
        raise WaitingError(f"until {at}: its window {wanted}", begin=opening.begin)
    return opening


def require_to_come(parts: Parts, text: str) -> None:
    """UsageError where the window can't be read, or is over: nothing need be built for it."""
    if opening_of(parts, text) is None:
        raise UsageError(f"the window {text} is over", hint=ANOTHER)


def require_newest(work: Work) -> None:
    """What waited must not take a later release back."""
    serving = work.parts.serving(work.record.app)
    if serving is not None and serving > work.record.number:
        raise RefusedError(
            f"release {serving} has come meanwhile",
            hint=f"dayfly release {work.record.commit[:8]} releases it anew.",
        )


@contextmanager
def ended_with(opening: Opening | None, stop: Stop) -> Iterator[None]:
    """What is not done when the window closes is stopped, and goes back."""
    if opening is None:
        yield
        return
    timer = threading.Timer(max(opening.end - time.time(), 0), stop.request, (OVER,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def opening_of(parts: Parts, text: str) -> Opening | None:
    return window(text).opening(time.time(), _zone(parts))


def wish_of(parts: Parts, record: ReleaseRecord) -> Wish:
    """What was allowed when it began to wait."""
    return _wishes(parts, record.app)[record.number]


def _wishes(parts: Parts, app: str) -> Mapping[int, Wish]:
    told = ((event.release, event.data) for event in parts.journal.told(app, WAITS))
    return {n: Wish(despite=d["despite"], window=d["window"]) for n, d in told if n is not None}


def due(parts: Parts, app: str, records: Mapping[int, ReleaseRecord]) -> frozenset[int]:
    """Releases that wait no longer: their window is open, or does not come any more."""
    waiting = {number for number, record in records.items() if record.outcome == "waiting"}
    if not waiting:
        return frozenset()
    wishes, now = _wishes(parts, app), time.time()
    openings = {number: opening_of(parts, wishes[number].window) for number in waiting}
    return frozenset(n for n, opening in openings.items() if not opening or opening.holds(now))


def _zone(parts: Parts) -> tzinfo:
    return zone_of(parts.settings.time_zone)
