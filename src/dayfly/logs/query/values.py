"""What stands behind `name:`: a value, a comparison, a range, a beginning, a pattern, a list."""

import re

from dayfly.logs.query import instants
from dayfly.logs.query.cursor import Cursor, Run
from dayfly.logs.query.meaning import text_of
from dayfly.logs.query.tree import And, Compare, Exists, Matches, Node, Operator, Or, Starts
from dayfly.logs.query.words import of_message

LEVELS = ("debug", "info", "warning", "error", "critical")
_OPERATORS: tuple[Operator, ...] = (">=", "<=", "!=", ">", "<", "=")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_A_VALUE = (
    'a value, such as `error`, `>=500`, `500..599`, `"two words"`, `/regex/`, `(a OR b)`, `*`'
)


def condition(cursor: Cursor, name: str) -> Node:
    """The condition on a field whose `name:` has been read."""
    if cursor.next("("):
        return _list(cursor, name)
    at = cursor.at
    if cursor.take("~"):
        if not cursor.next("/"):
            cursor.expected("a /regex/ after `~`")
        return _matches(cursor, name, cursor.regex(), at)
    op = next((op for op in _OPERATORS if cursor.take(op)), None)
    return _single(cursor, name) if op is None else _compared(cursor, name, op)


def number(text: str) -> int | float | None:
    if not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("-").isdigit() and _SMALLEST <= int(text) <= _LARGEST:
        return int(text)
    found = float(text)
    return found if abs(found) != float("inf") else None


def _list(cursor: Cursor, name: str) -> Node:
    cursor.take("(")
    cursor.blanks()
    parts = [_single(cursor, name)]
    cursor.blanks()
    while not cursor.take(")"):
        if not cursor.keyword("OR"):
            cursor.expected("OR or `)` after a value of a list")
        cursor.take("OR")
        cursor.blanks()
        parts.append(_single(cursor, name))
        cursor.blanks()
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _single(cursor: Cursor, name: str) -> Node:
    """A value without an operator before it."""
    at = cursor.at
    if cursor.next('"'):
        return _quoted(cursor, name, "=", words=True)
    if pattern := cursor.regex_value():
        return _matches(cursor, name, pattern, at)
    run = _value(cursor)
    if run.star and not run.text:
        return Exists(name)
    if name == "message":
        return of_message(cursor, run)
    if not run.escaped and not run.star and (found := _range(cursor, name, run)):
        return found
    return _plain(cursor, name, "=", run)


def _compared(cursor: Cursor, name: str, op: Operator) -> Node:
    if cursor.next('"'):
        return _quoted(cursor, name, op, words=False)
    run = _value(cursor)
    if op == "=":
        return _plain(cursor, name, op, run)
    if run.star:
        cursor.refuse(f"found `*` after `{op}`, allowed is a whole value", cursor.at - 1)
    if name == "level" and op != "!=" and number(run.text) is None:
        return _levels(cursor, op, run)
    if op != "!=" and name != "time" and number(run.text) is None:
        cursor.refuse(
            f"found `{run.text}` after `{op}`, allowed is a number"
            f' (to compare as text, quote it: `{op}"{run.text}"`)',
            run.at,
        )
    return _plain(cursor, name, op, run)


def _value(cursor: Cursor) -> Run:
    if cursor.word_ended or cursor.next("("):
        cursor.expected(_A_VALUE)
    return cursor.run()


def _quoted(cursor: Cursor, name: str, op: Operator, *, words: bool) -> Node:
    at = cursor.at
    text = cursor.quoted()
    star = bool(cursor.take("*"))
    if not cursor.word_ended:
        cursor.expected("a blank after the closing quote")
    run = Run(text, at, escaped=True, star=star)
    if star and op != "=":
        cursor.refuse(f"found `*` after `{op}`, allowed is a whole value", cursor.at - 1)
    if name == "message" and words:
        return of_message(cursor, run)
    return _plain(cursor, name, op, run)


def _plain(cursor: Cursor, name: str, op: Operator, run: Run) -> Node:
    if name == "time":
        return _moment(cursor, op, run)
    if run.star:
        return Starts(name, run.text)
    if run.escaped:
        return Compare(name, op, run.text)
    text = run.text.lower() if name == "level" else run.text
    value = number(text)
    if value is None:
        return Compare(name, op, text)
    if op not in ("=", "!=") or text_of(value) == text:
        return Compare(name, op, value)
    both = (Compare(name, op, value), Compare(name, op, text))
    return Or(both) if op == "=" else And(both)


def _range(cursor: Cursor, name: str, run: Run) -> Node | None:
    left, dots, right = run.text.partition("..")
    if not dots:
        return None
    if name == "time":
        first, last = instants.span(left), instants.span(right)
        if not (first and last):
            return _not_a_time(cursor, run)
        return And((Compare(name, ">=", first[0]), Compare(name, "<", last[1])))
    one, other = number(left), number(right)
    if one is not None and other is not None:
        return And((Compare(name, ">=", one), Compare(name, "<=", other)))
    if one is not None or other is not None:
        cursor.refuse(
            f"found `{run.text}`, allowed is a range from number to number such as 500..599"
            f" (or {name}:>=500; a text with `..` is to be quoted)",
            run.at,
        )
    return None


def _levels(cursor: Cursor, op: Operator, run: Run) -> Node:
    if (level := run.text.lower()) not in LEVELS:
        cursor.refuse(f"found `{run.text}`, allowed are {', '.join(LEVELS)}", run.at)
    place = LEVELS.index(level)
    below, above = LEVELS[: place + (op == "<=")], LEVELS[place + (op == ">") :]
    found = tuple(Compare("level", "=", name) for name in (below if op[0] == "<" else above))
    if not found:
        cursor.refuse(f"no level is {op} {level}; {', '.join(LEVELS)} is their order", run.at)
    return found[0] if len(found) == 1 else Or(found)


def _moment(cursor: Cursor, op: Operator, run: Run) -> Node:
    """A date is its first moment after an operator, and the whole of it without one."""
    found = None if run.star else instants.span(run.text)
    if not found:
        return _not_a_time(cursor, run)
    begin, end = found
    if op not in ("=", "!=") or end == begin + 1:
        return Compare("time", op, begin)
    if op == "=":
        return And((Compare("time", ">=", begin), Compare("time", "<", end)))
    return Or((Compare("time", "<", begin), Compare("time", ">=", end)))


def _not_a_time(cursor: Cursor, run: Run) -> Node:
    cursor.refuse(f"found `{run.text}` as a time, allowed is {instants.ALLOWED}", run.at)


def _matches(cursor: Cursor, name: str, pattern: str, at: int) -> Node:
    if name == "time":
        cursor.refuse(f"found a regular expression, allowed is {instants.ALLOWED}", at)
    return Matches(name, pattern)
