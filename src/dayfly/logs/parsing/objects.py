"""A JSON object, as structlog, pino, bunyan, winston, zap, logrus, slog and logback write them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from dayfly import typed
from dayfly.logs.parsing import journald, levels, loose, times
from dayfly.logs.parsing.parsed import Format, Known, Parsed
from dayfly.logs.record import Value

TIMES = ("time", "timestamp", "@timestamp", "ts", "t", "datetime", "date", "asctime", "@t")
LEVELS = (
    "level", "severity", "lvl", "log.level", "levelname", "loglevel", "level_name",
    "error_severity", "severity_text", "@l",
)  # fmt: skip
MESSAGES = ("message", "msg", "event", "@m", "body", "log")
MOST_FIELDS = 200  # more are data, not fields, and stay text
DEEPEST = 8
_LARGEST = 1 << 63
Names = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_SHORT, _FEW = 2000, 50  # names of usual lines are remembered
_SCALARS = frozenset((str, bool, float))
_Whole = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST - 1)]
_decode_flat = typed.decoder(dict[str, str | _Whole | float | bool]).decode


def parse(text: str, known: Known) -> Parsed | None:
    if not text.startswith("{"):
        return None
    fields = plainly(text) if text.find("{", 1) < 0 else None
    if fields is None or journald.TIME in fields:
        return _deep(text, known)
    return of_fields(fields, text, known)


def plainly(text: str | bytes) -> dict[str, Value] | None:
    """An object in which nothing is nested; None where it is something else, or too much."""
    try:
        fields = _decode_flat(text)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return fields if len(fields) <= MOST_FIELDS else None


def _deep(text: str, known: Known) -> Parsed | None:
    try:
        found = loose.decoded(text)
    except loose.BROKEN:
        return None
    if journald.TIME in found and (entry := journald.of_entry(found)):
        return entry
    fields = flat(found)
    return None if fields is None else of_fields(fields, text, known)


def is_usual(names: tuple[str, ...]) -> bool:
    """Whether names may be remembered: as they come from a logger, and not to fill the memory."""
    return len(names) < _FEW and len("".join(names)) < _SHORT


def of_fields(fields: dict[str, Value], text: str, known: Known) -> Parsed:
    """Take time, level and message out of fields; what is not understood stays there."""
    names = tuple(fields)
    return of_named(fields, text, known, _named(names) if is_usual(names) else named(names))


def of_named(fields: dict[str, Value], text: str, known: Known, names: Names) -> Parsed:
    """The same where it is known which of the names may be what."""
    time_names, level_names, message_names = names
    time, level = None, ""
    for name in time_names:
        if (time := times.told(fields[name], known.zone)) is not None:
            del fields[name]
            break
    for name in level_names:
        if level := level_of(fields[name]):
            del fields[name]
            break
    for name in message_names:
        if isinstance(said := fields[name], str):
            del fields[name]
            return Parsed(said.rstrip("\n"), level, time, fields)
    return Parsed(text, level, time, fields)


def named(names: tuple[str, ...]) -> Names:
    """Those of a time, a level and a message, in their order."""
    there = set(names)
    found = [tuple(each for each in known if each in there) for known in (TIMES, LEVELS, MESSAGES)]
    return found[0], found[1], found[2]


_named = lru_cache(maxsize=512)(named)  # one logger's lines have the same


def flat(found: Mapping[str, Any]) -> dict[str, Value] | None:
    """Names of what lies deeper are joined by dots; None when it is too much."""
    fields: dict[str, Value] = {}
    for name, value in found.items():
        kind = type(value)
        if kind in _SCALARS or (kind is int and -_LARGEST <= value < _LARGEST):
            fields[name] = value
        elif value is not None and not _deeper(name, value, fields, DEEPEST):
            return None
    return fields if len(fields) <= MOST_FIELDS else None


def _deeper(name: str, value: Any, fields: dict[str, Value], depth: int) -> bool:  # noqa: ANN401
    """Whether there is room for it."""
    if isinstance(value, dict) and value and depth:
        for inner, each in value.items():
            if type(each) in _SCALARS:
                fields[f"{name}.{inner}"] = each
            elif not _deeper(f"{name}.{inner}", each, fields, depth - 1):
                return False
        return len(fields) <= MOST_FIELDS
    if type(value) in _SCALARS:
        fields[name] = value
    elif isinstance(value, int):
        fields[name] = value if -_LARGEST <= value < _LARGEST else str(value)
    elif value is not None:
        fields[name] = msgspec.json.encode(value).decode()
    return True


def level_of(value: Value) -> str:
    """Of whatever a logger writes under the name of a level; empty when it is none."""
    if isinstance(value, str):
        return levels.of_word(value)
    return "" if isinstance(value, bool) else levels.of_number(value)


FORMATS = (Format(parse, frozenset("{"), ""),)
