"""Syslog: RFC 5424, RFC 3164, and the two ways in which files keep it without its priority.

Of RFC 3164 there are many ways: without a host (Docker), and with a time of ISO 8601 (rsyslog).
"""

import re
from collections.abc import Callable

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.httplog import in_syslog
from dayfly.logs.parsing.parsed import DATED, MONTHS, Format, Known, Parsed, number_or_text
from dayfly.logs.record import Value

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
)  # fmt: skip
_PRIORITY = re.compile(r"<(\d{1,3})>")
_MODERN = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|\[)")
_PARAMETER = re.compile(r' ([^\s=\]"]+)="([^"\\\]]*(?:\\.[^"\\\]]*)*)"')
_ELEMENT = re.compile(r"\[([^\s=\]\"]+)")
_TAG = r"([^\s\[\]:]{1,64})(?:\[([\w.-]{1,32})\])?:(?: |$)"
_HOST = r"(?:(\S*[^\s:]) )??"
_OLD = re.compile(rf"({times.MONTH}) ([ \d]\d) (\d\d:\d\d:\d\d)(?:\.(\d{{1,9}}))? {_HOST}{_TAG}")
_FILE = re.compile(rf"{times.ISO} (\S+) {_TAG}")

_Shape = Callable[[str, Known, dict[str, Value], str], Parsed | None]


def parse(text: str, known: Known) -> Parsed | None:
    told = of_priority(text)
    if not told:
        return None if text[:1] == "<" else _shaped(text, known, {}, "", (_old, _file))
    return _shaped(told.message, known, dict(told.fields), told.level, (_modern, _old, _file))


def _shaped(
    text: str, known: Known, fields: dict[str, Value], level: str, shapes: tuple[_Shape, ...]
) -> Parsed | None:
    return next(filter(None, (shape(text, known, fields, level) for shape in shapes)), None)


def of_priority(text: str) -> Parsed | None:
    """A message of which nothing but its priority is as it should be."""
    found = _PRIORITY.match(text)
    facility, severity = divmod(int(found[1]), 8) if found else (len(FACILITIES), 0)
    if not found or facility >= len(FACILITIES):
        return None
    fields: dict[str, Value] = {"facility": FACILITIES[facility]}
    return Parsed(text[found.end() :].lstrip(" "), levels.of_severity(severity), None, fields)


def _modern(text: str, known: Known, fields: dict[str, Value], level: str) -> Parsed | None:
    found = _MODERN.match(text)
    if not found:
        return None
    at, host, process, pid, kind, _ = found.groups()
    position = _structured(text, found.end() - 1, fields)
    if position is None:
        return None
    fields |= {"pid": number_or_text(pid)} if pid != "-" else {}
    fields |= {"msgid": kind} if kind != "-" else {}
    message = text[position:].removeprefix(" ").removeprefix("\ufeff")
    time = times.of_iso(at, known.zone)
    return in_syslog(Parsed(message, level, time, fields, _origin(host, process)))


def _structured(text: str, position: int, fields: dict[str, Value]) -> int | None:
    """Where the structured data end; None when they are malformed."""
    if text[position] == "-":
        return position + 1
    while found := _ELEMENT.match(text, position):
        position = found.end()
        while pair := _PARAMETER.match(text, position):
            fields[f"{found[1]}.{pair[1]}"] = re.sub(r'\\(["\\\]])', r"\1", pair[2])
            position = pair.end()
        if text[position : position + 1] != "]":
            return None
        position += 1
    return position


def _old(text: str, known: Known, fields: dict[str, Value], level: str) -> Parsed | None:
    found = _OLD.match(text)
    if not found:
        return None
    month, day, clock, fraction, host, process, pid = found.groups()
    time = times.of_yearless(
        times.month_number(month), int(day), clock, fraction, known.zone, known.moment
    )
    fields |= {"pid": number_or_text(pid)} if pid else {}
    message = text[found.end() :]
    return in_syslog(Parsed(message, level, time, fields, _origin(host, process)))


def _file(text: str, known: Known, fields: dict[str, Value], level: str) -> Parsed | None:
    """As rsyslog writes files today: `2026-11-27T03:00:00.123456+00:00 host cron[12]: …`."""
    found = _FILE.match(text) if text[10:11] == "T" else None
    if not found or not found[4]:
        return None
    host, process, pid = found.groups()[4:]
    time = times.of_match(found, known.zone)
    fields |= {"pid": number_or_text(pid)} if pid else {}
    message = text[found.end() :]
    return in_syslog(Parsed(message, level, time, fields, _origin(host, process)))


def _origin(host: str | None, process: str | None) -> dict[str, str]:
    origin = {}
    if host and host != "-":
        origin["host"] = host
    if process and process != "-":
        origin["process"] = process
    return origin


def _old_in_file(text: str, known: Known) -> Parsed | None:
    return _old(text, known, {}, "")


def _new_in_file(text: str, known: Known) -> Parsed | None:
    return _file(text, known, {}, "") if text[10:11] == "T" else None


FORMATS = (
    Format(parse, frozenset("<"), ""),
    Format(_old_in_file, MONTHS, ":"),
    Format(_new_in_file, DATED, "T"),
)
