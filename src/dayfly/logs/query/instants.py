"""Times of a query: dates and moments as people write them, in nanoseconds since the epoch."""

import re
from datetime import UTC, datetime, timedelta, timezone

from dayfly.clock import DAY, SECOND

ALLOWED = "a date such as 2026-11-01, 2026-11-01T13:30 or 2026-11-01T13:30:05.25+01:00 (else UTC)"
_LONG = re.compile(r"-?[0-9]{12,19}")  # nanoseconds themselves
_WRITTEN = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<minute>[0-9]{2}:[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60 * SECOND
_DIGITS = 9
_MILLISECONDS = len("2026-11-01T23:59:59.999")


def span(text: str) -> tuple[int, int] | None:
    """First moment of what a text names (a day, a minute, …), and the first after it."""
    if _LONG.fullmatch(text):
        return int(text), int(text) + 1
    found = _WRITTEN.fullmatch(text)
    if not found:
        return None
    part = found["part"] or ""
    try:
        seconds = _seconds(found)
    except (ValueError, OverflowError):
        return None
    begin = seconds * SECOND + int(part.ljust(_DIGITS, "0"))
    return begin, begin + _length(found, part)


def begin_of(text: str) -> int:
    """Of what a text names, or of a bare number."""
    found = span(text)
    return found[0] if found else int(text)


def to_the_millisecond(time: str) -> str:
    """RFC 3339 in UTC as people read it."""
    shown = time.removesuffix("Z")
    shown = shown if "." in shown else f"{shown}."
    return shown[:_MILLISECONDS].ljust(_MILLISECONDS, "0").replace("T", " ")


def iso(nanoseconds: int) -> str:
    """RFC 3339 in UTC with as many digits as it takes; the bare number where it has no date."""
    seconds, part = divmod(nanoseconds, SECOND)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return str(nanoseconds)
    digits = f".{part:09d}".rstrip("0").rstrip(".")
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}{digits}Z"


def _seconds(found: re.Match[str]) -> int:
    clock = f"{found['minute'] or '00:00'}:{found['second'] or '00'}"
    moment = datetime.fromisoformat(f"{found['day']}T{clock}").replace(
        tzinfo=_zone(found["zone"] or "")
    )
    return (moment - _EPOCH) // timedelta(seconds=1)


def _zone(written: str) -> timezone:
    if written in ("", "Z", "z"):
        return UTC
    hours, minutes = int(written[1:3]), int(written[4:])
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if written[0] == "-" else away)


def _length(found: re.Match[str], part: str) -> int:
    if part:
        return int(10 ** (_DIGITS - len(part)))
    if found["second"]:
        return SECOND
    return _MINUTE if found["minute"] else DAY
