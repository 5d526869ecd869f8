"""Node: winston's and pino-pretty's lines; their JSON is read as any other's."""

import re

from dayfly.logs.parsing import levels, objects, times
from dayfly.logs.parsing.parsed import DASHED, Format, Known, Parsed
from dayfly.logs.record import Value

_LEVEL = "(error|warn|info|http|verbose|debug|silly)"
_SIMPLE = re.compile(rf"{_LEVEL}: ")
_DATED = re.compile(rf"{times.ISO}:? \[?{_LEVEL}\]?: ")
_PRETTY = re.compile(
    r"\[(?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d:\d\d)\.(\d{3})(?: ([+-]\d{4}))?\]"
    r" (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)(?: \((?:([^/()]+)/)?(\d+)\))?: "
)


def _simple(text: str, known: Known) -> Parsed | None:
    found = _SIMPLE.match(text)
    if not found:
        return None
    message, fields = _with_meta(text[found.end() :], known)
    return Parsed(message, levels.of_word(found[1]), None, fields)


def _dated(text: str, known: Known) -> Parsed | None:
    found = _DATED.match(text)
    if not found:
        return None
    date, clock, fraction, zone, level = found.groups()
    time = times.of_groups(date, clock, fraction, zone, known.zone)
    message, fields = _with_meta(text[found.end() :], known)
    return Parsed(message, levels.of_word(level), time, fields)


def _pretty(text: str, known: Known) -> Parsed | None:
    found = _PRETTY.match(text)
    if not found:
        return None
    date, clock, fraction, zone, level, name, pid = found.groups()
    if date:
        time = times.of_groups(date, clock, fraction, zone, known.zone)
    else:
        time = times.of_clock(clock, fraction, known.zone, known.moment)
    fields: dict[str, Value] = {"name": name} if name else {}
    fields |= {"pid": int(pid)} if pid else {}
    return Parsed(text[found.end() :], levels.of_word(level), time, fields)


def _with_meta(text: str, known: Known) -> tuple[str, dict[str, Value]]:
    """Winston's `simple` ends a line with what was given beside the message."""
    message, brace, rest = text.partition(" {")
    told = objects.parse(f"{{{rest}", known) if brace and "\n" not in rest else None
    if not told:
        return text, {}
    return message, told.fields


FORMATS = (
    Format(_dated, frozenset((DASHED,)), ":"),
    Format(_simple, frozenset("ewihvds"), ":"),
    Format(_pretty, frozenset("["), "]"),
)
