"""A JSON object, as structlog, pino, bunyan, winston, zap, logrus, slog and logback write them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from dayfly.logs.parsing import journald, levels, loose, times
from dayfly.logs.parsing.parsed import Known, Parsed
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
_TIMES, _LEVELS, _MESSAGES = map(frozenset, (TIMES, LEVELS, MESSAGES))


def parse(text: str, known: Known) -> Parsed | None:
    if not text.startswith("{"):
        return None
    try:
        found = loose.decoded(text)
    except loose.BROKEN:
        return None
    if journald.TIME in found and (entry := journald.of_entry(found)):
        return entry
    fields = flat(found)
    return None if fields is None else of_fields(fields, text, known)


def of_fields(fields: dict[str, Value], text: str, known: Known) -> Parsed:
    """Take time, level and message out of fields; what is not understood stays there."""
    names = fields.keys()
    time = level = None
    for name in TIMES if not _TIMES.isdisjoint(names) else ():
        if name in fields and (time := times.told(fields[name], known.zone)) is not None:
            del fields[name]
            break
    for name in LEVELS if not _LEVELS.isdisjoint(names) else ():
        if name in fields and (level := _level(fields[name])):
            del fields[name]
            break
    for name in MESSAGES if not _MESSAGES.isdisjoint(names) else ():
        if isinstance(said := fields.get(name), str):
            del fields[name]
            return Parsed(said.rstrip("\n"), level or "", time, fields)
    return Parsed(text, level or "", time, fields)


def flat(found: Mapping[str, Any]) -> dict[str, Value] | None:
    """Names of what lies deeper are joined by dots; None when it is too much."""
    fields: dict[str, Value] = {}
    for name, value in found.items():
        if isinstance(value, str | bool | float) or (
            isinstance(value, int) and -_LARGEST <= value < _LARGEST
        ):
            fields[name] = value
        elif value is not None and not _deeper(name, value, fields, DEEPEST):
            return None
    return fields if len(fields) <= MOST_FIELDS else None


def _deeper(name: str, value: Any, fields: dict[str, Value], depth: int) -> bool:  # noqa: ANN401
    """Whether there is room for it."""
    if isinstance(value, dict) and value and depth:
        return len(fields) <= MOST_FIELDS and all(
            _deeper(f"{name}.{inner}", each, fields, depth - 1) for inner, each in value.items()
        )
    if isinstance(value, str | bool | float):
        fields[name] = value
    elif isinstance(value, int):
        fields[name] = value if -_LARGEST <= value < _LARGEST else str(value)
    elif value is not None:
        fields[name] = msgspec.json.encode(value).decode()
    return True


def _level(value: Value) -> str:
    if isinstance(value, str):
        return levels.of_word(value)
    return "" if isinstance(value, bool) else levels.of_number(value)
