"""What a migration takes away for good, and what it lets the new release write."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import DOWNTIME, STAGED, Finding
from dayfly.database.impact.losing.carried import DELETE, TRUNCATE, UPDATE, Change, every
from dayfly.database.impact.losing.meant import written_back
from dayfly.database.impact.losing.moved import moved
from dayfly.database.impact.losing.worked_out import works_out
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation, Type
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.schema.types import keeps_values
from dayfly.database.impact.words import fills_nulls_only
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
    yield from _rows_lost(what, observed)


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
        elif isinstance(now, Column):
            yield from _values_lost(what, observed, column, now)


def _values_lost(
    what: Comparison, observed: Observed, old: Column, now: Column
) -> Iterator[Finding]:
    table, name = shown(what.before, old.table), quoted(old.name)
    by_hand = works_out(what, observed, old, now)
    remedy = remedies.retype(table, name, now.type)
    if by_hand is not None:
        message = f"USING works out other values of {table}.{name}, and those that were are lost"
        yield replace(
            _loses(STAGED, what, message, remedy, old),
            migration=by_hand.statement.migration,
            statement=by_hand.statement.text,
            lock=by_hand.locks.get(old.table, ""),
            overwrites=(old.key,),
        )
    elif not keeps_values(what.before.underlying(old.type), what.after.underlying(now.type)):
        message = f"values of {table}.{name} may be cut, rounded or forgotten"
        yield _loses(STAGED, what, message, remedy, old)


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


def _durability(what: Comparison, old: Relation) -> Iterator[Finding]:
    now = what.after.relation(old.oid)
    if now is not None and (old.persistence, now.persistence) == ("p", "u"):
        name = shown(what.before, old.oid)
        message = f"a crash of PostgreSQL will empty {name} (UNLOGGED), and replicas lose it"
        yield replace(_loses(DOWNTIME, what, message, "", old), lost=())


def _rows_lost(what: Comparison, observed: Observed) -> Iterator[Finding]:
    tables = {old.oid for old in what.tables if old.kind in "rpf" and what.own_rows(old.oid) != 0}
    for catalogue, effect, along in every(observed):
        for oid in sorted(tables & {change.table for change in along.changes}):
            changes = along.of(oid)
            if any(change.by for change in changes) or not moved(what, observed, effect, oid):
                yield from _of_statement(what, catalogue, effect, changes)


def _of_statement(
    what: Comparison, catalogue: Catalogue, effect: Effect, changes: tuple[Change, ...]
) -> Iterator[Finding]:
    """On one table; of several changes the one that takes most away."""
    oid = changes[0].table
    name, rows = shown(what.before, oid), (_of(what, oid),)
    gone = [change for change in changes if change.verb in (DELETE, TRUNCATE)]
    if oid in effect.emptied:
        yield _by(effect, oid, f"empties {name}", (name,), rows)
    elif gone:
        may = _may(effect, gone, "deletes")
        yield _by(effect, oid, f"{may} rows of {name}{_cause(gone)}", (f"{name} (rows)",), rows)
    else:
        yield from _overwriting(what, catalogue, effect, changes)


def _overwriting(
    what: Comparison, catalogue: Catalogue, effect: Effect, changes: tuple[Change, ...]
) -> Iterator[Finding]:
    oid, updates = changes[0].table, [change for change in changes if change.verb == UPDATE]
    name, own = shown(what.before, oid), [change for change in updates if not change.beside]
    if not own:
        return
    columns = replaced = _overwritten(what, catalogue, effect, own)
    if columns:  # a trigger's time stamp alone is no loss
        columns = _overwritten(what, catalogue, effect, updates)
    may = _may(effect, own, "overwrites")
    if columns is None:
        message = f"{may} {name}.*{_cause(own)}"
        yield _by(effect, oid, message, (f"{name}.*",), (_of(what, oid),))
    elif columns:
        lost = tuple(f"{name}.{quoted(column)}" for column in columns)
        message = f"{may} {', '.join(lost)}{_cause(own)}"
        found = _by(effect, oid, message, lost, (_of(what, oid, columns),))
        named = () if any(change.by for change in own) else replaced or ()
        keys = (column.key for column in what.before.of(Column, oid) if column.name in named)
        yield replace(found, overwrites=tuple(keys))


def _may(effect: Effect, changes: Sequence[Change], verb: str) -> str:
    """Rows of the copy were enough for a certain word, or the statement itself is."""
    written = effect.written.get(changes[0].table)
    seen = written and (written.deleted if verb == "deletes" else written.updated)
    return verb if seen or not all(change.by for change in changes) else f"may {verb[:-1]}"


def _cause(changes: Sequence[Change]) -> str:
    """Where it is not the statement's own doing."""
    causes = dict.fromkeys(change.by for change in changes)
    return "" if "" in causes else f" ({' and '.join(causes)})"


def _overwritten(
    what: Comparison, catalogue: Catalogue, effect: Effect, changes: Sequence[Change]
) -> tuple[str, ...] | None:
    """The columns whose values were there before the migration; None where nobody can tell."""
    found: dict[str, None] = {}
    for change in changes:
        if change.columns is None:
            return None
        if change.by or not fills_nulls_only(effect.statement.text, change.columns):
            found |= dict.fromkeys(_before(what, catalogue, effect, change))
    return tuple(found)


def _before(
    what: Comparison, catalogue: Catalogue, effect: Effect, change: Change
) -> Iterator[str]:
    """Its columns that were there already, under their names of then."""
    for column in catalogue.of(Column, change.table):
        old = what.before.things.get(column.key)
        if old is None or column.name not in (change.columns or ()):
            continue
        if change.by or not written_back(what, effect, column):
            yield old.name


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
