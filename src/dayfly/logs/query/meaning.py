"""What a query finds, said as plainly as can be; the store's answers are tested against it."""

import operator
import re
from collections.abc import Callable
from typing import Any

from dayfly.logs.query import patterns, tree
from dayfly.logs.record import Record, Value

ATTRIBUTES = (
    "time", "message", "app", "release", "machine", "host", "process", "stream", "level",
)  # fmt: skip
_TOKEN = re.compile(r"\w+")
_EXACT = 2**53  # below it a float is the very number
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def matches(node: tree.Node, record: Record) -> bool:  # noqa: C901, PLR0911 - one case a kind
    match node:
        case tree.Everything():
            return True
        case tree.Word(text):
            return text.lower() in tokens(record.message)
        case tree.Prefix(text):
            return any(token.startswith(text.lower()) for token in tokens(record.message))
        case tree.Phrase(text):
            return text.lower() in record.message.lower()
        case tree.Regex(pattern):
            return patterns.searched(pattern, record.message)
        case tree.And(parts):
            return all(matches(part, record) for part in parts)
        case tree.Or(parts):
            return any(matches(part, record) for part in parts)
        case tree.Not(part):
            return not matches(part, record)
        case _:
            found = value_of(record, node.name)
            return found is not None and _fits(node, found)


def tokens(message: str) -> list[str]:
    """The words of a message: runs of letters, digits and `_`, in small letters."""
    return [token.lower() for token in _TOKEN.findall(message)]


def value_of(record: Record, name: str) -> Value | None:
    """An attribute or a field; None when the record does not have it.

    Of an attribute, an empty text and release 0 mean that nobody told: it is not there.
    """
    if name in ATTRIBUTES:
        value: Value = getattr(record, name)
        return value if name == "time" else value or None
    return record.fields.get(name)


def text_of(value: Value) -> str:
    """A value as JSON writes it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def group_text(value: Value) -> str:
    """As `text_of`, but 500.0 is 500, as for a condition: what is found together is one group."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return str(int(value)) if whole else text_of(value)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fits(node: tree.Compare | tree.Starts | tree.Matches | tree.Exists, found: Value) -> bool:
    match node:
        case tree.Compare(_, op, value):
            numbers = is_number(found) and is_number(value)
            one, other = (found, value) if numbers else (text_of(found), text_of(value))
            return bool(OPERATORS[op](one, other))
        case tree.Starts(_, text):
            return text_of(found).startswith(text)
        case tree.Matches(_, pattern):
            return patterns.searched(pattern, text_of(found))
        case tree.Exists():
            return True
