"""Will each row still find a partition that takes it? Where none does, inserts fail."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation
from dayfly.database.impact.schema.names import quoted, shown

CHECKED, NOT_NULL = "23514", "23502"
_HASHED = "FOR VALUES WITH (modulus"


def partitions(what: Comparison) -> Iterator[Finding]:
    for old in what.tables:
        new = what.standing(old)
        if new is None:
            continue
        name = shown(what.before, old.oid)
        if old.kind == "r" and new.kind == "p" and not _takes_all(what.after, new.oid):
            message = f"{name} becomes partitioned: it refuses rows for which there is no partition"
            yield breaks(old.oid, message, CHECKED, remedies.CONTRACT, old, new)
        if old.parent and new.parent == old.parent:
            yield from _part(what, old, new)


def _takes_all(catalogue: Catalogue, table: int) -> bool:
    parts = (part for part in catalogue.of(Relation) if part.parent == table)
    return any(part.takes_the_rest or part.bound.startswith(_HASHED) for part in parts)


def _part(what: Comparison, old: Relation, new: Relation) -> Iterator[Finding]:
    name = shown(what.before, old.oid)
    if old.bound != new.bound and not _takes_all(what.after, new.parent):
        message = f"{name} takes rows {new.bound} only, not {old.bound}"
        yield breaks(old.oid, message, CHECKED, remedies.CONTRACT, old, new)
    for column in what.before.of(Column, old.oid):
        now = what.standing(column)
        if now and now.not_null and not column.not_null and not _required(what, new, now):
            told = f"{name}.{quoted(column.name)} becomes NOT NULL"
            message = f"{told}: rows of that partition without it are refused"
            remedy = remedies.not_null(name, quoted(column.name))
            yield breaks(old.oid, message, NOT_NULL, remedy, column)


def _required(what: Comparison, part: Relation, column: Column) -> bool:
    """By the table of which it is a part, too: told there."""
    return any(
        each.not_null for each in what.after.of(Column, part.parent) if each.name == column.name
    )
