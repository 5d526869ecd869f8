"""PostgreSQL's log: stderr with the usual prefixes, and csvlog; its jsonlog is read as any JSON."""

import csv
import re

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import DASHED, DATED, Format, Known, Parsed
from dayfly.logs.record import Value

_SEVERITY = (
    "(DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT)"
)
_LINE = re.compile(rf"{times.ISO}(.{{0,200}}?) ?{_SEVERITY}:  ")
_PID = re.compile(r"\[(\d+)(?:-\d+)?\]")
_PAIRS = re.compile(r"\b(user|db|app|client|host)=([^,\s]*)")
_AT = re.compile(r"(?:^|[\s:])([\w.-]+|\[unknown\])@([\w.-]+|\[unknown\])")
_NAMES = {"db": "database", "app": "application", "host": "client"}
_COLUMNS = (
    "time", "user", "database", "pid", "client", "session", "session_line", "command",
    "session_start", "virtual_transaction", "transaction", "level", "code", "message", "detail",
    "hint", "internal_query", "internal_position", "context", "statement", "position", "location",
    "application", "backend", "leader", "query",
)  # fmt: skip
_FEWEST_COLUMNS = 23
_PREFIX = 300  # characters in which a severity comes
_LEFT_OUT = frozenset({"time", "level", "message", "session_start", "session_line"})
_WHOLE = frozenset({"pid", "leader", "query", "position", "transaction"})


def _line(text: str, known: Known) -> Parsed | None:
    found = _LINE.match(text) if ":  " in text[:_PREFIX] else None
    if not found:
        return None
    date, clock, fraction, zone, prefix, severity = found.groups()
    fields: dict[str, Value] = {}
    if pid := _PID.search(prefix):
        fields["pid"] = int(pid[1])
    if at := _AT.search(prefix):
        fields |= {"user": at[1], "database": at[2]}
    for name, word in _PAIRS.findall(prefix):
        fields |= {_NAMES.get(name, name): word} if word else {}
    if levels.of_word(severity) == "info" and severity not in {"LOG", "INFO", "NOTICE"}:
        fields["part"] = severity.lower()  # of the message before it
    time = times.of_groups(date, clock, fraction, zone, known.zone)
    return Parsed(text[found.end() :], levels.of_word(severity), time, fields)


def _csv(text: str, known: Known) -> Parsed | None:
    if text.count(",") < _FEWEST_COLUMNS - 1:
        return None
    try:
        row = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration):
        return None
    told = dict(zip(_COLUMNS, row, strict=False))
    level = levels.of_word(told.get("level", ""))
    time = times.of_iso(told["time"], known.zone)
    if not _FEWEST_COLUMNS <= len(row) <= len(_COLUMNS) or not level or time is None:
        return None
    fields: dict[str, Value] = {
        name: int(word) if name in _WHOLE and word.isdecimal() else word
        for name, word in told.items()
        if word and name not in _LEFT_OUT
    }
    return Parsed(told["message"], level, time, fields)


FORMATS = (Format(_line, DATED, ":"), Format(_csv, frozenset((DASHED,)), ","))
