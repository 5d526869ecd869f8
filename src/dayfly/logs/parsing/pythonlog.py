"""Python: logging's usual formats, Flask, gunicorn, uvicorn, celery, structlog and loguru."""

import re

from dayfly.logs.parsing import access, levels, logfmt, times
from dayfly.logs.parsing.parsed import Known, Parsed, number_or_text
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


def parse(text: str, known: Known) -> Parsed | None:
    first = text[:1]
    if first.isalpha():
        return _basic(text) or _uvicorn(text)
    if first == "[":
        return _bracketed(text, known)
    if text[4:5] == "-":
        return _dated(text, known)
    return None


def _basic(text: str) -> Parsed | None:
    found = _BASIC.match(text)
    if not found:
        return None
    return Parsed(text[found.end() :], levels.of_word(found[1]), None, {"logger": found[2]})


def _uvicorn(text: str) -> Parsed | None:
    found = _UVICORN.match(text)
    if not found:
        return None
    message, fields = text[found.end() :], dict[str, Value]()
    if request := _UVICORN_ACCESS.match(message):
        fields = {"client": request[1], **access.of_request(request[2]), "status": int(request[3])}
    return Parsed(message, levels.of_word(found[1]), None, fields)


def _bracketed(text: str, known: Known) -> Parsed | None:
    for shape, names in (
        (_GUNICORN, ("pid", "level")),
        (_FLASK, ("level", "logger")),
        (_CELERY, ("level", "worker")),
    ):
        if found := shape.match(text):
            return _found(found, names, text[found.end() :], known)
    return None


def _dated(text: str, known: Known) -> Parsed | None:
    for shape, names in (
        (_DASHES, ("logger", "level")),
        (_LINE, ("level", "logger", "line")),
        (_LOGURU, ("level", "logger", "function", "line")),
    ):
        if found := shape.match(text):
            return _found(found, names, text[found.end() :], known)
    if found := _STRUCTLOG.match(text):
        message, fields = logfmt.tail(text[found.end() :])
        return _found(found, ("level",), message, known, fields)
    return None


def _found(
    found: re.Match[str],
    names: tuple[str, ...],
    message: str,
    known: Known,
    more: dict[str, Value] | None = None,
) -> Parsed:
    date, clock, fraction, zone, *words = found.groups()
    told = {name: word for name, word in zip(names, words, strict=True) if word}
    level = levels.of_word(told.pop("level"))
    fields: dict[str, Value] = {
        name: number_or_text(word) if name in {"pid", "line"} else word
        for name, word in told.items()
    }
    fields |= more or {}
    return Parsed(message, level, times.of_groups(date, clock, fraction, zone, known.zone), fields)
