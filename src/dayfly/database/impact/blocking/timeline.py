"""When a migration takes which lock: its statements in their transactions, with their time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from dayfly.database.books import keeps_books
from dayfly.database.impact.blocking.blocking import (
    MOMENT_MS,
    SAME_ROWS,
    owned,
    stops,
    strong,
    upwards,
)
from dayfly.database.impact.blocking.cost import cost, not_growing
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.replay.locks import words
from dayfly.database.impact.words import first_word

STATEMENTS, LETTERS = 200, 1000  # that are told of a migration, and of one statement
_LOOKS = ("SELECT", "SHOW", "SET", "RESET", "VALUES", "TABLE", "FETCH", "DECLARE", "CLOSE")


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Held from the statement that takes it to the end of its transaction."""

    table: str
    lock: str
    blocks: str = ""

    def as_json(self) -> dict[str, object]:
        return {"table": self.table, "lock": words(self.lock), "blocks": self.blocks}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One statement: how long it takes on production's rows, and the locks that it is first in."""

    migration: str
    statement: str
    ms: float | None  # None: it grows with rows that nobody counted
    locks: tuple[Lock, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "migration": self.migration,
            "statement": _shortened(self.statement),
            "ms": None if self.ms is None else round(self.ms, 1),
            "locks": [lock.as_json() for lock in self.locks],
        }


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The transactions of a migration, one after the other."""

    transactions: tuple[tuple[Moment, ...], ...] = ()
    budget: float | None = None  # seconds that others may be blocked; None: nothing was judged
    more_ms: float | None = 0.0  # than on a copy, because of production's rows; None: as above

    def as_json(self) -> dict[str, object]:
        """The first statements; how many more there are stands in a last entry."""
        entries: list[dict[str, object]] = []
        room = STATEMENTS
        for transaction in self.transactions:
            shown = transaction[:room]
            if shown:
                entries.append({"statements": [moment.as_json() for moment in shown]})
            room -= len(shown)
        more = sum(map(len, self.transactions)) - STATEMENTS
        if more > 0:
            entries.append({"statements": [], "more": more})
        return {"timeline": entries, "budget": self.budget}


EMPTY = Timeline()


def timeline(what: Comparison, observed: Observed, budget: float) -> Timeline:
    """Without what a tool asks and writes down for itself."""
    transactions = (
        tuple(_moments(what, observed, [upwards(what, step.effect) for step in transaction]))
        for transaction in observed.transactions
    )
    return Timeline(
        transactions=tuple(filter(None, transactions)),
        budget=budget,
        more_ms=_more(what, observed),
    )


def _more(what: Comparison, observed: Observed) -> float | None:
    steps = (step for transaction in observed.transactions for step in transaction)
    growing = [cost(what, observed, _whole(step.effect)).growing for step in steps]
    known = [ms for ms in growing if ms is not None]
    return sum(known) if len(known) == len(growing) else None


def _moments(what: Comparison, observed: Observed, effects: Sequence[Effect]) -> Iterator[Moment]:
    locked = {oid for effect in effects for oid in strong(effect)} & what.relations
    tables = locked - owned(what, locked)
    waiting: dict[int, str] = {}  # whom each table makes wait so far
    for effect in effects:
        text, ms = effect.statement.text, cost(what, observed, _whole(effect)).ms
        changed = set() if not_growing(observed, effect) else _changed(effect)
        locks = tuple(_taken(what, effect, changed, tables, waiting))
        looks = first_word(text) in _LOOKS and ms is not None and ms < MOMENT_MS
        if locks or not (looks or keeps_books(text)):
            migration = effect.statement.migration
            yield Moment(migration=migration, statement=text, ms=ms, locks=locks)


def _taken(
    what: Comparison,
    effect: Effect,
    changed: Collection[int],
    tables: Collection[int],
    waiting: dict[int, str],
) -> Iterator[Lock]:
    """New or stronger locks, and the first change of many rows below a lock that allows it."""
    new = strong(effect)
    for oid in sorted((new | set(changed)) & set(tables)):
        lock = effect.locks.get(oid, "RowExclusive")
        whom = stops(what, effect, oid) or (SAME_ROWS if oid in changed else "")
        if oid in new or (whom and not waiting.get(oid)):
            yield Lock(table=what.before.shown(oid), lock=lock, blocks=whom)
            waiting[oid] = whom or waiting.get(oid, "")


def _changed(effect: Effect) -> set[int]:
    """Tables of which existing rows were changed, or would have been if the copy had them."""
    counted = {oid for oid, rows in effect.written.items() if rows.updated or rows.deleted}
    return counted | effect.updates | effect.deletes


def _whole(effect: Effect) -> Effect:
    """Outside a transaction nothing counts what is scanned: an index is built of what is locked."""
    builds = first_word(effect.statement.text) in ("CREATE", "REINDEX")
    if not (effect.outside and builds) or effect.rewritten:
        return effect
    return replace(effect, scanned=frozenset(effect.locks))


def _shortened(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}…"
