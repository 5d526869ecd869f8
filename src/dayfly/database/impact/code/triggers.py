"""What triggers and functions do to the outgoing release's writes: what they did before."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dayfly.database.impact import remedies
from dayfly.database.impact.code.bodies import (
    ANYTHING,
    NEW,
    NOTHING,
    OLD,
    OTHER,
    WHOLE_ROW,
    Body,
    Write,
)
from dayfly.database.impact.code.calling import whole
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation, Routine, Trigger
from dayfly.database.impact.schema.names import quoted

RAISED = "P0001"
RAISES = "its function raises an exception"
# Bits as of pg_relation_is_updatable.
_EVENTS = {"INSERT": 8, "UPDATE": 4, "DELETE": 16, "TRUNCATE": 0}
_SHAPE = re.compile(
    r"CREATE (?:CONSTRAINT )?TRIGGER (?:\"(?:[^\"]|\"\")*\"|\S+) (?P<shape>.*) "
    r"EXECUTE (?:FUNCTION|PROCEDURE) (?P<function>[^(]*)\((?P<arguments>.*)\)$",
    re.DOTALL,
)
# Of PostgreSQL and its extensions: whether the first argument names a column that they set.
_KNOWN = {
    "tsvector_update_trigger": True,
    "tsvector_update_trigger_column": True,
    "suppress_redundant_updates_trigger": False,
    "moddatetime": True,
    "insert_username": True,
    "autoinc": True,
}
_NO_BODY = Body(returns=frozenset({NEW}))


def triggers(what: Comparison) -> Iterator[Finding]:
    for trigger, owner in _fresh(what):
        for reason in _reasons(what, owner, trigger, done(what.after, trigger), _NO_BODY):
            yield _finding(what, owner, trigger, reason)
    for old in what.before.of(Trigger):
        table = what.before.relation(old.table)
        if old.fires and table and what.after.relation(table.oid):
            yield from _kept(what, table, old)


def _fresh(what: Comparison) -> Iterator[tuple[Trigger, Relation]]:
    """Those that fire now and did not before."""
    firing = [old for old in what.before.of(Trigger) if old.fires]
    known = {now.key for old in firing if (now := _now(what, old))}
    for trigger in what.after.of(Trigger):
        owner = what.former(trigger.table)
        if owner and trigger.fires and trigger.key not in known:
            yield trigger, owner


def _now(what: Comparison, old: Trigger) -> Trigger | None:
    """What became of it: under its name, under another, or made again under another."""
    standing = what.standing(old) or what.after.things.get(old.key)
    if isinstance(standing, Trigger):
        return standing
    shape = _shape(what, old)
    for trigger in what.after.of(Trigger, old.table):
        if what.is_new(trigger) and trigger.fires and _shape(what, trigger) == shape:
            return trigger
    return None


def _kept(what: Comparison, owner: Relation, old: Trigger) -> Iterator[Finding]:
    now = _now(what, old)
    shown = what.before.shown(owner.oid)
    if now is None or not now.fires:
        message = f"the trigger {old.name} on {shown} fires no longer"
        yield breaks(owner.oid, message, "", remedies.CONTRACT, old)
    elif _shape(what, old) != _shape(what, now):
        message = f"the trigger {old.name} on {shown} fires at other times"
        yield breaks(owner.oid, message, "", remedies.CONTRACT, old, now)
    else:
        did, does = done(what.before, old), done(what.after, now)
        for reason in _reasons(what, owner, now, does, did):
            yield _finding(what, owner, old, reason, now)


def _finding(
    what: Comparison, owner: Relation, trigger: Trigger, reason: str, *more: Trigger
) -> Finding:
    shown = what.before.shown(owner.oid)
    message = f"the trigger {trigger.name} on {shown} changes what writes do: {reason}"
    routines = [
        routine
        for each in (trigger, *more)
        if (routine := what.after.things.get(("Routine", each.routine, 0)))
    ]
    state = RAISED if reason == RAISES else ""
    return breaks(owner.oid, message, state, remedies.CONTRACT, trigger, *more, *routines)


def _shape(what: Comparison, trigger: Trigger) -> str:
    """When it fires, without names and without what it runs."""
    catalogue = what.before if what.before.things.get(trigger.key) is trigger else what.after
    found = _SHAPE.match(trigger.definition)
    table = catalogue.relation(trigger.table)
    shape = found["shape"] if found else trigger.definition
    return shape.replace(f" ON {table.schema}.{quoted(table.name)}", "") if table else shape


def done(catalogue: Catalogue, trigger: Trigger) -> Body:
    """What its function does."""
    routine = catalogue.things.get(("Routine", trigger.routine, 0))
    if isinstance(routine, Routine):
        return whole(catalogue, routine)
    found = _SHAPE.match(trigger.definition)
    name, arguments = (found["function"], found["arguments"]) if found else ("", "")
    bare = name.rpartition(".")[2]
    if bare not in _KNOWN:
        return Body(unread=(f"it runs {name}, which nobody can read here",))
    column = arguments.split(",")[0].strip("' ")
    sets = frozenset({(column, "")} if _KNOWN[bare] else ())
    return Body(returns=frozenset({NEW}), sets=sets)


@dataclass(frozen=True)
class _Changed:
    """A trigger's old and new deeds, and the table that it belongs to."""

    what: Comparison
    owner: Relation
    before: Body
    after: Body

    @property
    def columns(self) -> frozenset[str]:
        """That the outgoing release may write."""
        return frozenset(column.name for column in self.what.before.of(Column, self.owner.oid))

    def overwritten(self) -> list[str]:
        """Not what is only searched in: it is made of the other columns anyway."""
        both = {c for c, _ in self.before.sets} & {c for c, _ in self.after.sets}
        columns = self.what.before.of(Column, self.owner.oid)
        searched = {column.name for column in columns if column.type == "tsvector"} & both
        named = {column for column, _ in self.before.sets ^ self.after.sets}
        return sorted(named & (self.columns | {WHOLE_ROW}) - searched)


def _reasons(
    what: Comparison, owner: Relation, trigger: Trigger, after: Body, before: Body
) -> Iterator[str]:
    changed = _Changed(what, owner, before, after)
    if after.raises > before.raises:
        yield RAISES
    if after.unread != before.unread:
        yield f"its function {(*after.unread, *before.unread)[0]}"
    if "FOR EACH ROW" in trigger.definition and "AFTER" not in trigger.definition.split(" ON ")[0]:
        yield from _before_rows(changed, trigger)
    written = sorted(
        set(_written(what, what.before, before)) ^ set(_written(what, what.after, after))
    )
    if written:
        yield f"it {'writes' if after.writes else 'no longer writes'} {', '.join(written)}"


def _before_rows(changed: _Changed, trigger: Trigger) -> Iterator[str]:
    fires = events(trigger)
    overwritten = changed.overwritten()
    if overwritten:
        columns = ", ".join("whole rows" if c == WHOLE_ROW else quoted(c) for c in overwritten)
        yield f"it overwrites {columns}"
    added = changed.after.returns - changed.before.returns
    swallows = NOTHING in added or (NEW in added and fires == {"DELETE"})
    if swallows:
        yield "its function returns NULL"
    elif OTHER in added or (OLD in added and "DELETE" not in fires):
        yield "its function returns another row than the one that is written"
    if "INSTEAD OF" in trigger.definition and changed.before is _NO_BODY:
        bits = sum(_EVENTS[event] for event in fires)
        if changed.owner.writable & bits:
            yield "what is written to the view goes elsewhere"


def events(trigger: Trigger) -> frozenset[str]:
    """INSERT, UPDATE, DELETE, TRUNCATE: on which of them it fires."""
    head = trigger.definition.split(" ON ")[0]
    return frozenset(event for event in _EVENTS if re.search(rf"\b{event}\b", head))


def _written(what: Comparison, catalogue: Catalogue, body: Body) -> Iterator[str]:
    """What of it was there before the migration, by its old name."""
    for write in body.writes:
        for table in tables(catalogue, write):
            old = what.former(table.oid)
            if old is None or old.name in what.bookkeeping:
                continue
            names = {column.name for column in what.before.of(Column, old.oid)}
            if write.verb != "UPDATE":
                yield f"rows of {what.before.shown(old.oid)}"
            elif write.column in names:
                yield f"{what.before.shown(old.oid)}.{quoted(write.column)}"


def tables(catalogue: Catalogue, write: Write) -> Iterator[Relation]:
    """That it may mean: schemas are not looked at."""
    named = re.compile(re.escape(write.table).replace(ANYTHING, ".*"))
    return (each for each in catalogue.of(Relation) if named.fullmatch(each.name))


def bodies(what: Comparison) -> Iterator[Finding]:
    """Functions that exist, whoever calls them."""
    firing = {trigger.routine for trigger in what.after.of(Trigger) if trigger.fires}
    for old in what.before.of(Routine):
        now = what.standing(old)
        if now is None or now.body == old.body or now.oid in firing:
            continue
        before, after = whole(what.before, old), whole(what.after, now)
        name = f"{old.name}({old.arguments})"
        if after.raises > before.raises:
            message = f"the new body of {name} may refuse what passed before"
            yield breaks(0, message, RAISED, remedies.CONTRACT, old, now)
        written = set(_written(what, what.before, before)) ^ set(_written(what, what.after, after))
        if written:
            message = (
                f"the new body of {name} does not write what it wrote: {', '.join(sorted(written))}"
            )
            yield breaks(0, message, "", remedies.CONTRACT, old, now)
