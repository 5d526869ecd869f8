"""What a rollback survives only until the new release writes into it."""

from collections.abc import Iterator
from dataclasses import replace

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import ONLINE, Finding
from dayfly.database.impact.schema.catalogue import Column, Constraint, Type
from dayfly.database.impact.schema.names import quoted
from dayfly.database.impact.schema.types import widens

STALE = "statements that return it and were prepared before fail until they are prepared again"


def widening(what: Comparison) -> Iterator[Finding]:
    yield from _columns(what)
    for old in what.before.of(Constraint):
        now = what.after.of(Constraint, old.table)
        if what.after.relation(old.table) and not any(map(old.refuses_as, now)):
            table = what.before.shown(old.table)
            yield _widens(old.table, f"{table} no longer refuses what breaks {old.definition}", old)
    for kind in what.before.of(Type):
        after = what.standing(kind)
        more = [label for label in after.labels if label not in kind.labels] if after else []
        if more:
            yield _widens(0, f"the type {kind.name} also knows {', '.join(map(repr, more))}", kind)


def _columns(what: Comparison) -> Iterator[Finding]:
    for old in what.before.of(Column):
        now = what.after.things.get(old.key)
        if not isinstance(now, Column) or what.after.relation(old.table) is None:
            continue
        place = f"{what.before.shown(old.table)}.{quoted(old.name)}"
        if now.type != old.type and widens(old.type, now.type):
            told = _widens(old.table, f"{place} takes {now.type}, no longer {old.type}", old)
            yield replace(told, evidence=STALE)
        if old.not_null and not now.not_null:
            yield _widens(old.table, f"{place} may be NULL", old)


def _widens(table: int, message: str, thing: Column | Constraint | Type) -> Finding:
    return Finding(
        verdict=ONLINE,
        kind="widens",
        message=f"{message}: safe to roll back until the new release uses that",
        relation=table,
        keys=(thing.key,),
    )
