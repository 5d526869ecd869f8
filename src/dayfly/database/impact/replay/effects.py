"""What was seen of a migration: statement by statement, with the catalogue between."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dayfly.database.captured import Statement
from dayfly.database.impact.replay.joining import Join
from dayfly.database.impact.schema.catalogue import EMPTY, Catalogue, Key


@dataclass(frozen=True, kw_only=True)
class Written:
    """Rows of one table that one statement changed on the copy."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def rows(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What PostgreSQL said to a statement, and in which table."""

    sqlstate: str
    message: str
    table: str = ""
    column: str = ""

    @property
    def of_rows(self) -> bool:
        """Whether it depends on the rows that are there: bad data or a violated constraint."""
        return self.sqlstate[:2] in ("22", "23")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one statement did to relations that existed before the migration (by oid)."""

    statement: Statement
    tag: str = ""  # PostgreSQL's own word: "ALTER TABLE"
    locks: Mapping[int, str] = field(default_factory=dict)  # new or stronger by this statement
    rewritten: frozenset[int] = frozenset()
    emptied: frozenset[int] = frozenset()
    counting: frozenset[int] = frozenset()  # sequences whose state was written anew
    scanned: frozenset[int] = frozenset()  # wholly, to check or to index
    read: frozenset[int] = frozenset()  # by a query
    written: Mapping[int, Written] = field(default_factory=dict)
    targets: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # columns; () is unknown
    updates: frozenset[int] = frozenset()  # whether or not the copy had such rows
    deletes: frozenset[int] = frozenset()
    wrote: frozenset[int] = frozenset()  # new tables too
    constant: bool = False  # touches as many rows in production as on the copy
    lookup: bool = False  # reads single rows by their keys
    follows: frozenset[int] = frozenset()  # without rows of these new tables it reads none at all
    ends: frozenset[int] = frozenset()  # of which it reads the largest or least value of an index
    pairs: frozenset[tuple[int, int]] = frozenset()  # for each row of this, it reads all of that
    joins: frozenset[Join] = frozenset()  # of which neither side is unique
    answered: bool | None = None  # None: no query; False: no row, or nothing but zero and NULL
    changed: frozenset[str] | None = None  # columns of one row set to constants; None: not known
    defines: bool = False  # the catalogue was written, whatever the statement is called
    seconds: float = 0.0
    failure: Failure | None = None  # it ended the migration
    refused: Failure | None = None  # rows of the copy were in its way; without them it succeeded
    outside: bool = False  # of any transaction


@dataclass(frozen=True, kw_only=True)
class Step:
    """An effect and the catalogue after it."""

    effect: Effect
    after: Catalogue


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A whole migration on a copy: what was there, and what each transaction did."""

    before: Catalogue = EMPTY
    rows: Mapping[int, int] = field(default_factory=dict)  # of the copy
    transactions: tuple[tuple[Step, ...], ...] = ()
    skipped: int = 0  # statements after a failure

    @property
    def steps(self) -> Iterator[Step]:
        for transaction in self.transactions:
            yield from transaction

    @property
    def after(self) -> Catalogue:
        return next((step.after for step in reversed(list(self.steps))), self.before)

    def cause(self, *keys: Key) -> Effect | None:
        """The last statement that changed one of these things."""
        found, previous = None, self.before
        for step in self.steps:
            if any(previous.things.get(key) != step.after.things.get(key) for key in keys):
                found = step.effect
            previous = step.after
        return found

    def around(self, effect: Effect) -> tuple[Catalogue, Catalogue]:
        """The catalogue before and after a statement."""
        previous = self.before
        for step in self.steps:
            if step.effect.statement is effect.statement:
                return previous, step.after
            previous = step.after
        return previous, previous
