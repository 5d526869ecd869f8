"""How long a statement takes on production's rows, from what it did to the few rows of a copy."""

from collections.abc import Iterator
from dataclasses import dataclass

from dayfly.database.figures import Values
from dayfly.database.impact.blocking.rates import (
    INDEX_US,
    SCAN_US,
    called,
    functions_us,
    index_us,
    longer_us,
    rewrite_us,
)
from dayfly.database.impact.blocking.referring import searched
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.replay.joining import Join
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Index
from dayfly.database.impact.words import first_word

# Microseconds per row, measured on a table of 200,000 rows of about 100 bytes with two indexes on
# two busy cores, and rounded up.
INSERT_US, UPDATE_US, DELETE_US = 20.0, 45.0, 5.0
JOIN_US = 0.1  # of a row that a join finds
PAIR_US = 0.05  # of a row that is compared with each row of another table
_UNKNOWN = Values(width=0, distinct=0)
# On a few rows a statement takes no longer than this; more is noise, unless it is much more.
SHORT_MS, LONG_MS = 10.0, 250.0


@dataclass(frozen=True)
class Cost:
    """Milliseconds whatever the rows, and those that grow with them; None when nobody counted."""

    constant: float
    growing: float | None

    @property
    def ms(self) -> float | None:
        return None if self.growing is None else self.constant + self.growing


def cost(what: Comparison, observed: Observed, effect: Effect) -> Cost:
    rates = _rates(what, observed, effect)
    for oid, rows_us in _written(what, observed, effect).items():
        rates[oid] = rates.get(oid, 0.0) + rows_us
    growing = 0.0
    for oid, microseconds in rates.items():
        rows = what.rows(oid)
        if rows is None:
            return Cost(_constant(effect), None)
        growing += rows * microseconds / 1000
    for one, other in _pairs(what, observed, effect):
        if one is None or other is None:
            return Cost(_constant(effect), None)
        growing += one * other * PAIR_US / 1000
    for join in () if not_growing(observed, effect) else effect.joins:
        found = _found(what, effect, join)
        if found is None:
            return Cost(_constant(effect), None)
        growing += found * JOIN_US / 1000
    return Cost(_constant(effect), growing)


def _found(what: Comparison, effect: Effect, join: Join) -> float | None:
    """Rows of a join, the values being spread evenly.

    Where nobody knows how many there are, who changes rows by those of another table means one for
    each; any other query is taken to compare all with all.
    """
    one, other = what.rows(join.one), what.rows(join.other)
    if one is None or other is None:
        return None
    distinct = [
        count if count > 0 else -count * (what.rows(oid) or 0)
        for oid, name in join.columns
        if (count := what.known(oid).values.get(name, _UNKNOWN).distinct)
    ]
    if not distinct and {join.one, join.other} & (effect.updates | effect.deletes):
        return 0.0
    return one * other / max([*distinct, 1.0])


def _pairs(
    what: Comparison, observed: Observed, effect: Effect
) -> Iterator[tuple[float | None, int | None]]:
    """How many rows are compared with how many others."""
    once = not_growing(observed, effect)
    for one, other in () if once else effect.pairs:
        yield what.rows(one), what.rows(other)
    for one, other in searched(observed.around(effect)[0], effect):
        yield _changed(what, observed, effect, one, once=once), what.rows(other)


def _changed(
    what: Comparison, observed: Observed, effect: Effect, oid: int, *, once: bool
) -> float | None:
    """Rows of a table that go, or get another key; as many of a hundred as on the copy."""
    written, rows = effect.written.get(oid), what.rows(oid)
    here = observed.rows.get(oid, 0)
    if once or (written and not here):
        return written.rows if written else 1
    return rows * written.rows / here if rows is not None and written else rows


def _constant(effect: Effect) -> float:
    measured = effect.seconds * 1000
    return measured if measured > LONG_MS else min(measured, SHORT_MS)


def _rates(what: Comparison, observed: Observed, effect: Effect) -> dict[int, float]:
    """Microseconds per row of each table."""
    builds = _builds_index(effect)
    read = frozenset() if effect.constant else effect.read - effect.ends
    whole = read | effect.scanned | effect.rewritten
    if not whole:
        return {}
    after = observed.around(effect)[1]
    rates = dict.fromkeys(whole, 0.0)
    for oid in whole:
        known, new = what.known(oid), oid in effect.rewritten
        indexing = new or (builds and oid in effect.scanned)
        if new and not builds:
            rates[oid] += rewrite_us(known)
        elif not new:
            rates[oid] += longer_us(known) + (0.0 if indexing else SCAN_US)
        if indexing:
            built = [index for index in after.of(Index, oid) if new or what.is_new(index)]
            spent = sum(index_us(after, index, known) for index in built)
            rates[oid] += max(spent, INDEX_US)
        rates[oid] += functions_us(after, _functions(after, effect, oid), known.bytes)
    return rates


def _functions(after: Catalogue, effect: Effect, oid: int) -> frozenset[str]:
    """That it calls for each row, beside those of indexes."""
    texts = [effect.statement.text]
    if oid in effect.rewritten:
        texts += [column.expression for column in after.of(Column, oid)]
    indexed = called(index.definition for index in after.of(Index, oid))
    return called(texts) - (indexed if _builds_index(effect) else frozenset())


def _builds_index(effect: Effect) -> bool:
    text = effect.statement.text.upper()
    words = ("UNIQUE", "PRIMARY KEY", "EXCLUDE")
    return first_word(text) in ("CREATE", "REINDEX") or any(word in text for word in words)


def _written(what: Comparison, observed: Observed, effect: Effect) -> dict[int, float]:
    """Microseconds of writing per row that a table has in production."""
    if not_growing(observed, effect):
        return {}
    if not effect.written and first_word(effect.statement.text) != "INSERT":
        # No such row on the copy: all of them, to be safe.
        return {oid: DELETE_US if oid in effect.deletes else UPDATE_US for oid in effect.targets}
    found: dict[int, float] = {}
    sources = {oid for oid in effect.read if observed.rows.get(oid)}
    source = max(sources, key=lambda oid: what.rows(oid) or 0, default=0)
    for oid, written in effect.written.items():
        changed = written.updated * UPDATE_US + written.deleted * DELETE_US
        found[oid] = found.get(oid, 0.0) + changed / max(observed.rows.get(oid, 0), 1)
        if source:
            added = written.inserted * INSERT_US / observed.rows[source]
            found[source] = found.get(source, 0.0) + added
    return found


def not_growing(observed: Observed, effect: Effect) -> bool:
    """Whether it touches as many rows in production as here.

    Rows addressed one by one are as many as were written down, unless a program first asked which
    there are and then went through them.
    """
    if not effect.constant:
        return False
    touched = {*effect.written, *effect.targets}
    asked = {
        oid
        for step in observed.steps
        if step.effect.statement.migration == effect.statement.migration
        and first_word(step.effect.statement.text) in ("SELECT", "FETCH", "DECLARE")
        for oid in step.effect.read
    }
    return not touched & asked
