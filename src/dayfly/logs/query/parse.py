"""From the text of a query to its tree. `NOT` binds closest, then AND (or a blank), then OR."""

import re

from dayfly.logs.query.cursor import NAME, Cursor, Run
from dayfly.logs.query.pipes import pipe
from dayfly.logs.query.tree import And, Everything, Node, Not, Or, Query
from dayfly.logs.query.tree import Regex as RegexNode
from dayfly.logs.query.values import condition
from dayfly.logs.query.words import of_message

LONGEST = 10_000  # characters of a query
DEEPEST = 50  # parentheses and NOTs in each other
_FIELD = re.compile(NAME.pattern + r":(?!//)")
_TERM = 'a word, "a phrase", /regex/, field:value, NOT or `(`'


def parse(text: str) -> Query:
    """The tree of a query; QueryError says at which column it is wrong, and what is allowed."""
    cursor = Cursor(text)
    if len(text) > LONGEST:
        cursor.refuse(f"a query of {len(text)} characters, allowed are {LONGEST}", LONGEST)
    cursor.blanks()
    where = Everything() if cursor.ended or cursor.next("|") else _either(cursor, DEEPEST)
    pipes = (pipe(cursor),) if cursor.take("|") else ()
    if cursor.next("|"):
        cursor.refuse("found a second `|`, allowed is one")
    if not cursor.ended:
        cursor.expected("`|` or the end" if pipes else "`(` before it")
    return Query(where, pipes)


def _either(cursor: Cursor, depth: int) -> Node:
    parts = [_all(cursor, depth)]
    while cursor.keyword("OR"):
        cursor.take("OR")
        cursor.blanks()
        parts.append(_all(cursor, depth))
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _all(cursor: Cursor, depth: int) -> Node:
    parts = [_negated(cursor, depth)]
    while not (cursor.ended or cursor.next(")", "|") or cursor.keyword("OR")):
        if cursor.keyword("AND"):
            cursor.take("AND")
            cursor.blanks()
        parts.append(_negated(cursor, depth))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _negated(cursor: Cursor, depth: int) -> Node:
    if not depth:
        cursor.refuse(f"more than {DEEPEST} parentheses and NOTs in each other")
    if cursor.keyword("NOT"):
        cursor.take("NOT")
        cursor.blanks()
        return Not(_negated(cursor, depth - 1))
    if cursor.take("-"):
        if cursor.word_ended:
            cursor.expected(f"right after `-` {_TERM}")
        return Not(_negated(cursor, depth - 1))
    if cursor.take("("):
        return _group(cursor, depth - 1)
    node = _term(cursor)
    if not cursor.word_ended:
        cursor.expected("a blank between two conditions")
    cursor.blanks()
    return node


def _group(cursor: Cursor, depth: int) -> Node:
    begin = cursor.at - 1
    cursor.blanks()
    node = _either(cursor, depth)
    if not cursor.take(")"):
        cursor.refuse("found `(` without an end, allowed is a `)` that closes it", begin)
    cursor.blanks()
    return node


def _term(cursor: Cursor) -> Node:
    if cursor.word_ended or cursor.keyword("AND", "OR"):
        cursor.expected(_TERM)
    if cursor.next('"'):
        return _quoted(cursor)
    if cursor.next("/"):
        return RegexNode(cursor.regex())
    if field := cursor.matched(_FIELD):
        return condition(cursor, field[:-1])
    return of_message(cursor, cursor.run())


def _quoted(cursor: Cursor) -> Node:
    """A phrase, or the name of a field with a character that needs quotes."""
    at = cursor.at
    text = cursor.quoted()
    if cursor.take(":"):
        if not text:
            cursor.refuse("found nothing between the quotes, allowed is the name of a field", at)
        return condition(cursor, text)
    return of_message(cursor, Run(text, at, escaped=True, star=bool(cursor.take("*"))))
