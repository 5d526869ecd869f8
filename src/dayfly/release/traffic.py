"""Traffic moving: while an operation is under way, what each fleet gets is told once a second."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from dayfly.balancer import accesslog
from dayfly.balancer.accesslog import Traffic
from dayfly.balancer.observed import Counters
from dayfly.balancer.routing import Slot
from dayfly.errors import DayflyError
from dayfly.release.work import Parts, Work

SECOND = 1.0


def traffic_of(parts: Parts, slots: Collection[str], *, since: float) -> Traffic:
    """What went through these slots from `since` (seconds since the epoch) until now."""
    found = accesslog.lines(parts.home.balancer, since=since)
    return accesslog.summary(line for line in found if line.slot in slots)


@contextmanager
def telling_traffic(work: Work) -> Iterator[None]:
    """Emit `traffic` events until the body ends, then one `counted`: HAProxy's own counters."""
    over = threading.Event()
    counting = Counting(work.record.app, _read(work, free=True))

    def tell() -> None:
        last = time.monotonic()
        while not over.wait(SECOND):
            now = time.monotonic()
            told = counting.take(_read(work), work.parts.balancer.routing().slots)
            fleets = [
                {"release": release, "rate": round(count.requests / (now - last), 1),
                 "errors": counting.errors[release]}
                for release, count in told.items()
            ]  # fmt: skip
            last = now
            if any(fleet["rate"] for fleet in fleets):
                work.emit("traffic", fleets=fleets)

    teller = threading.Thread(target=tell, name="traffic", daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        counting.take(_read(work), work.parts.balancer.routing().slots)
        if counting.sums:
            work.emit("counted", **counting.sums)


class Counting:
    """Adds up what HAProxy counted for one app, from look to look, whatever is killed between."""

    def __init__(self, app: str, before: Mapping[str, Counters]) -> None:
        self.sums: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()  # answers with 5xx, by release
        self._app = app
        self._before = dict(before)

    def take(self, now: Mapping[str, Counters], slots: Mapping[str, Slot]) -> dict[int, Counters]:
        """What each release got since the last look; one that was never looked at got nothing."""
        told = {}
        for name, slot in slots.items():
            if slot.app == self._app and name in now:
                told[slot.release] = now[name].since(self._before.get(name, now[name]))
                self.sums.update(_counts(told[slot.release]))
                self.errors[slot.release] += told[slot.release].status_5xx
        self._before |= now
        return told


def _read(work: Work, *, free: bool = False) -> Mapping[str, Counters]:
    try:
        return work.parts.balancer.counters(free=free)
    except DayflyError:
        return {}  # HAProxy is starting again; the next look tells


def _counts(counters: Counters) -> dict[str, int]:
    return {name: count for name, count in asdict(counters).items() if name != "pid"}
