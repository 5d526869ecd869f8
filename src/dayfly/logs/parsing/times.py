"""Times as logs write them, in nanoseconds since the epoch."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from dayfly.clock import DAY, SECOND

EARLIEST = (
    400 * DAY
)  # before the moment of reading: an old file is read late, an older is a mistake
LATEST = DAY // 24  # after it: a clock that is wrong
_SCALES: dict[int, int] = {digits: 10 ** (9 - digits) for digits in range(1, 10)}
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
MONTH = "|".join(_MONTHS)
# As PostgreSQL and a few others write them. Which of several is meant nobody knows: what is not UTC
# is read in the given zone.
ZONES = (
    "UTC|GMT|CES?T|EES?T|WES?T|BST|IST|MSK|EST|EDT|CST|CDT|MST|MDT|PST|PDT|JST|KST|AEST|AEDT"
    "|NZST|NZDT|HKT|SGT"
)
# Possessive: a line that is of another shape after its time is not tried with half of it.
# Groups: date, time, fraction, zone.
ISO = (
    r"(\d{4}[-/][01]\d[-/][0-3]\d)[Tt ]([0-2]\d:[0-5]\d:[0-5]\d)(?:[.,](\d{1,9}+)\d*+)?+"
    rf"(?: ?([Zz](?!\w)|[+-]\d\d(?::?\d\d)?(?![\d:])|(?:{ZONES})(?=[ :\]]|$)))?+"
)
ISO_TEXT = re.compile(ISO)
_ACCESS = re.compile(rf"(\d\d)/({MONTH})/(\d{{4}})[: ](\d\d:\d\d:\d\d)(?: ([+-]\d{{4}}))?")
_ZONES = frozenset({"Z", "z", "UTC", "GMT"})
_LEAST, _MOST = 1e8, 9.2e18  # no time is outside of these
_FURTHEST = 9_200_000_000  # seconds from the epoch that nanoseconds in 64 bits can hold
_SECONDS, _MILLIS, _MICROS = 1e11, 1e14, 1e17  # numbers below count in these


def of_iso(text: str, zone: ZoneInfo) -> int | None:
    """A whole text in ISO 8601, or what is near to it."""
    if text[-1:] == "Z" and text[19:20] == "." and (digits := text[20:-1]).isdecimal():
        seconds, scale = _utc(text[:19]), _SCALES.get(len(digits))  # as most loggers write it
        if seconds is not None and scale:
            return seconds * SECOND + int(digits) * scale
    found = ISO_TEXT.fullmatch(text)
    return of_match(found, zone) if found else None


def of_match(found: re.Match[str], zone: ZoneInfo) -> int | None:
    """Of a pattern that begins with `ISO`."""
    return of_groups(found[1], found[2], found[3], found[4], zone)


def of_groups(
    date: str, clock: str, fraction: str | None, told: str | None, zone: ZoneInfo
) -> int | None:
    """The groups of `ISO`."""
    return _with(fraction, _seconds(date, clock, told or "", zone))


def of_number(number: float) -> int | None:
    """Seconds, milliseconds, microseconds or nanoseconds: whichever gives a time of our age."""
    if not _LEAST < number < _MOST:
        return None
    if number >= _MICROS:
        return int(number)
    factor = SECOND if number < _SECONDS else 1_000_000 if number < _MILLIS else 1000
    exact = int(Decimal(str(number)) * factor)  # a float is not quite what was written
    return exact if exact < _FURTHEST * SECOND else None


def told(value: str | float, zone: ZoneInfo) -> int | None:
    """Of whatever a logger writes under the name of a time."""
    if isinstance(value, str):
        found = of_iso(value, zone)
        return _number_in(value) if found is None else found
    return None if isinstance(value, bool) else of_number(value)


def _number_in(text: str) -> int | None:
    try:
        return of_number(float(text)) if len(text) <= 20 else None  # noqa: PLR2004
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def of_access(text: str, zone: ZoneInfo) -> int | None:
    """`10/Oct/2026:13:55:36 -0700`, or as Django and werkzeug write it: `10/Oct/2026 13:55:36`."""
    found = _ACCESS.fullmatch(text)
    if not found:
        return None
    day, month, year, clock, told = found.groups()
    return of_groups(f"{year}-{_MONTHS[month]:02d}-{day}", clock, None, told, zone)


def of_yearless(
    month: int, day: int, clock: str, fraction: str | None, zone: ZoneInfo, moment: int
) -> int | None:
    """In the nearest year; a clock that is ahead must not file its lines a year back."""
    return _with(fraction, _yearless(month, day, clock, zone, moment // SECOND))


def of_clock(clock: str, fraction: str | None, zone: ZoneInfo, moment: int) -> int | None:
    """A time of day only: of the nearest day."""
    return _with(fraction, _of_day(clock, zone, moment // SECOND))


def month_number(name: str) -> int:
    """0 when it is none."""
    return _MONTHS.get(name[:3], 0)


def believable(time: int, moment: int) -> bool:
    """Whether it may be the line's time: not of the future, and of no age before this."""
    return moment - EARLIEST <= time <= moment + LATEST


def shown(time: int) -> str:
    """RFC 3339 with all nanoseconds; the bare number of what no calendar has."""
    seconds, nanoseconds = divmod(time, SECOND)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"
    except (ValueError, OverflowError, OSError):
        return str(time)


@lru_cache(maxsize=4096)  # lines of one second are many
def _seconds(date: str, clock: str, told: str, zone: ZoneInfo) -> int | None:
    try:
        at = datetime.fromisoformat(f"{date.replace('/', '-')}T{clock}")
        known = told in _ZONES or told[:1] in {"+", "-"}
        seconds = int(at.replace(tzinfo=UTC if known else zone).timestamp())
        seconds -= _offset(told) if told[:1] in {"+", "-"} else 0
    except (ValueError, OverflowError):
        return None
    return seconds if abs(seconds) < _FURTHEST else None


def _with(fraction: str | None, seconds: int | None) -> int | None:
    if seconds is None:
        return None
    return seconds * SECOND + (int(fraction) * _SCALES[len(fraction)] if fraction else 0)


@lru_cache(maxsize=4096)
def _yearless(month: int, day: int, clock: str, zone: ZoneInfo, now: int) -> int | None:
    year = datetime.fromtimestamp(now, UTC).year
    dates = [f"{each}-{month:02d}-{day:02d}" for each in (year - 1, year, year + 1)]
    return _nearest(dates, clock, zone, now)


@lru_cache(maxsize=4096)
def _of_day(clock: str, zone: ZoneInfo, now: int) -> int | None:
    today = datetime.fromtimestamp(now, zone)
    dates = [f"{today + timedelta(days=each):%Y-%m-%d}" for each in (-1, 0, 1)]
    return _nearest(dates, clock, zone, now)


def _nearest(dates: Sequence[str], clock: str, zone: ZoneInfo, now: int) -> int | None:
    found = [each for date in dates if (each := _seconds(date, clock, "", zone)) is not None]
    return min(found, key=lambda each: abs(each - now), default=None)


@lru_cache(maxsize=4096)
def _utc(text: str) -> int | None:
    found = ISO_TEXT.fullmatch(text)
    return _seconds(found[1], found[2], "Z", ZoneInfo("UTC")) if found and not found[4] else None


def _offset(told: str) -> int:
    digits = told[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if told[0] == "-" else seconds
