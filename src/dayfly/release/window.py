"""The window: the time in which downtime is allowed, as a person writes it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dayfly.errors import UsageError

ALLOWED = '"Sun 02:00-04:00", "Sat,Sun 02:00-04:00", "02:00-04:00" or "2026-12-06 02:00-04:00"'
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT = re.compile(
    r"(?:(?P<days>[a-z]{3}(?:,[a-z]{3})*)\s+|(?P<date>\d{4}-\d{2}-\d{2})\s+)?"
    r"(?P<begin>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2})",
    re.IGNORECASE,
)
_WEEK = 8  # days to look at: an opening that ended today comes again in seven


@dataclass(frozen=True)
class Opening:
    """One time a window is open; seconds since the epoch."""

    begin: float
    end: float

    def holds(self, moment: float) -> bool:
        return self.begin <= moment < self.end


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some hours of some days; an end that is not later than the begin is of the next day."""

    begin: time
    end: time
    days: frozenset[int] = frozenset(range(len(_DAYS)))  # Monday is 0
    only: date | None = None  # on this day

    def opening(self, moment: float, zone: tzinfo) -> Opening | None:
        """That which is open at `moment`, else the next one; None where none comes any more."""
        return next((each for each in self._openings(moment, zone) if moment < each.end), None)

    def _openings(self, moment: float, zone: tzinfo) -> Iterator[Opening]:
        today = datetime.fromtimestamp(moment, zone).date()
        near = (today + timedelta(days=n) for n in range(-1, _WEEK))
        for day in [self.only] if self.only else near:
            if self.only or day.weekday() in self.days:
                later = timedelta(days=1 if self.end <= self.begin else 0)
                begin, end = _at(day, self.begin, zone), _at(day + later, self.end, zone)
                if begin < end:  # else it lies in an hour that the clocks skip
                    yield Opening(begin, end)


def window(text: str) -> Window:
    """UsageError says what was found and what is allowed."""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise _error(text, "")
    names = [name.lower() for name in (found["days"] or "").split(",") if name]
    if unknown := [name for name in names if name not in _DAYS]:
        raise _error(text, f"{unknown[0]!r} is no day: {', '.join(_DAYS)}")
    try:
        begin, end = (time.fromisoformat(found[word].zfill(5)) for word in ("begin", "end"))
        on = date.fromisoformat(found["date"]) if found["date"] else None
    except ValueError as error:
        raise _error(text, str(error)) from error
    if begin == end:
        raise _error(text, "it is empty")
    days = frozenset(map(_DAYS.index, names or _DAYS))
    return Window(begin=begin, end=end, days=days, only=on)


def _at(day: date, clock: time, zone: tzinfo) -> float:
    """A time that the clocks skip is the moment after them; of two, it is the first."""
    return datetime.combine(day, clock, zone).astimezone(UTC).timestamp()


def _error(text: str, why: str) -> UsageError:
    told = f" ({why})" if why else ""
    return UsageError(f"the window {text!r} can't be read{told}", hint=f"Write it as {ALLOWED}.")
