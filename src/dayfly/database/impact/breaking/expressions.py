"""Indexes and generated columns whose expression fails on what the outgoing release may write."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Column, Index, Relation, Thing
from dayfly.database.impact.schema.types import is_text, length, widens
from dayfly.database.impact.words import mentions, plain

BAD_VALUE, OUT_OF_RANGE, TOO_LONG = "22P02", "22003", "22001"
_CAST = re.compile(r"\)::(?P<type>[a-z ]+(?:\([\d,]+\))?)")
_DIVISION = re.compile(r"[/%] \(?[a-z_\"]")
_TAKES_ALL = ("text", "character varying", "character", "citext", "bytea", "regconfig")
LARGE = 100  # a factor by which numbers as people have them may leave their type
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_CALCULATED = ("smallint", "integer")  # their products leave them
# Their results are numbers whatever the text is.
_COUNTS = re.compile(
    r'\(*"?(length|char_length|octet_length|bit_length|position|strpos|hashtext|ascii|crc32'
    r'|jsonb?_array_length)"?\('
)

_CUTS = re.compile(r'left"?\(|right"?\(|substring"?\(|substr\(|md5\(|::character(?: varying)?\(')


def expressions(what: Comparison) -> Iterator[Finding]:
    for index, owner in what.added(Index):
        if 0 in index.columns or index.partial:
            yield from _failing(what, owner, index.definition.partition(" USING ")[2], index)
    for column, owner in what.added(Column):
        yield from _failing(what, owner, column.expression, column)


def _failing(what: Comparison, owner: Relation, text: str, thing: Thing) -> Iterator[Finding]:
    types = {column.name: column.type for column in what.before.of(Column, owner.oid)}
    found = [*risks(text, types), *(_stored(thing, types) if isinstance(thing, Column) else ())]
    risk = next(iter(found), None)
    if risk:
        message = f"{what.before.shown(owner.oid)} refuses what {risk.says}: {text}"
        yield breaks(owner.oid, message, risk.sqlstate, remedies.CONTRACT, thing)


@dataclass(frozen=True)
class Risk:
    says: str
    sqlstate: str


def _stored(column: Column, types: Mapping[str, str]) -> Iterator[Risk]:
    """What is made fails to fit into a generated column, whose conversion nobody has written."""
    longest, text = length(column.type), column.expression
    if longest is None:
        source = types.get(plain(text.strip("()")), "")
        if source and _narrows(source, column.type):
            yield Risk(f"does not fit into {column.type}", OUT_OF_RANGE)
        return
    for name, kind in types.items():
        wider = is_text(kind) and (length(kind) or longest + 1) > longest
        if wider and mentions(text, name) and not _CUTS.search(text):
            yield Risk(f"does not fit into {column.type}", TOO_LONG)


def risks(text: str, types: Mapping[str, str]) -> Iterator[Risk]:
    """Values of columns of these types on which the expression fails."""
    for source, kind in _casts(text):
        if _of_letters(source, types) and kind.partition("(")[0] not in _TAKES_ALL:
            yield Risk(f"is no {kind}", BAD_VALUE)
        elif _narrows(types.get(plain(source), ""), kind):
            yield Risk(f"does not fit into {kind}", OUT_OF_RANGE)
    if _DIVISION.search(text):
        yield Risk("cannot be divided by", "22012")
    for name, kind in types.items():
        if kind in _CALCULATED and _calculates(text, name):
            yield Risk(f"leaves the range of {kind}", OUT_OF_RANGE)


def _casts(text: str) -> Iterator[tuple[str, str]]:
    """What is converted, without the parentheses around it, and to what."""
    for found in _CAST.finditer(text):
        yield text[_opening(text, found.start()) + 1 : found.start()], found["type"].strip()


def _opening(text: str, closing: int) -> int:
    depth = 0
    for place in range(closing, -1, -1):
        depth += {")": 1, "(": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return -1


def _of_letters(source: str, types: Mapping[str, str]) -> bool:
    """Whether a text is converted: a column, a part of one, or a value taken from JSON."""
    if _COUNTS.match(source) or _compares(source):
        return False
    return bool(re.search("#?->>", source)) or any(
        is_text(kind) and mentions(source, name) for name, kind in types.items()
    )


def _compares(source: str) -> bool:
    return bool(re.search(r" (=|<>|<|>|<=|>=|~~\*?|~\*?|IS|AND|OR) ", source))


def _narrows(old: str, new: str) -> bool:
    """Of numbers; a text is cut by its cast."""
    if not old or widens(old, new) or new in ("numeric", "real", "double precision"):
        return False
    return {old.partition("(")[0], new.partition("(")[0]} <= {*_NUMBERS}


def _calculates(text: str, name: str) -> bool:
    """With its own type and a large factor: `(amount)::bigint * 1000` has more room."""
    column = rf'(?<![\w.])"?{re.escape(name)}"?'
    found = re.search(rf"{column} \* (\d+)|(?<![\w.])(\d+) \* {column}(?![\w(])", text)
    return found is not None and int(found[1] or found[2]) >= LARGE
