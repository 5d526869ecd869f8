"""One line, or several joined, read as whatever it is."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from dayfly.logs.parsing import (
    access,
    golang,
    haproxy,
    httplog,
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
from dayfly.logs.parsing.parsed import DASHED, DIGITS, NUMBER, SLASHED, Format, Known, Parse, Parsed

LONGEST = 1 << 20  # bytes of a line; a longer one is cut
TOLD_TIME = "told_time"  # the field that keeps a time which nobody believes
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_COLOURED = "\x1b"
# The stricter before the laxer.
FORMATS: tuple[Format, ...] = (
    pythonlog.USUAL, access.USUAL, *objects.FORMATS, *haproxy.FORMATS, *httplog.FORMATS,
    *postgres.FORMATS, *java.FORMATS, *golang.FORMATS, *pythonlog.FORMATS, *node.FORMATS,
    *syslog.FORMATS, *logfmt.FORMATS,
)  # fmt: skip
SIGNS = tuple(sorted({each.sign for each in (*FORMATS, access.FORMAT)} | {_COLOURED}))
_CLEAR = frozenset(("{", "<", NUMBER))  # what begins so is looked at already
TOGETHER = 128  # lines in which signs are looked for at once
_NUMBERS = {"-": DASHED, "/": SLASHED}  # by the fifth letter
_Parses = dict[str, tuple[Parse, ...]]


def read(text: str, known: Known) -> Parsed:
    """Never fails: what nothing knows is plain text.

    A time more than an hour after the moment of reading, or more than 400 days before it, is kept
    as a field and the moment counts.
    """
    return next(read_all((text,), known))


def read_all(texts: Sequence[str], known: Known) -> Iterator[Parsed]:
    """Each as `read` has it, quicker together: lines of one file are like each other."""
    earliest, latest = known.moment - times.EARLIEST, known.moment + times.LATEST
    for begin in range(0, len(texts), TOGETHER):
        some = texts[begin : begin + TOGETHER]
        whole = some[0] if len(some) == 1 else "\0".join(some)
        if _COLOURED in whole:
            some = [_COLOURS.sub("", text) for text in some]
            whole = "\0".join(some)
        parses = _parses(tuple([sign in whole for sign in SIGNS]))
        rest = parses[""]
        for text in some:
            first = text[:1]
            name = first if first not in DIGITS else _NUMBERS.get(text[4:5], NUMBER)
            for parse in parses.get(name, rest):
                if parsed := parse(text, known):
                    break
            else:
                parsed = plain.parse(text, known)
            time = parsed.time
            if time is None or earliest <= time <= latest:
                yield parsed
            else:
                parsed.fields[TOLD_TIME] = times.shown(time)
                parsed.time = None
                yield parsed


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


@lru_cache(maxsize=1024)
def _parses(there: tuple[bool, ...]) -> _Parses:
    """By a line's key what may read it, where of all signs some are there; "" is any other key."""
    signs = {sign for sign, is_there in zip(SIGNS, there, strict=True) if is_there}
    formats = [each for each in FORMATS if each.sign in signs]
    last = (access.FORMAT.parse,) if access.FORMAT.sign in signs else ()
    keys = {"", *(name for each in FORMATS for name in each.begins)}
    return {
        name: (
            *(each.parse for each in formats if name in each.begins),
            *(last if name not in _CLEAR else ()),
        )
        for name in keys
    }
