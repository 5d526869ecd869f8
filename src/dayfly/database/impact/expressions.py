"""Indexes and generated columns whose expression fails on what the outgoing release may write."""

import re
from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.catalogue import Column, Index, Relation, Thing
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.types import is_text
from dayfly.database.impact.words import plain

BAD_VALUE = "22P02"
_CAST = re.compile(r"\(([^()]+)\)::([a-z ]+)")
_DIVISION = re.compile(r"[/%] \(?[a-z_\"]")
_TAKES_ALL = ("text", "character varying", "character", "citext", "bytea", "regconfig")


def expressions(what: Comparison) -> Iterator[Finding]:
    for index, owner in what.added(Index):
        if 0 in index.columns:
            yield from _failing(what, owner, index.definition.partition(" USING ")[2], index)
    for column, owner in what.added(Column):
        yield from _failing(what, owner, column.expression, column)


def _failing(what: Comparison, owner: Relation, text: str, thing: Thing) -> Iterator[Finding]:
    types = {column.name: column.type for column in what.before.of(Column, owner.oid)}
    found = [kind.strip() for source, kind in _CAST.findall(text) if _of_letters(source, types)]
    risky = [kind for kind in found if kind not in _TAKES_ALL]
    if risky or _DIVISION.search(text):
        failing = f"is no {risky[0]}" if risky else "cannot be divided by"
        message = f"{what.before.shown(owner.oid)} refuses what {failing}: {text}"
        yield breaks(owner.oid, message, BAD_VALUE, remedies.CONTRACT, thing)


def _of_letters(source: str, types: dict[str, str]) -> bool:
    """Whether a text is converted: a column, or a value taken from JSON."""
    return "->>" in source or "#>>" in source or is_text(types.get(plain(source), ""))
