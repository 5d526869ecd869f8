"""Any other line: a time that begins it, and a level only where a clear word begins it."""

import re

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import Known, Parsed

_BEFORE_TIME = frozenset("0123456789[")
_TIME = re.compile(rf"\[?{times.ISO}\]?:?(?:\s+|$)")
_CAPITALS = re.compile(rf"[\[(<]?({levels.CLEAR})(?:[\])>]|:|\s|$)")
_MARKED = re.compile(
    r"(?:\[(trace|debug|info|notice|warn|warning|error|critical|fatal)\]"
    r"|(debug|info|notice|warning|error|fatal|critical|panic):|(fatal) (?:python )?error:)(?:\s|$)",
    re.IGNORECASE,
)
_NPM = re.compile(r"npm (ERR!|WARN|error|warn) ")
_SIGNAL = re.compile(r"SIG[A-Z]{2,6}: ")  # that ends a program of Go
_NODE = re.compile(r"\(node:\d+\) (?:\[\w+\] )?(Unhandled)?\w*Warning: ")
_EXCEPTION = re.compile(
    r"(?:Uncaught )?\[?(?:[A-Za-z_][\w.$]*)?(?:Error|Exception)(?: \[\w+\])?(?::|\s*\n)"
    r"|Traceback \(|Exception (?:in (?:thread|callback)|ignored) "
    r"|(?:Task|Future) exception was never retrieved|Task was destroyed but it is pending"
    r"|[A-Z][\w$]*[a-z]\w*: (?:.*\n){1,9}?\s+at "  # of Java and Node, called otherwise
    r"|(?:/|file://|node:)\S*:\d+\n.*\n\s*\^+\s*\n"  # Node shows the source first
)
# How a level begins: every one of the patterns above begins with one of these.
_WORD = re.compile(
    r"[\[(<]?(?:TRACE|DEBUG|VERB|INFO|NOTICE|WARN|ERROR|SEV|CRIT|FATAL|PANIC|ALERT|EMERG|SIG|npm )",
    re.IGNORECASE,
)


def parse(text: str, known: Known) -> Parsed:
    """The words stay in the message, but for the time."""
    found = _TIME.match(text) if text[:1] in _BEFORE_TIME else None
    if not found:
        return Parsed(text, level(text))
    date, clock, fraction, zone = found.groups()
    rest = text[found.end() :]
    time = times.of_groups(date, clock, fraction, zone, known.zone)
    if time is None:
        return Parsed(text, level(rest))
    return Parsed(rest, level(rest), time)


def level(text: str) -> str:
    if _WORD.match(text):
        if found := _CAPITALS.match(text) or _MARKED.match(text):
            return levels.of_word(next(filter(None, found.groups())))
        if found := _NPM.match(text):
            return "warning" if found[1].lower() == "warn" else "error"
        if _SIGNAL.match(text):
            return "critical"
    if text[:6] == "(node:" and (found := _NODE.match(text)):
        return "error" if found[1] else "warning"  # an error that nobody caught
    return "error" if is_exception(text) else ""


def is_exception(text: str) -> bool:
    """Whether it begins as what was thrown does, which is the middle of a record as often."""
    thrown = (
        "Error" in text or "Exception" in text or "\n" in text or text[:2] in {"Tr", "Ta", "Fu"}
    )
    return thrown and bool(_EXCEPTION.match(text))
