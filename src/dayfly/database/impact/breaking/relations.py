"""What a table is to others: whose rows it shows, who sees them, and who follows their changes."""

import re
from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Relation,
    Thing,
    Trigger,
)
from dayfly.database.impact.schema.names import quoted, shown

NO_IDENTITY, CHECKED = "55000", "23514"
_ACTION = re.compile(r"ON (DELETE|UPDATE) (CASCADE|SET)")


def relations(what: Comparison) -> Iterator[Finding]:
    for old in what.tables:
        now = what.standing(old)
        if now is None or old.kind not in "rp" or now.kind not in "rp":
            continue
        for message, state in _differences(what, old, now):
            yield breaks(old.oid, message, state, remedies.CONTRACT, old, now)
    yield from _constraints(what)
    yield from _partitions(what)


def _differences(what: Comparison, old: Relation, now: Relation) -> Iterator[tuple[str, str]]:
    name = shown(what.before, old.oid)
    for parent in sorted(set(now.inherits) ^ set(old.inherits)):
        if what.before.relation(parent):
            told = "shows" if parent in now.inherits else "no longer shows"
            yield f"{shown(what.before, parent)} {told} the rows of {name}", ""
    if old.row_security and not now.row_security:
        yield f"{name} shows rows that were hidden (row security is off)", ""
    unknown = now.identity == "n" != old.identity
    if unknown or (now.unidentified and not old.unidentified):
        yield (
            f"UPDATE and DELETE of {name} fail where it is published: no row has an identity",
            (NO_IDENTITY),
        )


def _constraints(what: Comparison) -> Iterator[Finding]:
    for old in what.before.of(Constraint):
        now = what.after.things.get(old.key)
        owner = what.before.relation(old.table)
        if owner is None or what.after.relation(old.table) is None:
            continue
        name = shown(what.before, owner.oid)
        if now is None and _acts(old) and not _replaced(what, old):
            message = f"rows of {name} no longer follow those that they name: {old.definition}"
            yield breaks(owner.oid, message, "", remedies.CONTRACT, old)
        if isinstance(now, Constraint) and old.enforced and not now.enforced:
            message = f"{name} no longer follows {quoted(old.name)}: {old.definition}"
            yield breaks(owner.oid, message, "", remedies.CONTRACT, old)


def _acts(key: Constraint) -> bool:
    return key.kind == "f" and bool(_ACTION.search(key.definition))


def _replaced(what: Comparison, old: Constraint) -> bool:
    """By another that acts; without its columns or its target there is nothing left to do."""
    columns = what.after.columns(old.table, old.columns)
    gone = len(columns) < len(old.columns) or what.after.relation(old.target) is None
    others = what.after.of(Constraint, old.table)
    return gone or any(key.kind == "f" and key.columns == old.columns for key in others)


def _partitions(what: Comparison) -> Iterator[Finding]:
    """New ones take rows of their old table, and must take all of them."""
    for new in what.after.of(Relation):
        parent = what.former(new.parent) if what.is_new(new) and new.kind in "rp" else None
        whole = what.after.relation(new.parent)
        if parent is None or whole is None:
            continue
        for thing, reason in _stricter(what.after, new, whole):
            message = f"the new partition {shown(what.after, new.oid)} of {parent.name} {reason}"
            yield breaks(parent.oid, message, CHECKED, remedies.CONTRACT, thing)


def _stricter(catalogue: Catalogue, part: Relation, whole: Relation) -> Iterator[tuple[Thing, str]]:
    known = {each.definition for each in catalogue.of(Constraint, whole.oid)}
    for each in catalogue.of(Constraint, part.oid):
        if each.definition not in known:
            yield each, f"refuses rows: {each.definition}"
    free = {each.name for each in catalogue.of(Column, whole.oid) if not each.not_null}
    for column in catalogue.of(Column, part.oid):
        if column.not_null and column.name in free:
            yield column, f"refuses NULL as {quoted(column.name)}"
    fired = {each.name for each in catalogue.of(Trigger, whole.oid)}
    for trigger in catalogue.of(Trigger, part.oid):
        if trigger.fires and trigger.name not in fired:
            yield trigger, f"has a trigger of its own: {trigger.name}"
