"""When an alert begins and when it has ended: pure, from one look to the next."""

import os
from collections.abc import Collection

from msgspec.structs import replace

from dayfly.environment.alerting.alert import Alert, Errand, Known, Message, News
from dayfly.logs.query import tree

LOOKS = 20  # within the time that is looked at
SOONEST, LATEST = 2.0, 30.0  # seconds between two looks
SHARE = 20  # looking takes at most one part of so many of the time
CALM_SECONDS = 60.0  # for which its threshold is not passed until it has ended
MOST_ERRANDS = 20  # of an alert; beyond it the oldest are given up


def pause(alert: Alert, took: float = 0.0) -> float:
    """Seconds from one look to the next; one that takes long is not asked so often."""
    return max(min(max(alert.told.within / LOOKS, SOONEST), LATEST), took * SHARE)


def begun(known: Known | None, alert: Alert, now: float) -> Known:
    """What is known before a look.

    That little was written says nothing about a time in which nobody looked: what was down then
    was perhaps this environment.
    """
    if alert.told.fewer_than is None:
        return known or Known(counted_from=0.0)
    if known is None or now - known.looked > alert.told.within:
        return replace(known or Known(counted_from=now), counted_from=now)
    return known


def span_begin(known: Known, alert: Alert, now: float) -> float:
    """From when on records are counted."""
    return max(now - alert.told.within, known.counted_from)


def quiet(known: Known, now: float) -> Known:
    """After a look that was left out, because of a window: nothing of that time counts."""
    return replace(known, silent=True, counted_from=now, looked=now, problem="")


def after(known: Known, alert: Alert, count: int, now: float) -> Known:
    """What is known after a look, with what is to be told."""
    whole = known.counted_from <= now - alert.told.within
    seen = replace(known, count=count, looked=now, silent=False, problem="")
    if alert.told.fewer_than is not None and not whole:
        return seen  # the rest of the time may have had what is missing
    if alert.passed(count):
        return _passed(replace(seen, held=now), alert, now)
    calm = min(CALM_SECONDS, alert.told.within)
    if seen.since and now - seen.held >= calm:
        return replace(_with(seen, alert, "ended", now), since=0.0)
    return seen


def _passed(seen: Known, alert: Alert, now: float) -> Known:
    if not seen.since:
        return _with(replace(seen, since=now), alert, "began", now)
    again = alert.told.again
    if again is not None and now - seen.told >= again:
        return _with(seen, alert, "stands", now)
    return seen


def _with(seen: Known, alert: Alert, news: News, now: float) -> Known:
    message = Message(
        id=os.urandom(8).hex(), news=news, time=now, since=seen.since, count=seen.count
    )
    errands = (*seen.errands, *(Errand(way=way, message=message) for way in alert.ways))
    return replace(seen, told=now, errands=errands[-MOST_ERRANDS:])


def concerned(alert: Alert, apps: Collection[str]) -> bool:
    """Whether it is about one of these apps, or about all there are."""
    only = _app(alert.where)
    return bool(apps) and (only is None or only in apps)


def _app(where: tree.Node) -> str | None:
    """The one app that records have to be of."""
    match where:
        case tree.Compare("app", "=", app):
            return str(app)
        case tree.And(parts):
            return next((found for part in parts if (found := _app(part))), None)
        case _:
            return None
