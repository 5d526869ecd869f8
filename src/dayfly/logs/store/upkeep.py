"""What is decided about segments: which are merged, which are too old. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.logs.store.segment import Segment
from dayfly.logs.store.settings import Settings

SECOND = 1_000_000_000


def to_merge(segments: Sequence[Segment], settings: Settings, today: str) -> list[Segment]:
    """Neighbours in time that become one segment; empty when there is nothing to do.

    A day that is over needs no second chance: two small segments of it are enough.
    """
    days: dict[str, list[Segment]] = defaultdict(list)
    for each in segments:
        if each.rows <= settings.rows // 2:
            days[each.day].append(each)
    for day, small in sorted(days.items()):
        if len(small) < (settings.small if day >= today else 2):
            continue
        chosen = _fitting(sorted(small, key=lambda each: each.first), settings.rows)
        if len(chosen) > 1:
            return chosen
    return []


def _fitting(segments: Sequence[Segment], rows: int) -> list[Segment]:
    chosen: list[Segment] = []
    total = 0
    for each in segments:
        if chosen and total + each.rows > rows:
            break
        chosen.append(each)
        total += each.rows
    return chosen


def to_drop(segments: Sequence[Segment], settings: Settings, now: float) -> list[Segment]:
    """Segments older than allowed, and the oldest of those that take too much."""
    kept = sorted(segments, key=lambda each: each.last)
    dropped: list[Segment] = []
    if settings.keep_seconds is not None:
        oldest = (now - settings.keep_seconds) * SECOND
        dropped = [each for each in kept if each.last < oldest]
        kept = kept[len(dropped) :]
    if settings.keep_bytes is not None:
        total = sum(each.size for each in kept)
        while kept and total > settings.keep_bytes:
            total -= kept[0].size
            dropped.append(kept.pop(0))
    return dropped


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an app takes on a day. Bytes on disk are shared by the length of the messages."""

    app: str
    day: str
    records: int
    size: int


def usage_of(segments: Sequence[Segment]) -> list[Usage]:
    found: dict[tuple[str, str], tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for each in segments:
        whole = sum(volume.text for volume in each.apps.values()) or 1
        for app, volume in each.apps.items():
            records, size = found[app, each.day]
            share = each.size * volume.text / whole
            found[app, each.day] = (records + volume.records, size + share)
    return [
        Usage(app=app, day=day, records=records, size=round(size))
        for (app, day), (records, size) in sorted(found.items())
    ]
