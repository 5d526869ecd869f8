"""How long a statement takes on production's rows, from what it did to the few rows of a copy."""

from dataclasses import dataclass

from dayfly.database.impact.catalogue import Index, Relation
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.effects import Effect, Observed
from dayfly.database.impact.words import first_word

# Microseconds per row, measured on a table of 200,000 rows of about 100 bytes with two indexes on
# two busy cores, and rounded up.
SCAN_US = 0.5
INDEX_US = 2.5
REWRITE_US = 5.0
INSERT_US, UPDATE_US, DELETE_US = 20.0, 45.0, 5.0
_BATCH = 1000  # fewer rows than this are a constant


@dataclass(frozen=True)
class Cost:
    """Milliseconds whatever the rows, and those that grow with them; None when nobody counted."""

    constant: float
    growing: float | None

    @property
    def ms(self) -> float | None:
        return None if self.growing is None else self.constant + self.growing


def cost(what: Comparison, observed: Observed, effect: Effect) -> Cost:
    rates = _rates(what, effect)
    for oid, rows_us in _written(what, observed, effect).items():
        rates[oid] = rates.get(oid, 0.0) + rows_us
    growing = 0.0
    for oid, microseconds in rates.items():
        rows = what.rows(oid)
        if rows is None:
            return Cost(effect.seconds * 1000, None)
        growing += rows * microseconds / 1000
    return Cost(effect.seconds * 1000, growing)


def _rates(what: Comparison, effect: Effect) -> dict[int, float]:
    """Microseconds per row of each table."""
    builds = _builds_index(effect)
    rates = {oid: SCAN_US for oid in effect.read if not effect.constant}
    for oid in effect.scanned:
        rates[oid] = INDEX_US if builds else SCAN_US
    for oid in effect.rewritten:
        indexes = sum(1 for _ in what.before.of(Index, oid))
        rates[oid] = (0.0 if builds else REWRITE_US) + INDEX_US * max(indexes, 1)
    return rates


def _builds_index(effect: Effect) -> bool:
    text = effect.statement.text.upper()
    words = ("UNIQUE", "PRIMARY KEY", "EXCLUDE")
    return first_word(text) in ("CREATE", "REINDEX") or any(word in text for word in words)


def _written(what: Comparison, observed: Observed, effect: Effect) -> dict[int, float]:
    """Microseconds of writing per row that the table has in production."""
    if not_growing(observed, effect):
        return {}
    found: dict[int, float] = {}
    for oid in {*effect.written, *effect.targets}:
        written = effect.written.get(oid)
        source = _largest(what, {*effect.read, oid})
        if written is None:  # nothing on the copy: all of it, to be safe
            rate = DELETE_US if oid in effect.deletes else UPDATE_US
            found[oid] = 0.0 if first_word(effect.statement.text) == "INSERT" else rate
            continue
        here = max(sum(observed.rows.get(part, 0) for part in _family(observed, source)), 1)
        spent = (
            written.inserted * INSERT_US + written.updated * UPDATE_US + written.deleted * DELETE_US
        )
        found[source] = found.get(source, 0.0) + spent / here
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


def _largest(what: Comparison, tables: set[int]) -> int:
    return max(tables, key=lambda oid: what.rows(oid) or 0)


def _family(observed: Observed, table: int) -> list[int]:
    parts = [part.oid for part in observed.before.of(Relation) if part.parent == table]
    return [table] if not parts else [table, *parts]
