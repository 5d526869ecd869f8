"""Moments and states as a page shows them."""

from datetime import UTC, datetime

from dayfly.shown import MINUTE

HOUR = 3600  # seconds
SECOND_MS, MINUTE_MS = 1_000, 60_000
_SHORT = 10  # below this a figure has one digit more
_GOOD = frozenset({"serving", "done", "ok", "up", "healthy", "passed", "none", "online", "proven"})
_WARM = frozenset({"warm", "launched", "inconclusive", "skipped", "unassessed", "staged"})
_BAD = frozenset(
    {"failed", "refused", "rolled-back", "down", "died", "breach", "not healthy", "stopped"}
    | {"downtime", "closed", "drifted"}
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


def milliseconds(value: float | None) -> str:
    """`0.4 ms`, `35 ms`, `2.5 s`, `12 s`, `3 min`; an estimate, so never more digits."""
    if value is None:
        return "unknown"
    for size, unit in ((MINUTE_MS, "min"), (SECOND_MS, "s"), (1, "ms")):
        amount = value / size
        if amount >= 1 or size == 1:
            rounded = round(amount, 1) if amount < _SHORT else round(amount)
            return f"{rounded:g} {unit}" if rounded else "< 1 ms"
    return ""


def size(number: float | None) -> str:
    """`812 B`, `3.4 MB`."""
    if number is None:
        return "—"
    amount, units = float(number), iter(("B", "KB", "MB", "GB", "TB"))
    unit = next(units)
    while amount >= 1000 and (larger := next(units, None)):  # noqa: PLR2004 - four digits are too many
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= _SHORT else f"{amount:.1f} {unit}"


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
