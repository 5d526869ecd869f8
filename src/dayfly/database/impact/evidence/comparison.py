"""The database before and after a migration, with what a judgement needs to know besides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from dayfly.database.books import BESIDE, LISTS, NAMING
from dayfly.database.figures import Figures
from dayfly.database.impact.evidence.fired import NOTHING, Exercised
from dayfly.database.impact.evidence.indexed import Indexed
from dayfly.database.impact.evidence.limits import Limits
from dayfly.database.impact.evidence.sender import PROGRAM, Sender
from dayfly.database.impact.evidence.uses import Uses
from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Key,
    Relation,
    Thing,
)
from dayfly.database.production import OWN

Kind = TypeVar("Kind", bound=Thing)

USUAL = (OWN, "public")
# What migration tools and frameworks write down for themselves.
BOOKKEEPING = frozenset({*NAMING, *BESIDE, *LISTS})


@dataclass(frozen=True, kw_only=True)
class Comparison:
    before: Catalogue
    after: Catalogue
    counted: Mapping[str, int] = field(default_factory=dict)  # rows of production by table
    figures: Mapping[str, Figures] = field(default_factory=dict)  # of those rows
    role: str = ""  # that of the outgoing release; unknown: any
    path: tuple[str, ...] = USUAL  # in which that looks for names without a schema
    defaults: Mapping[Key, str] = field(default_factory=dict)  # that columns had meanwhile
    spelled: Mapping[Key, str] = field(default_factory=dict)  # defaults that can be set again
    refusing: frozenset[Key] = frozenset()  # new CHECKs and old columns, as nobody fills them
    parented: frozenset[Key] = frozenset()  # foreign keys whose default names a row that is there
    denied: frozenset[tuple[int, str]] = frozenset()  # what the role may not do with new relations
    uses: Uses | None = None  # functions that expressions called before; None: nobody has looked
    indexed: Mapping[Key, Indexed] = field(default_factory=dict)  # expressions of new indexes
    limits: Limits = field(default_factory=Limits)
    fired: Exercised = NOTHING  # triggers and functions, tried on the copy
    bookkeeping: frozenset[str] = BOOKKEEPING
    sender: Sender = PROGRAM

    def standing(self, old: Kind) -> Kind | None:
        """What the outgoing release finds under the old name."""
        found = self.after.named.get(self.before.path(old))
        return found if isinstance(found, type(old)) else None

    def survives(self, old: Thing) -> bool:
        return old.key in self.after.things

    def is_new(self, thing: Thing) -> bool:
        return thing.key not in self.before.things and (
            self.after.path(thing) not in self.before.named
        )

    def added(self, kind: type[Kind]) -> Iterator[tuple[Kind, Relation]]:
        """New things on relations that were there before, under their old name or another."""
        for thing in self.after.of(kind):
            if self.is_new(thing):
                owner = self.former(thing.table)
                if owner is not None:
                    yield thing, owner

    def former(self, table: int) -> Relation | None:
        """The relation before, also when it was dropped and made again."""
        relation = self.before.relation(table)
        if relation is not None:
            return relation
        now = self.after.relation(table)
        found = self.before.named.get(self.after.path(now)) if now else None
        return found if isinstance(found, Relation) else None

    @cached_property
    def tables(self) -> tuple[Relation, ...]:
        """What a release can name, without what tools write for themselves."""
        return tuple(
            relation
            for relation in self.before.of(Relation)
            if relation.name not in self.bookkeeping
            and not (relation.kind == "S" and relation.parent)
        )

    @cached_property
    def filled(self) -> frozenset[int]:
        """Tables that have rows in production, as far as anybody knows."""
        return frozenset(
            old.oid for old in self.tables if old.holds_rows and self.has_rows(old.oid)
        )

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names of all columns, old and new."""
        both = (self.before, self.after)
        return frozenset(column.name for each in both for column in each.of(Column))

    @cached_property
    def kept(self) -> frozenset[int]:
        """What tools write for themselves, old and new."""
        return frozenset(
            relation.oid
            for catalogue in (self.before, self.after)
            for relation in catalogue.of(Relation)
            if relation.name in self.bookkeeping
        )

    @cached_property
    def constraints_before(self) -> frozenset[tuple[tuple[str, ...], str]]:
        """What was refused already: schema and table, and the definition."""
        return frozenset(
            (self.before.path(old)[1:3], old.definition.removesuffix(" NOT VALID"))
            for old in self.before.of(Constraint)
        )

    def rows(self, table: int) -> int | None:
        """In production, with those of what inherits from it; None when nobody counted."""
        below = self.before.of(Relation)
        heirs = [self.rows(each.oid) for each in below if table in each.inherits]
        return _sum([self.own_rows(table), *heirs])

    def own_rows(self, table: int) -> int | None:
        """Without those of what inherits from it, as ONLY has it; partitions are itself."""
        relation = self.before.relation(table)
        if relation is None:
            return 0
        for name in (f"{relation.schema}.{relation.name}", self.before.shown(table)):
            if self.counted.get(name, -1) >= 0:
                return self.counted[name]
        parts = [part.oid for part in self.before.of(Relation) if part.parent == table]
        return _sum([self.rows(part) for part in parts]) if parts else None

    def known(self, table: int) -> Figures:
        """Of its rows in production."""
        relation = self.before.relation(table)
        name = f"{relation.schema}.{relation.name}" if relation else ""
        return self.figures.get(name, Figures())

    @cached_property
    def relations(self) -> frozenset[int]:
        """All that was there, but what tools write for themselves."""
        kept = {old.oid for old in self.before.of(Relation) if old.name in self.bookkeeping}
        return frozenset(
            old.oid
            for old in self.before.of(Relation)
            if old.oid not in kept and not (old.kind == "S" and old.parent in kept)
        )

    def has_rows(self, table: int) -> bool:
        return self.rows(table) != 0

    def new_columns(self, table: int, numbers: tuple[int, ...]) -> tuple[Column, ...] | None:
        """The columns when all of them are new."""
        columns = self.after.columns(table, numbers)
        if not columns or len(columns) != len(numbers) or not all(map(self.is_new, columns)):
            return None
        return columns


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
