"""What to write instead of a statement that holds its lock while it goes through a table."""

from collections.abc import Iterator

from dayfly.database.impact import adding, columns, remedies
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Index,
    Relation,
    Thing,
)
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.words import first_word


def safer(observed: Observed, effect: Effect) -> str:
    """From what the statement changed; empty when there is no better form."""
    before, after = observed.around(effect)
    text = effect.statement.text.rstrip(";")
    if first_word(text) in ("VACUUM", "CLUSTER"):
        return remedies.REPACK
    if first_word(text) == "REFRESH":
        return _refreshed(before, effect, text)
    if first_word(text) in ("DROP", "REINDEX"):
        known = "INDEX" in effect.tag and remedies.without_lock(text) != text
        return remedies.concurrently(text) if known else ""
    parts = [
        part for part in after.of(Relation)
        if part.bound and before.relation(part.parent) and not before.has_as_part(part)
    ]  # fmt: skip
    found = [adding.partition(before, after, part, text) for part in parts]
    if not parts:
        found = [*_things(before, after, effect, text)]
        found = [*_columns(before, after, effect, others=any(found)), *found]
    return "\n".join(dict.fromkeys(filter(None, found)))


def _refreshed(before: Catalogue, effect: Effect, text: str) -> str:
    """Each row is found by a unique index, if there is one."""
    for view in before.of(Relation):
        if view.kind == "m" and view.oid in effect.locks:
            usable = any(key.refuses_duplicates for key in before.of(Index, view.oid))
            return remedies.refreshed(text, shown(before, view.oid), unique=usable)
    return ""


def _columns(before: Catalogue, after: Catalogue, effect: Effect, *, others: bool) -> Iterator[str]:
    """New ones; those that are there at once are told for what else stands on them."""
    copied = _with_parents(before, effect.rewritten)
    for now in after.of(Column):
        if now.key in before.things or before.relation(now.table) is None:
            continue
        if adding.inherited(before, after, now):
            continue
        if now.table in copied:
            yield _filled(after, now)
        elif others:
            yield columns.add_column(shown(after, now.table), now)


def _filled(after: Catalogue, now: Column) -> str:
    """A column that each row gets a value of its own for."""
    table = shown(after, now.table)
    if now.generated:
        return remedies.COPIES
    if now.identity:
        return columns.identity(table, now)
    if after.checks(now.type):
        return remedies.WINDOW
    if not now.default:
        return columns.add_column(table, now)
    owned = (each for each in after.of(Relation) if (each.parent, each.numbers) == now.key[1:])
    sequence = next((shown(after, each.oid) for each in owned if each.kind == "S"), "")
    return columns.volatile_default(table, now, sequence)


def _with_parents(before: Catalogue, tables: frozenset[int]) -> set[int]:
    """With the partitioned tables to which they belong."""
    found = set(tables)
    for oid in tables:
        part = before.relation(oid)
        while part is not None and part.parent:
            found.add(part.parent)
            part = before.relation(part.parent)
    return found


def _things(before: Catalogue, after: Catalogue, effect: Effect, text: str) -> Iterator[str]:
    backing = {each.index for each in after.of(Constraint) if each.kind in "upx"}
    for key, now in after.things.items():
        old = before.things.get(key)
        if now == old or before.relation(now.table) is None:
            continue
        if adding.inherited(before, after, now):
            continue
        if isinstance(now, Index) and old is None and now.oid not in backing:
            whole = effect.tag == "CREATE INDEX" and not adding.partitioned(after, now.table)
            yield remedies.concurrently(text) if whole else adding.index(before, after, now)
        else:
            yield _instead(before, after, old, now)


def _instead(before: Catalogue, after: Catalogue, old: Thing | None, now: Thing) -> str:
    table, name = shown(after, now.table), quoted(now.name)
    if isinstance(now, Constraint) and now.kind in "cfupx":
        return adding.constraint(before, after, now)
    if isinstance(now, Column) and isinstance(old, Column):
        if now.type != old.type:
            return remedies.retype(table, name, now.type)
        if now.not_null and not old.not_null and not _of_key(before, after, now):
            return remedies.not_null(table, name)
    return ""


def _of_key(before: Catalogue, after: Catalogue, column: Column) -> bool:
    """NOT NULL as it became part of a primary key."""
    return any(
        key.kind == "p" and key.key not in before.things and column.key[2] in key.columns
        for key in after.of(Constraint, column.table)
    )
