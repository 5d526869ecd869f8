"""What a migration takes away for good, and what it lets the new release write."""

from collections.abc import Iterator
from dataclasses import replace

from dayfly.database.impact import remedies
from dayfly.database.impact.catalogue import Column, Relation, Type
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.effects import Effect, Observed
from dayfly.database.impact.finding import DOWNTIME, STAGED, Finding
from dayfly.database.impact.names import quoted, shown
from dayfly.database.impact.types import keeps_values, widens
from dayfly.database.impact.words import fills_nulls_only, mentions
from dayfly.database.loss import Loss


def losing(what: Comparison, observed: Observed) -> Iterator[Finding]:
    for old in what.tables:
        if old.kind not in "rp":
            continue
        if not what.survives(old):
            yield from _table_lost(what, old)
        else:
            yield from _columns_lost(what, observed, old)
            yield from _durability(what, old)
    yield from _labels_lost(what)
    for step in observed.steps:
        yield from _rows_lost(what, step.effect)


def _table_lost(what: Comparison, old: Relation) -> Iterator[Finding]:
    if what.has_rows(old.oid):
        name = shown(what.before, old.oid)
        remedy = remedies.drop_later(f"DROP TABLE {name}")
        message = f"the rows of {name} are lost with it"
        yield _loses(STAGED, what, message, remedy, old)


def _columns_lost(what: Comparison, observed: Observed, old: Relation) -> Iterator[Finding]:
    if not what.has_rows(old.oid):
        return
    table = shown(what.before, old.oid)
    for column in what.before.of(Column, old.oid):
        now, name = what.after.things.get(column.key), quoted(column.name)
        if now is None and not column.generated and not old.parent:
            message = f"the values of {table}.{name} are lost with it"
            remedy = remedies.drop_column(table, name, required=False)
            yield _loses(STAGED, what, message, remedy, column)
        elif isinstance(now, Column) and _mangles(observed, column, now):
            message = f"values of {table}.{name} may be cut, rounded or forgotten"
            remedy = remedies.retype(table, name, now.type)
            yield _loses(STAGED, what, message, remedy, column)


def _labels_lost(what: Comparison) -> Iterator[Finding]:
    """Values of an enum that are called something else now."""
    for old in what.before.of(Type):
        now = what.standing(old)
        if now is None or set(old.labels) <= set(now.labels):
            continue
        for column in what.before.of(Column):
            if column.type in (old.name, f"{old.schema}.{old.name}") and _filled(what, column):
                table = shown(what.before, column.table)
                message = f"values of {table}.{quoted(column.name)} are called something else"
                found = _loses(STAGED, what, message, remedies.CONTRACT, column)
                yield replace(found, keys=(old.key,))


def _filled(what: Comparison, column: Column) -> bool:
    owner = what.before.relation(column.table)
    return owner is not None and owner.kind in "rp" and what.has_rows(owner.oid)


def _mangles(observed: Observed, old: Column, new: Column) -> bool:
    if old.type == new.type or widens(old.type, new.type):
        return False
    cause = observed.cause(old.key)
    by_hand = cause is not None and mentions(cause.statement.text, "USING")
    return not keeps_values(old.type, new.type) or (by_hand and not _plain_cast(cause, old, new))


def _plain_cast(cause: Effect | None, old: Column, new: Column) -> bool:
    """USING name::type, as tools write it, does no more than the change itself."""
    text = "" if cause is None else cause.statement.text
    bare = "".join(text.replace('"', "").split()).lower()
    kind = "".join(new.type.split()).lower().partition("(")[0]
    spelled = {kind, kind.replace("charactervarying", "varchar")}
    return any(f"using{old.name.lower()}::{word}" in bare for word in spelled)


def _durability(what: Comparison, old: Relation) -> Iterator[Finding]:
    now = what.after.relation(old.oid)
    if now is not None and (old.persistence, now.persistence) == ("p", "u"):
        name = shown(what.before, old.oid)
        message = f"a crash of PostgreSQL will empty {name} (UNLOGGED), and replicas lose it"
        yield replace(_loses(DOWNTIME, what, message, "", old), lost=())


def _rows_lost(what: Comparison, effect: Effect) -> Iterator[Finding]:
    tables = {old.oid for old in what.tables}
    for oid in sorted(
        tables & {*effect.emptied, *effect.deletes, *effect.written, *effect.updates}
    ):
        if what.has_rows(oid):
            yield from _of_statement(what, effect, oid)


def _of_statement(what: Comparison, effect: Effect, oid: int) -> Iterator[Finding]:
    name = shown(what.before, oid)
    written = effect.written.get(oid)
    rows = (_of(what, oid),)
    if oid in effect.emptied:
        yield _by(effect, oid, f"empties {name}", (name,), rows)
    elif oid in effect.deletes or (written and written.deleted):
        yield _by(effect, oid, f"deletes rows of {name}", (f"{name} (rows)",), rows)
    elif (written and written.updated) or oid in effect.updates:
        columns = _overwritten(what, effect, oid)
        if columns is None:
            yield _by(effect, oid, f"overwrites {name}.*", (f"{name}.*",), rows)
        elif columns:
            lost = tuple(f"{name}.{quoted(column)}" for column in columns)
            message = f"overwrites {', '.join(lost)}"
            yield _by(effect, oid, message, lost, (_of(what, oid, columns),))


def _overwritten(what: Comparison, effect: Effect, oid: int) -> tuple[str, ...] | None:
    """The columns whose values were there before the migration; None where nobody can tell."""
    columns = _columns_set(what, effect, oid)
    if not columns:
        return None
    if fills_nulls_only(effect.statement.text, columns):
        return ()
    old = {column.name for column in what.before.of(Column, oid)}
    return tuple(column for column in columns if column in old)


def _columns_set(what: Comparison, effect: Effect, oid: int) -> tuple[str, ...]:
    """Of the table itself, or of what it is a partition of."""
    part = what.before.relation(oid)
    while part is not None and not effect.targets.get(part.oid) and part.parent:
        part = what.before.relation(part.parent)
    return effect.targets.get(part.oid, ()) if part is not None else ()


def _by(
    effect: Effect, oid: int, message: str, loses: tuple[str, ...], lost: tuple[Loss, ...]
) -> Finding:
    return Finding(
        verdict=DOWNTIME,
        kind="loses",
        message=f"{message}, which cannot be undone",
        migration=effect.statement.migration,
        statement=effect.statement.text,
        relation=oid,
        remedy=remedies.undo(lost[0].schema, lost[0].table),
        loses=loses,
        lost=lost,
    )


def _of(what: Comparison, table: int, columns: tuple[str, ...] | None = None) -> Loss:
    [relation] = [found for found in (what.before.relation(table),) if found]
    return Loss(schema=relation.schema, table=relation.name, columns=columns)


def _loses(
    verdict: str, what: Comparison, message: str, remedy: str, thing: Relation | Column
) -> Finding:
    """A table with its rows, or a column."""
    column = isinstance(thing, Column)
    table = thing.table if column else thing.oid
    name = shown(what.before, table)
    return Finding(
        verdict=verdict,
        kind="loses",
        message=message,
        relation=table,
        remedy=remedy,
        loses=(f"{name}.{quoted(thing.name)}" if column else name,),
        lost=(_of(what, table, (thing.name,) if column else None),),
        keys=(thing.key,),
    )
