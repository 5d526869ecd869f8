"""Traffic moving: while an operation is under way, what each fleet gets is told once a second."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from dayfly.balancer import accesslog
from dayfly.balancer.accesslog import Traffic
from dayfly.balancer.observed import Counters
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
    sums: Counter[str] = Counter()

    def tell() -> None:
        before: dict[int, Counters] = {}
        last = time.monotonic()
        while not over.wait(SECOND):
            try:
                now = by_release(work)
            except DayflyError:
                continue  # HAProxy is starting again; the next second tells
            passed, last = time.monotonic() - last, time.monotonic()
            fleets = [
                {
                    "release": release,
                    "rate": round(counted.since(before[release]).requests / passed, 1),
                    "errors": counted.status_5xx,
                }
                for release, counted in now.items()
                if release in before
            ]
            if any(fleet["rate"] for fleet in fleets):
                work.emit("traffic", fleets=fleets)
            for release, counted in now.items():
                sums.update(_counts(counted.since(before.get(release, counted))))
            before = now

    teller = threading.Thread(target=tell, name="traffic", daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        if sums:
            work.emit("counted", **sums)


def _counts(counters: Counters) -> dict[str, int]:
    return {name: count for name, count in asdict(counters).items() if name != "pid"}


def by_release(work: Work) -> dict[int, Counters]:
    counted = work.parts.balancer.counters()
    slots = work.parts.balancer.routing().slots
    return {
        slot.release: counted[name]
        for name, slot in slots.items()
        if slot.app == work.record.app and name in counted
    }
