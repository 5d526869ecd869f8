"""How much there is, how fast it grows, and when the disk is full. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.clock import SECOND
from dayfly.logs.store.segment import Segment
from dayfly.logs.store.settings import Settings

DAY_SECONDS, HOUR_SECONDS = 86_400.0, 3600.0
DAYS = 7  # whose growth is taken for that to come


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Bytes. `full_at` is None when at this rate the disk never fills: retention comes first."""

    stored: int
    free: int
    a_day: int
    full_at: float | None


def outlook(segments: Sequence[Segment], free: int, settings: Settings, now: float) -> Outlook:
    stored = sum(each.size for each in segments)
    rate = _a_day(segments, now)
    room = max(0, free - settings.reserve)
    full_at = None
    if rate and _most(settings, rate) > stored + room:
        full_at = now + room / rate * DAY_SECONDS
    return Outlook(stored=stored, free=free, a_day=round(rate), full_at=full_at)


def _a_day(segments: Sequence[Segment], now: float) -> float:
    begin = now - DAYS * DAY_SECONDS
    found = [each for each in segments if begin <= each.first / SECOND <= now]
    if not found:
        return 0.0
    passed = max(HOUR_SECONDS, now - min(each.first for each in found) / SECOND)
    return sum(each.size for each in found) / passed * DAY_SECONDS


def _most(settings: Settings, rate: float) -> float:
    """What retention lets there be."""
    bounds = [float("inf")]
    if settings.keep_seconds is not None:
        longest = max(settings.keep_seconds, *settings.keep_apps.values(), 0)
        bounds.append(longest / DAY_SECONDS * rate)
    if settings.keep_bytes is not None:
        bounds.append(float(settings.keep_bytes))
    return min(bounds)
