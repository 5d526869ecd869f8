"""Figures and moments as a page shows them; text of others without what can't be seen."""

import re
from datetime import UTC, datetime

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|.)", re.DOTALL)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
TEN, MINUTE, HOUR = 10, 60, 3600  # seconds
_GOOD = frozenset({"serving", "done", "ok", "up", "healthy", "passed"})
_WARM = frozenset({"warm", "launched", "inconclusive", "skipped", "unassessed"})
_BAD = frozenset(
    {"failed", "refused", "rolled-back", "down", "died", "breach", "not healthy", "stopped"}
)


def plain(text: object) -> str:
    """Without colour codes of terminals and characters that hide or turn text."""
    return _UNSEEN.sub("", _ESCAPE.sub("", str(text)))


def duration(seconds: float | None) -> str:
    """`34 ms`, `4.20 s`, `12.3 s`, `3 min 05 s`."""
    if seconds is None:
        return "—"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.{2 if seconds < TEN else 1}f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest:02d} s"


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
    return "going" if text in {"running", "incoming"} else "calm"


def _instant(stamp: str | float) -> datetime:
    if isinstance(stamp, str):
        return datetime.fromisoformat(stamp)
    return datetime.fromtimestamp(stamp, UTC)
