"""Java: logback's, log4j's and Spring Boot's usual layouts, Tomcat, java.util.logging."""

import re

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import (
    DASHED,
    MONTHS,
    NUMBER,
    Format,
    Known,
    Parse,
    Parsed,
    number_or_text,
)
from dayfly.logs.record import Value

_LEVEL = "(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)"
_NAME = r"([\w.$\[\]/-]+)"
_SPRING = re.compile(rf"{times.ISO} +{_LEVEL} (\d+) --- (?:\[([^\]]*)\] )?\[([^\]]*)\] {_NAME} *: ")
_THREAD_FIRST = re.compile(rf"{times.ISO} +\[([^\]]*)\] {_LEVEL} +{_NAME} +--? ")
_LEVEL_FIRST = re.compile(rf"{times.ISO} +{_LEVEL} +\[([^\]]*)\] {_NAME}(?: +-| *:) ")
_BARE = re.compile(rf"{times.ISO} +{_LEVEL} +{_NAME}(?::(\d+))? +- ")
_CLOCK = re.compile(rf"(\d\d:\d\d:\d\d)[.,](\d{{3}}) \[([^\]]*)\] {_LEVEL} +{_NAME} +--? ")
_JUL_LEVEL = "(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST)"
_TOMCAT = re.compile(
    rf"(\d\d)-({times.MONTH})-(\d{{4}}) (\d\d:\d\d:\d\d)\.(\d{{3}}) {_JUL_LEVEL}"
    r" \[([^\]]*)\] (\S+) "
)
_JUL = re.compile(
    rf"({times.MONTH}) (\d\d?), (\d{{4}}),? (\d\d?):(\d\d:\d\d)\s([AP])M (\S+)(?: (\S+))?\n"
    rf"{_JUL_LEVEL}: "
)
_NUMBERS = frozenset(("pid", "line"))
_HEAD = 120  # characters in which Spring Boot has its dashes


def _dated(shape: re.Pattern[str], *names: str) -> Parse:
    def parse(text: str, known: Known) -> Parsed | None:
        found = shape.match(text)
        if not found:
            return None
        date, clock, fraction, zone, *words = found.groups()
        told = dict(zip(names, words, strict=True))
        time = times.of_groups(date, clock, fraction, zone, known.zone)
        return _told(text[found.end() :], time, told)

    return parse


_spring = _dated(_SPRING, "level", "pid", "application", "thread", "logger")


_bare = _dated(_BARE, "level", "logger", "line")


def _with_dash(text: str, known: Known) -> Parsed | None:
    return _bare(text, known) if " - " in text else None


def _near(text: str, known: Known) -> Parsed | None:
    """Spring Boot has its dashes early in the line."""
    return _spring(text, known) if " --- " in text[:_HEAD] else None


def _clock(text: str, known: Known) -> Parsed | None:
    """Logback without any configuration tells no date."""
    found = _CLOCK.match(text)
    if not found:
        return None
    clock, fraction, *words = found.groups()
    time = times.of_clock(clock, fraction, known.zone, known.moment)
    return _told(
        text[found.end() :], time, dict(zip(("thread", "level", "logger"), words, strict=True))
    )


def _tomcat(text: str, known: Known) -> Parsed | None:
    found = _TOMCAT.match(text)
    if not found:
        return None
    day, month, year, clock, fraction, *words = found.groups()
    date = f"{year}-{times.month_number(month):02d}-{day}"
    time = times.of_groups(date, clock, fraction, None, known.zone)
    told = dict(zip(("level", "thread", "logger"), words, strict=True))
    return _told(text[found.end() :], time, told)


def _jul(text: str, known: Known) -> Parsed | None:
    """java.util.logging takes two lines, the second with the level."""
    found = _JUL.match(text)
    if not found:
        return None
    month, day, year, hour, rest, half, logger, method, level = found.groups()
    date = f"{year}-{times.month_number(month):02d}-{int(day):02d}"
    hours = int(hour) % 12 + (12 if half == "P" else 0)
    time = times.of_groups(date, f"{hours:02d}:{rest}", None, None, known.zone)
    return _told(text[found.end() :], time, {"level": level, "logger": logger, "method": method})


def _told(message: str, time: int | None, words: dict[str, str | None]) -> Parsed:
    level = levels.of_word(words.pop("level") or "")
    fields: dict[str, Value] = {}
    for name, word in words.items():
        if word:
            plain = word.strip()
            fields[name] = number_or_text(plain) if name in _NUMBERS else plain
    return Parsed(message, level, time, fields)


_DAY = frozenset((DASHED,))
FORMATS = (
    Format(_near, _DAY, "]"),
    Format(_dated(_THREAD_FIRST, "thread", "level", "logger"), _DAY, "]"),
    Format(_dated(_LEVEL_FIRST, "level", "thread", "logger"), _DAY, "]"),
    Format(_with_dash, _DAY, "-"),
    Format(_clock, frozenset((NUMBER,)), "]"),
    Format(_tomcat, frozenset((NUMBER,)), "]"),
    Format(_jul, MONTHS, "\n"),
)
