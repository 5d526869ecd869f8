"""Whom a migration makes wait, and for how long: a lock is held to the end of its transaction."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dayfly.database.impact import remedies
from dayfly.database.impact.blocking.cost import cost, not_growing
from dayfly.database.impact.blocking.safer import safer
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import DOWNTIME, ONLINE, Finding
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.replay.locks import blocks, strength, words
from dayfly.database.impact.schema.names import shown
from dayfly.database.impact.words import first_word

CROWD = 20  # partitions that are still told one by one
SAME_ROWS = "writers of the same rows"
MOMENT_MS, LONG_MS = 20, 10_000  # when it is not worth a figure, and when it is told in seconds


def blocking(what: Comparison, observed: Observed, budget: float) -> Iterator[Finding]:
    tables = what.relations
    for transaction in observed.transactions:
        effects = [upwards(what, step.effect) for step in transaction]
        locked = {oid for effect in effects for oid in strong(effect)} & tables
        for oid in sorted(locked - owned(what, locked) - _crowd(what, locked)):
            yield from _of_table(what, observed, effects, oid, budget)
        yield from _same_rows(what, observed, effects, tables, budget)


def _of_table(
    what: Comparison, observed: Observed, effects: Sequence[Effect], oid: int, budget: float
) -> Iterator[Finding]:
    taking = [effect for effect in effects if stops(what, effect, oid)]
    if not taking:
        yield from _touched(what, effects, oid)
        return
    strongest = _strongest(taking, oid)
    held = effects[effects.index(taking[0]) :]
    slowest = max(held, key=lambda effect: _ms(what, observed, effect))
    blocked = _sum(what, observed, held)
    lock, whom = strongest.locks[oid], stops(what, strongest, oid)
    long = blocked is None or blocked > budget * 1000
    name = what.before.shown(oid)
    yield Finding(
        verdict=DOWNTIME if long else ONLINE,
        kind="blocks",
        message=f"{words(lock)} on {name} makes {whom} wait {_told(blocked)}",
        migration=strongest.statement.migration,
        statement=strongest.statement.text,
        relation=oid,
        lock=lock,
        blocks=whom,
        blocked_ms=None if blocked is None else round(blocked),
        evidence=_evidence(what, strongest, slowest),
        remedy=_remedy(what, observed, held, oid, budget) if long else "",
    )


def stops(what: Comparison, effect: Effect, oid: int) -> str:
    """Whom its lock makes wait; nobody writes to a materialized view but another REFRESH."""
    lock, relation = effect.locks.get(oid, ""), what.before.relation(oid)
    refreshes = lock == "Exclusive" and relation is not None and relation.kind == "m"
    return "" if refreshes else blocks(lock)


def _strongest(taking: Sequence[Effect], oid: int) -> Effect:
    """Where several take the same lock, the first of them."""
    return max(taking, key=lambda effect: strength(effect.locks[oid]))


def strong(effect: Effect) -> set[int]:
    """What it does more with than read."""
    weakest = strength("RowExclusive")
    return {oid for oid, mode in effect.locks.items() if strength(mode) >= weakest}


def owned(what: Comparison, locked: Collection[int]) -> set[int]:
    """Sequences of tables that are locked themselves."""
    found = (what.before.relation(oid) for oid in locked)
    return {old.oid for old in found if old and old.kind == "S" and old.parent in locked}


def _crowd(what: Comparison, locked: Collection[int]) -> set[int]:
    """Partitions of which there are many: the lock on what they belong to stands for them."""
    found = [what.before.relation(oid) for oid in locked]
    parts = [old for old in found if old and old.kind != "S" and old.parent in locked]
    many = Counter(old.parent for old in parts)
    return {old.oid for old in parts if many[old.parent] > CROWD}


def upwards(what: Comparison, effect: Effect) -> Effect:
    """Who uses a partitioned table needs its partitions: a lock on one of them counts for it."""
    locks = dict(effect.locks)
    for oid, mode in effect.locks.items():
        part = what.before.relation(oid)
        while part is not None and part.parent:
            if mode == "AccessExclusive":
                locks[part.parent] = mode
            part = what.before.relation(part.parent)
    return effect if locks == effect.locks else replace(effect, locks=locks)


def _touched(what: Comparison, effects: Sequence[Effect], oid: int) -> Iterator[Finding]:
    """Nobody waits, but something that exists was touched."""
    for effect in effects:
        if oid in strong(effect):
            lock = effect.locks[oid]
            yield Finding(
                verdict=ONLINE,
                kind="touches",
                message=f"{words(lock)} on {what.before.shown(oid)} makes nobody wait",
                migration=effect.statement.migration,
                statement=effect.statement.text,
                relation=oid,
                lock=lock,
            )
            return


def _same_rows(
    what: Comparison,
    observed: Observed,
    effects: Sequence[Effect],
    tables: frozenset[int],
    budget: float,
) -> Iterator[Finding]:
    for place, effect in enumerate(effects):
        changed = {oid for oid, rows in effect.written.items() if rows.updated or rows.deleted}
        if first_word(effect.statement.text) != "INSERT":
            changed |= effect.targets.keys()
        if not_growing(observed, effect):
            continue
        for oid in sorted(changed & tables):
            blocked = _sum(what, observed, effects[place:])
            if what.has_rows(oid) and (blocked is None or blocked > budget * 1000):
                yield Finding(
                    verdict=DOWNTIME,
                    kind="blocks",
                    message=f"holds changed rows of {what.before.shown(oid)} locked "
                    f"{_told(blocked)}",
                    migration=effect.statement.migration,
                    statement=effect.statement.text,
                    relation=oid,
                    lock=effect.locks.get(oid, "RowExclusive"),
                    blocks=SAME_ROWS,
                    blocked_ms=None if blocked is None else round(blocked),
                    remedy=remedies.batches(what.before.shown(oid)),
                )


def _ms(what: Comparison, observed: Observed, effect: Effect) -> float:
    spent = cost(what, observed, effect).ms
    return float("inf") if spent is None else spent


def _sum(what: Comparison, observed: Observed, effects: Sequence[Effect]) -> float | None:
    spent = [cost(what, observed, effect).ms for effect in effects]
    known = [ms for ms in spent if ms is not None]
    return sum(known) if len(known) == len(spent) else None


def _told(ms: float | None) -> str:
    if ms is None:
        return "for as long as it takes: how many rows there are is not known"
    if ms < MOMENT_MS:
        return "a moment"
    return f"about {ms:.0f} ms" if ms < LONG_MS else f"about {ms / 1000:.0f} s"


def _evidence(what: Comparison, strongest: Effect, slowest: Effect) -> str:
    told: list[str] = []
    for verb, tables in (("rewrites", slowest.rewritten), ("reads all of", slowest.scanned)):
        if tables:
            told.append(f"{verb} {', '.join(sorted(what.before.shown(oid) for oid in tables))}")
    if slowest is not strongest:
        told.append(f"held while this runs: {slowest.statement.text}")
    return "; ".join(told)


def _remedy(
    what: Comparison, observed: Observed, held: Sequence[Effect], oid: int, budget: float
) -> str:
    taking = [effect for effect in held if stops(what, effect, oid)]
    strongest = _strongest(taking, oid)
    part = what.before.relation(oid)
    if part is not None and part.kind != "S" and part.parent in what.relations:
        whole = [effect for effect in held if stops(what, effect, part.parent)]
        if whole and _strongest(whole, part.parent) is strongest:
            return remedies.as_for(shown(what.before, part.parent))
    long = [effect for effect in held if _ms(what, observed, effect) > budget * 1000]
    safe = list(dict.fromkeys(filter(None, (safer(observed, effect) for effect in long))))
    if len(long) == 1 and long[0] is strongest:
        return safe[0] if safe else remedies.WINDOW
    return "\n".join([remedies.SPLIT, *safe])
