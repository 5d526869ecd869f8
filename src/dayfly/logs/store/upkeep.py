"""What is decided about segments: which are merged, which are too old. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dayfly.clock import SECOND
from dayfly.logs.store.segment import FINAL_LEVEL, Segment
from dayfly.logs.store.settings import Settings


def to_merge(segments: Sequence[Segment], settings: Settings, today: str) -> list[Segment]:
    """Neighbours in time that become one segment; empty when there is nothing to do.

    Of today many small ones; of a day that is over all that are not packed for good.
    """
    days: dict[str, list[Segment]] = defaultdict(list)
    for each in segments:
        small = each.rows <= settings.rows // 2 and each.text <= settings.text // 2
        if small or (each.day < today and each.level < FINAL_LEVEL):
            days[each.day].append(each)
    for day, found in sorted(days.items()):
        over = day < today
        if not over and len(found) < settings.small:
            continue
        for lot in _lots(sorted(found, key=lambda each: each.first), settings):
            if len(lot) > 1 or (over and lot[0].level < FINAL_LEVEL):
                return lot
    return []


def _lots(segments: Sequence[Segment], settings: Settings) -> Iterator[list[Segment]]:
    """Neighbours, as many as make a segment."""
    lot: list[Segment] = []
    for each in segments:
        rows = sum(one.rows for one in lot) + each.rows
        text = sum(one.text for one in lot) + each.text
        if lot and (rows > settings.rows or text > settings.text):
            yield lot
            lot = []
        lot.append(each)
    if lot:
        yield lot


def outlived(segment: Segment, settings: Settings, now: float) -> frozenset[str]:
    """Apps of which a segment has nothing that is to be kept still."""
    keeps = {app: settings.keep_apps.get(app, settings.keep_seconds) for app in segment.apps}
    return frozenset(
        app
        for app, keep in keeps.items()
        if keep is not None and segment.last < (now - keep) * SECOND
    )


def all_outlived(settings: Settings, now: float) -> int | None:
    """The time before which nothing is kept, whatever app wrote it."""
    if settings.keep_seconds is None:
        return None
    return round((now - max(settings.keep_seconds, *settings.keep_apps.values(), 0)) * SECOND)


def to_trim(
    segments: Sequence[Segment], settings: Settings, now: float
) -> list[tuple[Segment, frozenset[str]]]:
    """Segments that are written anew without some apps."""
    found = ((each, outlived(each, settings, now)) for each in segments)
    return [(each, apps) for each, apps in found if apps and apps < each.apps.keys()]


def to_drop(segments: Sequence[Segment], settings: Settings, now: float) -> list[Segment]:
    """Segments of which all is older than allowed, and the oldest of those that take too much."""
    kept = sorted(segments, key=lambda each: each.last)
    dropped = [each for each in kept if outlived(each, settings, now) == each.apps.keys()]
    gone = {each.name for each in dropped}
    kept = [each for each in kept if each.name not in gone]
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
