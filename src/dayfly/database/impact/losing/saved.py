"""Rows that the outgoing release writes back whole, over what a migration sets in them."""

from collections.abc import Iterator, Sequence
from textwrap import shorten

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.losing.carried import UPDATE, every
from dayfly.database.impact.replay.effects import Observed
from dayfly.database.impact.schema.catalogue import Column, Constraint
from dayfly.database.impact.schema.names import quoted
from dayfly.database.impact.words import plain, set_columns, tokens

_WIDTH = 80  # of a statement in a sentence


def saved(what: Comparison, observed: Observed, statements: Sequence[str]) -> Iterator[str]:
    """For people: it depends on when a row was read, which nobody can see beforehand."""
    whole = dict(_whole(what, statements))
    told: dict[tuple[int, str], str] = {}
    for _, effect, along in every(observed) if whole else ():
        for change in along.changes:
            if change.verb == UPDATE and change.table in whole:
                columns = ", ".join(_old(what, change.table, change.columns))
                told.setdefault((change.table, columns), effect.statement.text)
    for (table, columns), text in told.items():
        if columns:
            yield (
                f"the outgoing release writes whole rows of {what.before.shown(table)} back "
                f"(`{_short(whole[table])}`): one that it had read before `{_short(text)}` "
                f"loses what that has set in {columns}; run it once more when that is retired"
            )


def _old(what: Comparison, table: int, columns: Sequence[str] | None) -> Iterator[str]:
    """What the outgoing release knows of them."""
    for column in what.before.of(Column, table):
        if columns is None or column.name in columns:
            yield quoted(column.name)


def _whole(what: Comparison, statements: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Tables with a statement that sets every column but those of the primary key."""
    sets = [(_table(text), {*set_columns(text)}, text) for text in statements]
    for table in what.tables:
        keys = {
            n for c in what.before.of(Constraint, table.oid) if c.kind == "p" for n in c.columns
        }
        columns = [c for c in what.before.of(Column, table.oid) if not c.generated]
        names = {c.name for c in columns if c.number not in keys}
        for name, found, text in sets:
            if name == table.name and len(names) > 1 and names <= found:
                yield table.oid, text


def _table(text: str) -> str:
    """Of UPDATE; schemas are not looked at."""
    words = list(tokens(text))
    if words[:1] != ["UPDATE"] or "SET" not in words:
        return ""
    named = [word for word in words[1 : words.index("SET")] if word not in ("ONLY", "AS")]
    place = 0
    while named[place + 1 : place + 2] == ["."]:
        place += 2
    return plain(named[place]) if named[place:] else ""


def _short(text: str) -> str:
    return shorten(text, _WIDTH, placeholder=" …")
