"""What a table is to others: whose rows it shows, who sees them, and who follows their changes."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.catalogue import Constraint, Relation
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.names import quoted, shown

NO_IDENTITY = "55000"


def relations(what: Comparison) -> Iterator[Finding]:
    for old in what.tables:
        now = what.standing(old)
        if now is None or old.kind not in "rp" or now.kind not in "rp":
            continue
        for message, state in _differences(what, old, now):
            yield breaks(old.oid, message, state, remedies.CONTRACT, old, now)
    yield from _constraints(what)


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
        if not isinstance(now, Constraint) or owner is None:
            continue
        name = shown(what.before, owner.oid)
        if old.enforced and not now.enforced:
            message = f"{name} no longer follows {quoted(old.name)}: {old.definition}"
            yield breaks(owner.oid, message, "", remedies.CONTRACT, old)
