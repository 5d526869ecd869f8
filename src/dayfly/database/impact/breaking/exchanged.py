"""Something else that stands under an old name: the outgoing release reads it without an error."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dayfly.database.impact import remedies
from dayfly.database.impact.breaking.views import View, other_columns, read_view, same_rows
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.replay.effects import Observed, Step
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.words import plain, tokens


def exchanged(what: Comparison, observed: Observed) -> Iterator[Finding]:
    for old in what.tables:
        now = what.standing(old)
        if now is None or old.kind not in "rpf":
            continue
        if now.oid == old.oid:
            yield from _columns(what, observed, old)
        elif now.kind in "rpf":
            yield from _table(what, old, now)
        elif now.kind == "v" and what.survives(old):
            yield from _view(what, old, now)


def _table(what: Comparison, old: Relation, now: Relation) -> Iterator[Finding]:
    name = shown(what.before, old.oid)
    if what.survives(old) and what.has_rows(old.oid) and not _below(what.after, old.oid, now.oid):
        stay = shown(what.after, old.oid)
        message = f"another table stands under the name {name}: its rows stay in {stay}"
        yield _breaks(old, message, old, now)
    before, after = (_order(c, of) for c, of in ((what.before, old), (what.after, now)))
    if set(before) <= set(after) and after[: len(before)] != before:
        message = f"{name} has its columns in another order: rows are put in and read by it"
        yield _breaks(old, message, old, now)


def _below(catalogue: Catalogue, oid: int, table: int) -> bool:
    """Who reads the table reads its partitions, and theirs."""
    found = catalogue.relation(oid)
    while found and found.parent:
        if found.parent == table:
            return True
        found = catalogue.relation(found.parent)
    return False


def _order(catalogue: Catalogue, table: Relation) -> list[str]:
    columns = sorted(catalogue.of(Column, table.oid), key=lambda column: column.number)
    return [column.name for column in columns]


def _columns(what: Comparison, observed: Observed, table: Relation) -> Iterator[Finding]:
    """A dropped one is lost, and told as that."""
    if table.parent or not what.has_rows(table.oid):
        return
    for old in what.before.of(Column, table.oid):
        now, moved = what.standing(old), what.after.things.get(old.key)
        if now is None or not isinstance(moved, Column) or now.key == old.key:
            continue
        if not _copied(observed, old, now):
            name = f"{shown(what.before, table.oid)}.{quoted(old.name)}"
            stay = f"its values stay in {quoted(moved.name)}"
            message = f"another column stands under the name {name}: {stay}"
            yield _breaks(table, message, old, now)


def _copied(observed: Observed, old: Column, now: Column) -> bool:
    """All values, while nobody could write: in the transaction that made the new one."""
    for transaction in observed.transactions:
        if any(now.key in step.after.things for step in transaction):
            return any(_copies(step, old, now) for step in transaction)
    return False


def _copies(step: Step, old: Column, now: Column) -> bool:
    """`UPDATE t SET new = old`, whatever they are called at that moment."""
    new, was = (step.after.things.get(column.key) for column in (now, old))
    words = [plain(word) for word in tokens(step.effect.statement.text)]
    copied = new is not None and was is not None and [new.name, "=", was.name] == words[-3:]
    return copied and words[:1] == ["update"] and words[-4] == "set"


def _view(what: Comparison, old: Relation, now: Relation) -> Iterator[Finding]:
    """It must show every row, and each old column as what that is called now."""
    names = {
        column.name: (same.name,)
        for column in what.before.of(Column, old.oid)
        if (same := what.after.things.get(column.key)) is not None
    }
    before = View(columns=names, first=_plain(tokens(shown(what.after, old.oid))))
    after = read_view(now.definition, [column.name for column in what.after.of(Column, now.oid)])
    columns = {column: _plain(words) for column, words in after.columns.items()}
    after = replace(after, columns=columns, first=_plain(after.first))
    name = shown(what.before, old.oid)
    others = other_columns(before, after)
    if others:
        message = f"{name} becomes a view that shows something else as {', '.join(others)}"
        yield _breaks(old, message, old, now)
    if not same_rows(what.after, before, after):
        message = f"{name} becomes a view that does not show the rows as they are"
        yield _breaks(old, message, old, now)


def _plain(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(plain(word) for word in words)


def _breaks(table: Relation, message: str, *things: Relation | Column) -> Finding:
    return breaks(table.oid, message, "", remedies.CONTRACT, *things)
