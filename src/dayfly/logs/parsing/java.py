"""Java: logback's, log4j's and Spring Boot's usual layouts, Tomcat, java.util.logging."""

import re

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import Known, Parsed, number_or_text
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
_HEAD = 120  # characters in which Spring Boot has its dashes
_DATED = (
    (_SPRING, ("level", "pid", "application", "thread", "logger")),
    (_THREAD_FIRST, ("thread", "level", "logger")),
    (_LEVEL_FIRST, ("level", "thread", "logger")),
    (_BARE, ("level", "logger", "line")),
)


def parse(text: str, known: Known) -> Parsed | None:
    if text[:1].isdigit():
        if text[4:5] == "-":
            return _dated(text, known)
        return _clock(text, known) if text[2:3] == ":" else _tomcat(text, known)
    return _jul(text, known) if text[:1].isupper() else None


def _dated(text: str, known: Known) -> Parsed | None:
    for shape, names in _DATED if " --- " in text[:_HEAD] else _DATED[1:]:
        if found := shape.match(text):
            date, clock, fraction, zone, *words = found.groups()
            told = dict(zip(names, words, strict=True))
            return _told(
                text[found.end() :], times.of_groups(date, clock, fraction, zone, known.zone), told
            )
    return None


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
    told = {name: word.strip() for name, word in words.items() if word}
    level = levels.of_word(told.pop("level"))
    fields: dict[str, Value] = {
        name: number_or_text(word) if name in {"pid", "line"} else word
        for name, word in told.items()
    }
    return Parsed(message, level, time, fields)
