"""A query's tree as an expression over columns.

Where columns can't say it exactly, the expression lets more through, never less, and whoever uses
it asks `matches` about what came through.
"""

import math
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import reduce

import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import OPERATORS, is_number, text_of
from dayfly.logs.store.frame import ATTRIBUTES, REST
from dayfly.logs.store.values import WHOLE, as_text, kinds_of, told

_WORD = r"[\p{L}\p{N}_]"
_EXACT_FLOAT = 2**53
_KELVIN, _DOTTED = "\\x{212A}", "\\x{130}"  # whose small letters are, or begin with, ASCII


@dataclass(frozen=True)
class Filter:
    expr: pl.Expr
    exact: bool = True


def filter_of(node: tree.Node, columns: AbstractSet[str]) -> Filter:
    match node:
        case tree.Everything():
            return Filter(pl.lit(value=True))
        case tree.And(parts):
            return _all([filter_of(part, columns) for part in parts])
        case tree.Or(parts):
            return _any([filter_of(part, columns) for part in parts])
        case tree.Not(part):
            inner = filter_of(part, columns)
            return Filter(~inner.expr) if inner.exact else Filter(pl.lit(value=True), exact=False)
        case tree.Word() | tree.Prefix() | tree.Phrase() | tree.Regex():
            return _of_message(node)
        case _:
            return _of_value(node, columns)


def _all(filters: Iterable[Filter]) -> Filter:
    both = lambda one, other: Filter(one.expr & other.expr, one.exact and other.exact)  # noqa: E731
    return reduce(both, filters, Filter(pl.lit(value=True)))


def _any(filters: Iterable[Filter]) -> Filter:
    either = lambda one, other: Filter(one.expr | other.expr, one.exact and other.exact)  # noqa: E731
    return reduce(either, filters, Filter(pl.lit(value=False)))


def _of_message(node: tree.Word | tree.Prefix | tree.Phrase | tree.Regex) -> Filter:
    message = pl.col("message")
    if isinstance(node, tree.Regex):
        return Filter(message.str.contains(node.pattern))
    text = node.text.lower()
    if not text.isascii():  # what is small in which language: Python decides
        return Filter(pl.lit(value=True), exact=False)
    match node:
        case tree.Word():
            pattern = rf"(?:^|[^\p{{L}}\p{{N}}_]){_cased(text)}(?:$|[^\p{{L}}\p{{N}}_])"
        case tree.Prefix():
            pattern = rf"(?:^|[^\p{{L}}\p{{N}}_]){_cased(text, open_end=True)}"
        case tree.Phrase():
            return Filter(message.str.contains(_cased(text, open_end=True)))
    if isinstance(node, tree.Prefix) and not text:
        return Filter(message.str.contains(_WORD))
    whole = all(character.isalnum() or character == "_" for character in text)
    return Filter(message.str.contains(pattern) if text and whole else pl.lit(value=False))


def _cased(text: str, *, open_end: bool = False) -> str:
    """A pattern of a small text that Python's `lower` would make of what it matches."""
    last = len(text) - 1
    return "".join(
        _letter(character, dotted=open_end and number == last)
        for number, character in enumerate(text)
    )


def _letter(character: str, *, dotted: bool) -> str:
    if not character.isalpha():
        return character if character.isalnum() else f"\\x{{{ord(character):x}}}"
    also = _KELVIN if character == "k" else _DOTTED if character == "i" and dotted else ""
    return f"[{character}{character.upper()}{also}]"


Leaf = tree.Compare | tree.Starts | tree.Matches | tree.Exists


def _of_value(node: Leaf, columns: AbstractSet[str]) -> Filter:
    if node.name in ATTRIBUTES:
        kind = "i" if node.name in WHOLE else "s"
        return Filter(_fits(node, pl.col(node.name), kind) & told(node.name))
    kinds = kinds_of(node.name, columns)
    found = [_fits(node, pl.col(f"{kind}:{node.name}"), kind).fill_null(False) for kind in kinds]
    if REST in columns:
        return Filter(pl.any_horizontal(*found, pl.col(REST).is_not_null()), exact=False)
    return Filter(pl.any_horizontal(*found) if found else pl.lit(value=False))


def _fits(node: Leaf, column: pl.Expr, kind: str) -> pl.Expr:
    match node:
        case tree.Compare(_, op, value) if kind in "if" and is_number(value):
            return _numbers(op, column, kind, value)  # type: ignore[arg-type]
        case tree.Compare(_, op, value):
            compared: pl.Expr = OPERATORS[op](as_text(column, kind), pl.lit(text_of(value)))
            return compared
        case tree.Starts(_, text):
            return as_text(column, kind).str.starts_with(text)
        case tree.Matches(_, pattern):
            return as_text(column, kind).str.contains(pattern)
        case tree.Exists():
            return column.is_not_null()


def _numbers(op: str, column: pl.Expr, kind: str, value: float) -> pl.Expr:
    """Python compares whole numbers and floats exactly; so do we."""
    compare = OPERATORS[op]
    if kind == "f":
        if abs(value) <= _EXACT_FLOAT or isinstance(value, float):
            return _filled(compare(column, pl.lit(float(value))), column)
        return column.map_elements(lambda found: compare(found, value), return_dtype=pl.Boolean)
    if not -(2.0**63) <= value < 2.0**63:  # beyond every whole number stored (or no number at all)
        return _filled(pl.lit(value=bool(compare(0, value))), column)
    if value == (whole := math.floor(value)):
        return _filled(compare(column, pl.lit(whole, dtype=pl.Int64)), column)
    between = {"=": False, "!=": True}
    if op in between:
        return _filled(pl.lit(value=between[op]), column)
    # nothing whole lies between floor and value: beyond the one is beyond the other
    side = column > whole if op in {">", ">="} else column <= whole
    return _filled(side, column)


def _filled(compared: pl.Expr, column: pl.Expr) -> pl.Expr:
    return compared & column.is_not_null()
