"""Moments and states as a page shows them."""

from datetime import UTC, datetime

from dayfly.shown import MINUTE

HOUR = 3600  # seconds
_GOOD = frozenset({"serving", "done", "ok", "up", "healthy", "passed"})
_WARM = frozenset({"warm", "launched", "inconclusive", "skipped", "unassessed"})
_BAD = frozenset(
    {"failed", "refused", "rolled-back", "down", "died", "breach", "not healthy", "stopped"}
)


def moment(stamp: str | float | None) -> str:
    """An instant in the server's own time: ISO 8601, or seconds since the epoch."""
    if not stamp:
        return "—"
    return f"{_instant(stamp).astimezone():%Y-%m-%d %H:%M:%S}"


def left(stamp: str | None, now: float) -> str:
    """How long until then."""
    if not stamp:
        return ""
    seconds = _instant(stamp).timestamp() - now
    if seconds <= 0:
        return "retires now"
    if seconds < MINUTE:
        return f"{seconds:.0f} s left"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min left"
    return f"{seconds / HOUR:.1f} h left"


def count(number: float | None) -> str:
    return "—" if number is None else f"{number:,.0f}"


def tone(word: object) -> str:
    """The class that colours a state: good, warm, bad, going or calm."""
    text = str(word)
    for name, words in (("good", _GOOD), ("warm", _WARM), ("bad", _BAD)):
        if text in words:
            return name
    return "going" if text in {"running", "incoming", "queued", "waiting"} else "calm"


def _instant(stamp: str | float) -> datetime:
    if isinstance(stamp, str):
        return datetime.fromisoformat(stamp)
    return datetime.fromtimestamp(stamp, UTC)
