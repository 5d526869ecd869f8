"""Values that `ALTER COLUMN … TYPE … USING` works out, in the place of those that were there."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Column, Relation, Routine
from dayfly.database.impact.words import mentions, plain, tokens

_STRING = re.compile(r"(?s)(\$\w*\$)(?P<dollar>.*)\1|[eE]?'(?P<quoted>.*)'")
_ANY = "%I"  # a name that format() puts in
_LETTERS = ("text", "varchar")
_ALIASES = {
    "charactervarying": "varchar", "int": "integer", "int2": "smallint", "int4": "integer",
    "int8": "bigint", "decimal": "numeric", "bool": "boolean", "float4": "real",
    "float8": "doubleprecision", "float": "doubleprecision", "bpchar": "character",
    "char": "character", "timestamptz": "timestampwithtimezone",
    "timestamp": "timestampwithouttimezone", "timetz": "timewithtimezone",
    "time": "timewithouttimezone",
}  # fmt: skip


def works_out(what: Comparison, observed: Observed, old: Column, new: Column) -> Effect | None:
    """The statement that gives a column other values than the change of its type alone would."""
    before, family = observed.before, _family(what, old.table)
    for step in observed.steps:
        effect = step.effect
        if effect.rewritten & family:
            routines = [r for r in before.of(Routine) if mentions(effect.statement.text, r.name)]
            for text in (effect.statement.text, *(routine.body for routine in routines)):
                if any(other_values(text, name, new.type) for name in {old.name, new.name}):
                    return effect
        before = step.after
    return None


def _family(what: Comparison, table: int) -> frozenset[int]:
    """With the partitions and children that hold its rows."""
    below = (
        each.oid
        for each in what.before.of(Relation)
        if table in (each.parent, *each.inherits) and each.kind != "S"
    )
    return frozenset({table}).union(*(_family(what, oid) for oid in below))


def other_values(text: str, column: str, kind: str) -> bool:
    """Whether it says USING with more than a cast of the column to its new type."""
    return any(
        named in (column, _ANY) and not _is_cast(expression, {column, named}, kind)
        for named, expression in _usings(text)
    )


def _usings(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each column with its expression; of code, those of the strings that it may execute too."""
    words = list(tokens(re.sub(r'"?%[Is]"?', f'"{_ANY}"', text)))
    for place, word in enumerate(words):
        if found := _STRING.fullmatch(word):
            yield from _usings(found["dollar"] or (found["quoted"] or "").replace("''", "'"))
        if word == "USING" and (named := _altered(words[:place])):
            yield named, words[place + 1 : place + 1 + _end(words[place + 1 :])]


def _altered(words: Sequence[str]) -> str:
    """The column of `ALTER [COLUMN] name [SET DATA] TYPE kind`; empty for any other USING."""
    if "TYPE" not in words:
        return ""
    head = list(words[: len(words) - 1 - words[::-1].index("TYPE")])
    if _end(words[len(head) :]) < len(words) - len(head):
        return ""
    if head[-2:] == ["SET", "DATA"]:
        del head[-2:]
    before = [word for word in head[-3:-1] if word != "COLUMN"]
    return plain(head[-1]) if before[-1:] == ["ALTER"] else ""


def _end(words: Sequence[str]) -> int:
    """Where a comma or the end of the statement stands outside of parentheses."""
    depth = 0
    for place, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth < 0 or (depth == 0 and word in (",", ";")):
            return place
    return len(words)


def _is_cast(words: list[str], names: set[str], kind: str) -> bool:
    """By way of text too, which gives back what it took; NULL may become something."""
    if words[:1] == ["("] and _end(words[1:]) == len(words) - 2:
        return _is_cast(words[1:-1], names, kind)
    if words[:2] == ["COALESCE", "("]:
        return _is_cast(words[2 : 2 + _end(words[2:])], names, kind)
    if words[:2] == ["CAST", "("] and "AS" in words:
        to = len(words) - 1 - words[::-1].index("AS")
        return _is_cast([*words[2:to], ":", ":", *words[to + 1 : -1]], names, kind)
    colons = [place for place, pair in enumerate(pairwise(words)) if pair == (":", ":")]
    if colons:
        to = colons[-1]
        return _harmless(words[to + 2 :], kind) and _is_cast(words[:to], names, kind)
    return bool(words) and plain(words[-1]) in names and len(words) in (1, 3)


def _harmless(words: Sequence[str], kind: str) -> bool:
    (base, length), (new, wanted) = _spelled("".join(words)), _spelled(kind)
    return (base in _LETTERS and not length) or (base == new and length in ("", wanted))


def _spelled(kind: str) -> tuple[str, str]:
    """The type without its schema, and its numbers."""
    bare = re.sub(r'[\s"]', "", kind).lower()
    found = re.fullmatch(r"(?:\w+\.)?([^(]+)(\([\d,-]+\))?(.*)", bare)
    if found is None:
        return bare, ""
    base = found[1].partition("[")[0]
    return _ALIASES.get(base + found[3], base + found[3]) + found[1][len(base) :], found[2] or ""
