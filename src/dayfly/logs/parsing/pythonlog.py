"""Python: logging's usual formats, Flask, gunicorn, uvicorn, celery, structlog and loguru."""

import re

from dayfly.logs.parsing import access, levels, logfmt, times
from dayfly.logs.parsing.parsed import DASHED, Format, Known, Parse, Parsed, number_or_text
from dayfly.logs.record import Value

_LEVEL = "(DEBUG|INFO|WARNING|ERROR|CRITICAL)"
_BASIC = re.compile(rf"{_LEVEL}:([\w.-]+):")
_UVICORN = re.compile(rf"{_LEVEL}: {{4,8}}")
_UVICORN_ACCESS = re.compile(r'(\S+) - "([^"]*)" (\d{3})')
_DASHES = re.compile(rf"{times.ISO} - (?:([\w.-]+) - )?{_LEVEL} - ")
_LINE = re.compile(rf"{times.ISO} \[?{_LEVEL}\]? +(?:\[?([\w.-]+)\]?:(?:(\d+):)? )")
_FLASK = re.compile(rf"\[{times.ISO}\] {_LEVEL} in ([\w.-]+): ")
_GUNICORN = re.compile(rf"\[{times.ISO}\] \[(\d+)\] \[{_LEVEL}\] ")
_CELERY = re.compile(rf"\[{times.ISO}: {_LEVEL}/([\w.-]+)\] ")
_LOGURU = re.compile(
    rf"{times.ISO} \| (TRACE|SUCCESS|{_LEVEL[1:-1]}) +\| ([\w.<>]+):([\w.<>]+):(\d+) - "
)
_STRUCTLOG = re.compile(rf"{times.ISO} \[(debug|info|warning|error|critical) *\] ")
_NUMBERS = frozenset({"pid", "line"})


def _basic(text: str, _: Known) -> Parsed | None:
    found = _BASIC.match(text)
    if not found:
        return None
    return Parsed(text[found.end() :], levels.of_word(found[1]), None, {"logger": found[2]})


def _uvicorn(text: str, _: Known) -> Parsed | None:
    found = _UVICORN.match(text)
    if not found:
        return None
    message, fields = text[found.end() :], dict[str, Value]()
    if request := _UVICORN_ACCESS.match(message):
        fields = {"client": request[1], **access.of_request(request[2]), "status": int(request[3])}
    return Parsed(message, levels.of_word(found[1]), None, fields)


def _dated(shape: re.Pattern[str], *names: str) -> Parse:
    """`names` are those of its groups after the time."""

    def parse(text: str, known: Known) -> Parsed | None:
        found = shape.match(text)
        return _found(found, names, text[found.end() :], known) if found else None

    return parse


def _line(text: str, known: Known) -> Parsed | None:
    """The most frequent of all; no other format takes such a line."""
    found = _LINE.match(text)
    if not found:
        return None
    date, clock, fraction, zone, level, logger, line = found.groups()
    fields: dict[str, Value] = {"logger": logger}
    if line:
        fields["line"] = number_or_text(line)
    time = times.of_groups(date, clock, fraction, zone, known.zone)
    return Parsed(text[found.end() :], levels.of_word(level), time, fields)


_dashes = _dated(_DASHES, "logger", "level")


def _with_dashes(text: str, known: Known) -> Parsed | None:
    return _dashes(text, known) if " - " in text else None


def _structlog(text: str, known: Known) -> Parsed | None:
    found = _STRUCTLOG.match(text)
    if not found:
        return None
    message, fields = logfmt.tail(text[found.end() :])
    return _found(found, ("level",), message, known, fields)


def _found(
    found: re.Match[str],
    names: tuple[str, ...],
    message: str,
    known: Known,
    more: dict[str, Value] | None = None,
) -> Parsed:
    date, clock, fraction, zone, *words = found.groups()
    fields: dict[str, Value] = more or {}
    level = ""
    for name, word in zip(names, words, strict=True):
        if name == "level":
            level = levels.of_word(word)
        elif word:
            fields[name] = number_or_text(word) if name in _NUMBERS else word
    return Parsed(message, level, times.of_groups(date, clock, fraction, zone, known.zone), fields)


_BRACKET, _DAY = frozenset("["), frozenset((DASHED,))
USUAL = Format(_line, _DAY, ":")
FORMATS = (
    Format(_basic, frozenset("DIWEC"), ":"),
    Format(_uvicorn, frozenset("DIWEC"), ":"),
    Format(_dated(_GUNICORN, "pid", "level"), _BRACKET, "]"),
    Format(_dated(_FLASK, "level", "logger"), _BRACKET, "]"),
    Format(_dated(_CELERY, "level", "worker"), _BRACKET, "]"),
    Format(_with_dashes, _DAY, "-"),
    Format(_dated(_LOGURU, "level", "logger", "function", "line"), _DAY, "|"),
    Format(_structlog, _DAY, "]"),
)
