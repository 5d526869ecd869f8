"""Go: log, slog's default, zap's console, logrus' terminal, klog; and nginx' errors, so alike."""

import re

from dayfly.logs.parsing import levels, logfmt, objects, times
from dayfly.logs.parsing.parsed import DASHED, SLASHED, Format, Known, Parsed
from dayfly.logs.record import Value

_LOG = re.compile(r"(\d{4}/\d\d/\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? (?:([\w./-]+\.go):(\d+): )?")
_SERVING = "http: panic serving "  # of a request, which does not end the program
_SLOG = re.compile(r"(DEBUG|INFO|WARN|ERROR)(?:[+-]\d+)? ")
_NGINX = re.compile(
    r"\[(debug|info|notice|warn|error|crit|alert|emerg)\] (\d+)#(\d+): (?:\*(\d+) )?"
)
_ZAP = re.compile(
    rf"{times.ISO}\t(DEBUG|INFO|WARN|ERROR|DPANIC|PANIC|FATAL)\t(?:([\w./-]+:\d+)\t)?"
)
_LOGRUS = re.compile(r"(DEBU|TRAC|INFO|WARN|ERRO|FATA|PANI)\[\d+\] ")
_SHORT = {"DEBU": "debug", "TRAC": "debug", "ERRO": "error", "FATA": "critical", "PANI": "critical"}
_KLOG = re.compile(r"([IWEF])(\d\d)(\d\d) (\d\d:\d\d:\d\d)\.(\d{6}) +(\d+) ([\w./-]+:\d+)\] ")
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "critical"}


def _log(text: str, known: Known) -> Parsed | None:
    found = _LOG.match(text)
    if not found:
        return None
    date, clock, fraction, file, line = found.groups()
    time = times.of_groups(date, clock, fraction, None, known.zone)
    rest = text[found.end() :]
    if nginx := _NGINX.match(rest):
        fields: dict[str, Value] = {"pid": int(nginx[2])}
        fields |= {"connection": int(nginx[4])} if nginx[4] else {}
        return Parsed(rest[nginx.end() :], levels.of_word(nginx[1]), time, fields)
    if slog := _SLOG.match(rest):
        message, fields = logfmt.tail(rest[slog.end() :])
        return Parsed(message, levels.of_word(slog[1]), time, fields)
    level = "error" if rest.startswith(_SERVING) else ""
    return Parsed(rest, level, time, {"caller": f"{file}:{line}"} if file else {})


def _zap(text: str, known: Known) -> Parsed | None:
    found = _ZAP.match(text)
    if not found:
        return None
    date, clock, fraction, zone, level, caller = found.groups()
    message, tab, more = text[found.end() :].partition("\t{")
    told = objects.parse(f"{{{more}", known) if tab else None
    fields: dict[str, Value] = {"caller": caller} if caller else {}
    if told:
        fields |= told.fields
    else:
        message = text[found.end() :]
    time = times.of_groups(date, clock, fraction, zone, known.zone)
    return Parsed(message, levels.of_word(level), time, fields)


def _klog(text: str, known: Known) -> Parsed | None:
    found = _KLOG.match(text)
    if not found:
        return None
    letter, month, day, clock, fraction, pid, caller = found.groups()
    time = times.of_yearless(int(month), int(day), clock, fraction, known.zone, known.moment)
    fields: dict[str, Value] = {"pid": int(pid), "caller": caller}
    return Parsed(text[found.end() :], _KLOG_LEVELS[letter], time, fields)


def _logrus(text: str, _: Known) -> Parsed | None:
    found = _LOGRUS.match(text)
    if not found:
        return None
    message, fields = logfmt.tail(text[found.end() :])
    return Parsed(message, _SHORT.get(found[1]) or levels.of_word(found[1]), None, fields)


FORMATS = (
    Format(_log, frozenset((SLASHED,)), ":"),
    Format(_zap, frozenset((DASHED,)), "\t"),
    Format(_klog, frozenset("IWEF"), "]"),
    Format(_logrus, frozenset("DTIWEFP"), "]"),
)
