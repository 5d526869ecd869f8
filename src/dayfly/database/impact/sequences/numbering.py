"""Columns that draw from another sequence: it may begin below the rows that are there."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.questions import Ask
from dayfly.database.impact.replay.effects import Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Index, Relation, Sequence
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.sequences.counted import Next, source, told

DUPLICATE = "23505"


def numbering(what: Comparison, observed: Observed, ask: Ask | None) -> Iterator[Finding]:
    before, after = (
        [each for each in catalogue.of(Relation) if each.kind == "S"]
        for catalogue in (what.before, what.after)
    )
    known = {each.oid for each in before}
    new = [each for each in after if each.oid not in known]
    for column in what.after.of(Column):
        old = what.before.things.get(column.key)
        if not isinstance(old, Column) or not what.has_rows(old.table):
            continue
        changed = (old.default, old.identity) != (column.default, column.identity)
        now = source(what.after, column, after if changed else new)
        was = source(what.before, old, before) if now else None
        if now is None or (was and was.oid == now.oid):
            continue
        if was is not None or _unique(what.after, column):
            yield from _begins(what, observed, old, column, now, ask)


def _unique(catalogue: Catalogue, column: Column) -> bool:
    return any(
        index.unique and index.columns == (column.number,)
        for index in catalogue.of(Index, column.table)
    )


def _begins(
    what: Comparison,
    observed: Observed,
    old: Column,
    now: Column,
    sequence: Relation,
    ask: Ask | None,
) -> Iterator[Finding]:
    start = _next(what, observed, now, sequence)
    if start.forward or free(what, old, start, ask):
        return
    table, name = shown(what.before, old.table), quoted(old.name)
    number = "nobody knows where" if start.number is None else start.number
    message = f"{table}.{name} is numbered by another sequence, from {number}: keys come twice"
    remedy = remedies.continues(
        shown(what.after, sequence.oid), shown(what.after, now.table), quoted(now.name)
    )
    yield breaks(old.table, message, DUPLICATE, remedy, old)


def _next(what: Comparison, observed: Observed, column: Column, sequence: Relation) -> Next:
    made = what.after.things.get(("Sequence", sequence.oid, 0))
    new = what.before.relation(sequence.oid) is None
    found = Next(made.start if isinstance(made, Sequence) and new else None)
    for step in observed.steps:
        if step.after.relation(sequence.oid) is None:
            continue  # it is made later
        found = told(step.effect.statement.text, step.after, sequence, column) or found
    return found


def free(what: Comparison, column: Column, start: Next, ask: Ask | None) -> bool:
    """Production has no number from there on."""
    if ask is None or start.number is None:
        return False
    table, name = shown(what.before, column.table), quoted(column.name)
    above = f"SELECT 1 FROM {table} WHERE {name} >= {start.number} LIMIT 1"  # noqa: S608 - names are quoted
    return ask(f"SELECT count(*) FROM ({above}) found") == 0  # noqa: S608 - our own words
