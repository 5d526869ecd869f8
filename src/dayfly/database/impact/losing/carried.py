"""What a write takes along: by foreign keys, by triggers, and by the code that is run.

The rows of the copy are few and made up, so what happened to them there is no measure: the
catalogue tells what will happen to production's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dayfly.database.impact.code.bodies import ANYTHING, WHOLE_ROW, Body, Write, read_body
from dayfly.database.impact.code.firing import firing, for_event
from dayfly.database.impact.code.invoked import dark, invoked
from dayfly.database.impact.code.triggers import done, tables
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Index,
    Relation,
    Trigger,
)
from dayfly.database.impact.words import first_word, mentions, tokens

INSERT, UPDATE, DELETE, TRUNCATE = "INSERT", "UPDATE", "DELETE", "TRUNCATE"
_ACTION = r"ON {} (CASCADE|SET NULL|SET DEFAULT)"


@dataclass(frozen=True, kw_only=True)
class Change:
    """Of rows of one table, whether or not the copy had such rows."""

    verb: str
    table: int
    columns: tuple[str, ...] | None = None  # that an UPDATE sets; None: nobody can tell
    by: str = ""  # what does it, where that is not the statement itself
    beside: bool = False  # a trigger sets them in rows that are changed anyway
    guess: bool = False  # the name of the table is put together, and may be this one


@dataclass(frozen=True, kw_only=True)
class Carried:
    changes: tuple[Change, ...] = ()
    code: bool = False  # that the statement runs, or a trigger: it names what it changes
    unknown: tuple[str, ...] = ()  # what may change rows nobody can name
    body: Body | None = None  # what the statement runs; None: no code
    writes: frozenset[Write] = frozenset()  # of that, and of the triggers that fire

    def of(self, table: int) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.table == table)


def every(observed: Observed) -> Iterator[tuple[Catalogue, Effect, Carried]]:
    """Of a whole migration, with the catalogue before each statement."""
    before, prepared = observed.before, list[str]()
    for step in observed.steps:
        text = step.effect.statement.text
        yield before, step.effect, carried(before, step.effect, prepared)
        if first_word(text) == "PREPARE":
            prepared.append(text)
        before = step.after


def carried(catalogue: Catalogue, effect: Effect, prepared: Iterable[str] = ()) -> Carried:
    """By one statement, on the catalogue as it stood before it."""
    runs = invoked(catalogue, effect, prepared)
    body = runs or Body()
    by_code = tuple(_of_body(catalogue, body, "code that it runs"))
    begin = (*_direct(catalogue, effect), *_untold(effect, body), *by_code)
    begin = (*begin, *_of_heirs(catalogue, effect, begin))
    found = _followed(catalogue, begin)
    if left := _unexplained(effect, found.changes):
        found = _followed(catalogue, (*begin, *left))
    unknown = [f"the code that it runs {reason}" for reason in dark(body)]
    writes = found.writes | body.writes
    named = _of_body(catalogue, Body(writes=writes), "")
    return replace(
        found,
        code=not all(change.guess for change in named),
        unknown=(*unknown, *found.unknown),
        body=runs,
        writes=writes,
    )


def _of_heirs(catalogue: Catalogue, effect: Effect, changes: Iterable[Change]) -> Iterator[Change]:
    """What inherits from a table is changed with it, unless ONLY that is meant."""
    waiting = [change for change in changes if change.verb != INSERT]
    while waiting:
        change = waiting.pop()
        if change.by or not mentions(effect.statement.text, "ONLY"):
            for heir in catalogue.of(Relation):
                if change.table in heir.inherits:
                    waiting.append(replace(change, table=heir.oid))
                    yield waiting[-1]


def _untold(effect: Effect, body: Body) -> Iterator[Change]:
    """By code that does not say all that it does: whatever happened, more columns may be meant."""
    if dark(body) and not effect.targets:
        for oid, written in effect.written.items():
            if written.updated:
                yield Change(verb=UPDATE, table=oid)


def _unexplained(effect: Effect, changes: Iterable[Change]) -> tuple[Change, ...]:
    """What happened on the copy though neither text nor catalogue tells why."""
    known = {(change.verb, change.table) for change in changes}
    return tuple(
        Change(verb=UPDATE, table=oid)
        for oid, written in effect.written.items()
        if written.updated and (UPDATE, oid) not in known
    )


def _followed(catalogue: Catalogue, begin: Iterable[Change]) -> Carried:
    found, unknown = [*begin], list[str]()
    seen, writes = set[Change](), set[Write]()
    while waiting := [change for change in dict.fromkeys(found) if change not in seen]:
        for change in waiting:
            seen.add(change)
            found += () if change.guess else _by_keys(catalogue, change)
            for trigger, name in _firing(catalogue, change):
                does = done(for_event(catalogue, trigger, change.verb), trigger)
                found += [*_of_body(catalogue, does, name), *_beside(change, does, name)]
                unknown += [f"{name} {reason}" for reason in dark(does)]
                writes |= does.writes
            if _indirect(catalogue, change):
                unknown.append(f"{change.by} writes through {catalogue.shown(change.table)}")
    return Carried(
        changes=tuple(change for change in dict.fromkeys(found) if not change.guess),
        unknown=tuple(dict.fromkeys(unknown)),
        writes=frozenset(writes),
    )


def _direct(catalogue: Catalogue, effect: Effect) -> Iterator[Change]:
    inserts = mentions(effect.statement.text, "INSERT") or mentions(effect.statement.text, "MERGE")
    for oid in {*effect.targets, *effect.written, *effect.updates, *effect.deletes}:
        written = effect.written.get(oid)
        if oid in effect.deletes or (written and written.deleted):
            yield Change(verb=DELETE, table=oid)
        planned = any(each.oid in effect.targets for each in _lineage(catalogue, oid))
        if oid in effect.updates or (written and written.updated and planned):
            columns = targets(catalogue, effect, oid) or None
            yield Change(verb=UPDATE, table=oid, columns=columns)
        told = oid in effect.updates | effect.deletes and not inserts
        if (oid in effect.targets and not told) or (written and written.inserted):
            yield Change(verb=INSERT, table=oid)
    for oid in effect.emptied:
        yield Change(verb=TRUNCATE, table=oid)
    yield from _of_new(effect)
    yield from _copied(catalogue, effect)


def _of_new(effect: Effect) -> Iterator[Change]:
    """Of tables that the migration has made, what is not counted may have happened."""
    for oid in effect.wrote - effect.targets.keys() - effect.written.keys():
        for verb in (INSERT, UPDATE, DELETE):
            if mentions(effect.statement.text, verb):
                yield Change(verb=verb, table=oid)


def _copied(catalogue: Catalogue, effect: Effect) -> Iterator[Change]:
    """COPY … FROM, of which the rows are not at hand."""
    words = list(tokens(effect.statement.text))
    if words[:1] == ["COPY"] and "FROM" in words and words[1] != "(":
        for write in read_body(effect.statement.text, "sql").writes:
            for table in tables(catalogue, write):
                yield Change(verb=INSERT, table=table.oid)


def targets(catalogue: Catalogue, effect: Effect, oid: int) -> tuple[str, ...]:
    """The columns that a statement sets in a table, or in what it is a partition of."""
    found = (effect.targets.get(each.oid, ()) for each in _lineage(catalogue, oid))
    return next(filter(None, found), ())


def _lineage(catalogue: Catalogue, oid: int) -> Iterator[Relation]:
    """A table, and what it is a partition of: keys and triggers of that are its own."""
    table = catalogue.relation(oid)
    while table is not None:
        yield table
        table = catalogue.relation(table.parent) if table.parent else None


def _by_keys(catalogue: Catalogue, change: Change) -> Iterator[Change]:
    lineage = {each.oid for each in _lineage(catalogue, change.table)}
    for key in catalogue.of(Constraint):
        if key.kind != "f" or key.target not in lineage or _of_partition(catalogue, key):
            continue
        by = f"the foreign key {key.name}"
        if change.verb == TRUNCATE:  # CASCADE, or it would have been refused
            yield Change(verb=TRUNCATE, table=key.table, by=by)
            continue
        action = re.search(_ACTION.format(change.verb), key.definition)
        if action is None or (change.verb == UPDATE and not _refers(catalogue, key, change)):
            continue
        if change.verb == DELETE and action[1] == "CASCADE":
            yield Change(verb=DELETE, table=key.table, by=by)
        else:
            columns = _names(catalogue.columns(key.table, key.columns))
            yield Change(verb=UPDATE, table=key.table, columns=columns, by=by)


def _of_partition(catalogue: Catalogue, key: Constraint) -> bool:
    """What a partition has from its parent, which is followed itself."""
    lineage = [*_lineage(catalogue, key.table)][1:]
    return any(
        other.target == key.target
        for parent in lineage
        for other in catalogue.of(Constraint, parent.oid)
    )


def _refers(catalogue: Catalogue, key: Constraint, change: Change) -> bool:
    index = catalogue.things.get(("Index", key.index, 0))
    if change.columns is None or not isinstance(index, Index):
        return True
    return bool({*_names(catalogue.columns(index.table, index.columns))} & {*change.columns})


def _names(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


def _firing(catalogue: Catalogue, change: Change) -> Iterator[tuple[Trigger, str]]:
    for table in _lineage(catalogue, change.table):
        for trigger in firing(catalogue, table, change.verb, change.columns):
            yield trigger, f"the trigger {trigger.name} on {catalogue.shown(table.oid)}"


def _of_body(catalogue: Catalogue, body: Body, by: str) -> Iterator[Change]:
    for write in body.writes:
        told, guess = write.column not in ("", ANYTHING), ANYTHING in write.table
        columns = (write.column,) if told else None
        for table in tables(catalogue, write) if write.verb != "SCHEMA" else ():
            yield Change(verb=write.verb, table=table.oid, columns=columns, by=by, guess=guess)


def _beside(change: Change, body: Body, by: str) -> Iterator[Change]:
    names = [column for column, _ in body.sets]
    if change.verb == UPDATE and names and not change.guess:
        columns = None if WHOLE_ROW in names else tuple(sorted(names))
        yield replace(change, columns=columns, by=by, beside=True)


def _indirect(catalogue: Catalogue, change: Change) -> bool:
    """By code, into what keeps no rows itself."""
    relation = catalogue.relation(change.table)
    return bool(change.by) and not change.guess and relation is not None and relation.kind == "v"
