"""What comes after `|`: counting, the most frequent, percentiles, patterns, and fields."""

import re

from dayfly.config.units import Duration, UnitError
from dayfly.logs.query.cursor import NAME, Cursor
from dayfly.logs.query.tree import Count, Patterns, Percentile, Pipe, Select, Top

MOST_TOP = 10_000
_VERB = re.compile(r"[a-z]+[0-9.]*")
_NUMBER = re.compile(r"[0-9]+")
_PERCENTILE = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,6})?)")
_DURATION = re.compile(r"[0-9][0-9a-zA-Z.]*")
_HUNDRED = 100
_PIPES = "`count() by …`, `top 10 field`, `p99(field) by …`, `patterns` or `fields …`"


def pipe(cursor: Cursor) -> Pipe:
    """The pipe whose `|` has been read."""
    cursor.blanks()
    at = cursor.at
    verb = cursor.matched(_VERB)
    percentile = _PERCENTILE.fullmatch(verb)
    if percentile:
        found: Pipe = _percentile(cursor, float(percentile[1]), at)
    elif verb == "count":
        found = _count(cursor)
    elif verb == "top":
        found = _top(cursor)
    elif verb == "patterns":
        found = Patterns()
    elif verb == "fields":
        found = Select(_names(cursor))
    else:
        cursor.at = at
        cursor.expected(_PIPES)
    cursor.blanks()
    return found


def _count(cursor: Cursor) -> Count:
    if cursor.take("("):
        cursor.blanks()
        if not cursor.take(")"):
            cursor.expected("`)`: count() counts records")
    if not _by(cursor):
        return Count()
    names, every = list[str](), None
    while True:
        cursor.blanks()
        at = cursor.at
        if written := cursor.matched(_DURATION):
            if every is not None:
                cursor.refuse(f"found `{written}`, allowed is one duration", at)
            every = _duration(cursor, written, at)
        else:
            names.append(_name(cursor, "the name of a field or a duration such as 5m"))
        cursor.blanks()
        if not cursor.take(","):
            return Count(tuple(names), every)


def _duration(cursor: Cursor, written: str, at: int) -> float:
    try:
        found = float(Duration.parse(written))
    except UnitError as error:
        cursor.refuse(f"found `{written}`, {error.message}", at)
    if not found:
        cursor.refuse(f"found `{written}`, allowed is more than nothing", at)
    return found


def _top(cursor: Cursor) -> Top:
    cursor.blanks()
    at = cursor.at
    written = cursor.matched(_NUMBER)
    if not written:
        cursor.expected("a number and the name of a field, as in `top 10 path`")
    if len(written) > len(str(MOST_TOP)) or not 1 <= int(written) <= MOST_TOP:
        cursor.refuse(f"found `{written}`, allowed is 1 to {MOST_TOP}", at)
    if not cursor.blanks():
        cursor.expected("a blank and the name of a field, as in `top 10 path`")
    return Top(int(written), _name(cursor, "the name of a field, as in `top 10 path`"))


def _percentile(cursor: Cursor, percent: float, at: int) -> Percentile:
    if percent > _HUNDRED:
        cursor.refuse("found a percentile above 100, allowed is p0 to p100", at)
    if not cursor.take("("):
        cursor.expected("`(` and the name of a field, as in `p99(duration)`")
    cursor.blanks()
    name = _name(cursor, "the name of a field, as in `p99(duration)`")
    cursor.blanks()
    if not cursor.take(")"):
        cursor.expected("`)`")
    return Percentile(percent, name, _names(cursor) if _by(cursor) else ())


def _by(cursor: Cursor) -> bool:
    cursor.blanks()
    if cursor.ended or cursor.next("|"):
        return False
    if not cursor.take("by ", "by\t", "by\n"):
        cursor.expected("`by` and names of fields, or the end")
    return True


def _names(cursor: Cursor) -> tuple[str, ...]:
    names = list[str]()
    while not names or cursor.take(","):
        cursor.blanks()
        names.append(_name(cursor, "the name of a field"))
        cursor.blanks()
    return tuple(names)


def _name(cursor: Cursor, allowed: str) -> str:
    at = cursor.at
    name = cursor.quoted() if cursor.next('"') else cursor.matched(NAME)
    if not name:
        cursor.at = at
        cursor.expected(allowed)
    return name
