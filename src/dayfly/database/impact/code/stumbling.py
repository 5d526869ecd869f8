"""Triggers and functions that stay, and fail on what a migration made of the tables they use."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.evidence.fired import Failing
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Column, Relation, Routine, Thing
from dayfly.database.impact.words import mentions


def stumbling(what: Comparison) -> Iterator[Finding]:
    told: dict[tuple[str, ...], list[Failing]] = {}
    for failing in what.fired.failing:
        told.setdefault((failing.message, *failing.doing[1:]), []).append(failing)
    for group in told.values():
        yield from _finding(what, group)


def _finding(what: Comparison, group: list[Failing]) -> Iterator[Finding]:
    first = group[0]
    causes = _changed(what, f"{first.context} {first.message}")
    if first.doing[0] == "call":
        old = what.before.named.get(("Routine", *first.doing[1:]))
        if isinstance(old, Routine) and what.standing(old):
            message = f"calls of {old.name}({old.arguments}) fail: {first.message}"
            causes = causes or _changed(what, f"{old.body} {old.result}")
            yield breaks(0, message, first.sqlstate, remedies.NAME_COLUMNS, *causes)
        return
    owner = what.before.named.get(("Relation", *first.doing[1:]))
    if isinstance(owner, Relation):
        verbs = ", ".join(dict.fromkeys(each.doing[0].split()[0] for each in group))
        message = f"{verbs} of {what.before.shown(owner.oid)} fails in its trigger: {first.message}"
        own = tuple(each for each in _columns(what) if each.table == owner.oid)
        things = causes or own
        yield breaks(owner.oid, message, first.sqlstate, remedies.NAME_COLUMNS, *things)


def _columns(what: Comparison) -> Iterator[Column]:
    """New ones and changed ones, of tables that were there."""
    for column in what.after.of(Column):
        if what.before.relation(column.table) and what.before.things.get(column.key) != column:
            yield column


def _changed(what: Comparison, text: str) -> tuple[Thing, ...]:
    """Those of tables that a text names."""
    return tuple(
        column for column in _columns(what) if mentions(text, what.after.shown(column.table))
    )
