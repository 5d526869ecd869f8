"""One line, or several joined, read as whatever it is."""

import re
from collections.abc import Callable

from dayfly.logs.parsing import (
    access,
    golang,
    haproxy,
    java,
    logfmt,
    node,
    objects,
    plain,
    postgres,
    pythonlog,
    syslog,
    times,
)
from dayfly.logs.parsing.parsed import Known, Parsed

Formats = tuple[Callable[[str, Known], Parsed | None], ...]

LONGEST = 1 << 20  # bytes of a line; a longer one is cut
TOLD_TIME = "told_time"  # the field that keeps a time which nobody believes
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# By the first character, the stricter before the laxer.
_DIGIT: Formats = (
    haproxy.parse, postgres.parse, java.parse, golang.parse, pythonlog.parse, node.parse,
    syslog.parse, access.parse,
)  # fmt: skip
_LETTER: Formats = (
    pythonlog.parse, node.parse, java.parse, golang.parse, syslog.parse, logfmt.parse, access.parse,
)  # fmt: skip
_BRACKET: Formats = (pythonlog.parse, node.parse, access.parse)
_OTHER: Formats = (access.parse, logfmt.parse)


def read(text: str, known: Known) -> Parsed:
    """Never fails: what nothing knows is plain text.

    A time more than an hour after the moment of reading, or more than 400 days before it, is kept
    as a field and the moment counts.
    """
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    parsed = _read(text, known)
    if parsed.time is None or times.believable(parsed.time, known.moment):
        return parsed
    told = {**parsed.fields, TOLD_TIME: times.shown(parsed.time)}
    return parsed._replace(time=None, fields=told)


def is_told(text: str) -> bool:
    """Whether a line tells a time, a level or fields of its own, as what a logger writes does."""
    parsed = read(text, Known(0))
    if parsed.time is not None or parsed.fields:
        return True
    return bool(parsed.level) and not plain.is_exception(text)


def text_of(line: bytes) -> str:
    """Bytes that are no UTF-8 become U+FFFD; NULs, of which files with holes are full, a sign."""
    text = line.decode(errors="replace")
    return text.lstrip("\0").replace("\0", "␀") if "\0" in text else text


def _read(text: str, known: Known) -> Parsed:
    first = text[:1]
    if first == "{":
        return objects.parse(text, known) or plain.parse(text, known)
    if first == "<":
        return syslog.parse(text, known) or plain.parse(text, known)
    if first.isdigit():
        formats = _DIGIT
    elif first.isalpha():
        formats = _LETTER
    else:
        formats = _BRACKET if first == "[" else _OTHER
    for parse in formats:
        if parsed := parse(text, known):
            return parsed
    return plain.parse(text, known)
