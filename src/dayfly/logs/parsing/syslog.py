"""Syslog: RFC 5424, RFC 3164, and the two ways in which files keep it without its priority."""

import re

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import Known, Parsed, number_or_text
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
_OLD = re.compile(rf"({times.MONTH}) ([ \d]\d) (\d\d:\d\d:\d\d)(?:\.(\d{{1,9}}))? (\S+) {_TAG}")
_FILE = re.compile(rf"{times.ISO} (\S+) {_TAG}")


def parse(text: str, known: Known) -> Parsed | None:
    found = _PRIORITY.match(text)
    if not found:
        return _old(text, known, {}, "") or _file(text, known)
    facility, severity = divmod(int(found[1]), 8)
    if facility >= len(FACILITIES):
        return None
    rest = text[found.end() :]
    fields: dict[str, Value] = {"facility": FACILITIES[facility]}
    level = levels.of_severity(severity)
    return _modern(rest, known, fields, level) or _old(rest, known, fields, level)


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
    return Parsed(
        message, level, times.of_iso(at, known.zone), fields, _origin(host=host, process=process)
    )


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
    return Parsed(text[found.end() :], level, time, fields, _origin(host=host, process=process))


def _file(text: str, known: Known) -> Parsed | None:
    """As rsyslog writes files today: `2026-11-27T03:00:00.123456+00:00 host cron[12]: …`."""
    found = _FILE.match(text) if text[10:11] == "T" else None
    if not found or not found[4]:
        return None
    host, process, pid = found.groups()[4:]
    time = times.of_match(found, known.zone)
    fields: dict[str, Value] = {"pid": number_or_text(pid)} if pid else {}
    return Parsed(text[found.end() :], "", time, fields, _origin(host=host, process=process))


def _origin(**told: str) -> dict[str, str]:
    return {name: word for name, word in told.items() if word != "-"}
