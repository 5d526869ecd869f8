"""SQL that gives tables their columns back: dropped, renamed, retyped, with other defaults."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from dayfly.database.impact.schema.catalogue import Column, Relation, Type
from dayfly.database.impact.schema.names import quoted
from dayfly.database.impact.schema.types import widens
from dayfly.database.preserve.entries import Entries
from dayfly.database.preserve.pairing import Pairing, full

# A value of now as one of before, or NULL where that is not the same value.
_AS_BEFORE = """\
CREATE OR REPLACE FUNCTION pg_temp.{name}(value text) RETURNS {old} LANGUAGE plpgsql AS $dayfly$
BEGIN
    BEGIN
        IF value::{old}::{new}::text = value THEN RETURN value::{old}; END IF;
        RETURN NULL;
    EXCEPTION WHEN cannot_coerce THEN
        IF value::{old}::text::{new}::text = value THEN RETURN value::{old}; END IF;
        RETURN NULL;
    END;
EXCEPTION WHEN others THEN RETURN NULL;
END $dayfly$"""


@dataclass(frozen=True)
class Pair:
    """A column of before, and what it is now."""

    table: Relation  # of before
    old: Column
    new: Column
    place: int

    @property
    def function(self) -> str:
        return f"dayfly_as_{self.place}"

    @property
    def widens(self) -> bool:
        """Whether the old type takes every value of the new one."""
        return self.old.type != self.new.type and widens(self.new.type, self.old.type)


@dataclass(frozen=True)
class Columns:
    pairing: Pairing
    entries: Entries
    types: tuple[Type, ...] = ()  # that are made anew

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        found: list[Pair] = []
        for table in self.tables:
            for old in self.pairing.before.of(Column, table.oid):
                new = self.pairing.columns.get(old.key)
                if new is not None:
                    found.append(Pair(table, old, new, len(found) + 1))
        return tuple(found)

    @cached_property
    def tables(self) -> tuple[Relation, ...]:
        """Of before, that are still there; what a partition has, its table gives it."""
        return tuple(
            table
            for table in self.pairing.before.of(Relation)
            if table.kind in "rp" and not table.parent and table.oid in self.pairing.relations
        )

    @cached_property
    def retyped(self) -> tuple[Pair, ...]:
        return tuple(
            pair
            for pair in self.pairs
            if not pair.old.generated
            and not pair.new.generated
            and (pair.old.type != pair.new.type or self._type_anew(pair.old))
        )

    def _type_anew(self, column: Column) -> bool:
        return any(names_type(column.type, type_) for type_ in self.types)

    @cached_property
    def computed_anew(self) -> tuple[Pair, ...]:
        """Generated columns that are in the way of others, or computed otherwise."""
        moved = {pair.table.oid for pair in self.retyped}
        return tuple(
            pair
            for pair in self.pairs
            if pair.old.generated != pair.new.generated
            or (pair.old.generated and (pair.table.oid in moved or pair.old.key != pair.new.key))
        )

    @cached_property
    def added(self) -> tuple[tuple[Relation, Column], ...]:
        """To be added again."""
        gone = [
            (table, old)
            for table in self.tables
            for old in self.pairing.before.of(Column, table.oid)
            if old.key not in self.pairing.columns
        ]
        return (*gone, *((pair.table, pair.old) for pair in self.computed_anew))

    # -- under the names of now

    def dropped(self) -> Iterator[str]:
        for pair in self.computed_anew:
            yield f"ALTER TABLE {self._now(pair)} DROP COLUMN {quoted(pair.new.name)}"
        for column in self.new:
            table = full(self.pairing.now.relation(column.table))
            yield f"ALTER TABLE {table} DROP COLUMN IF EXISTS {quoted(column.name)}"

    @cached_property
    def new(self) -> tuple[Column, ...]:
        tables = {self.pairing.relations[table.oid] for table in self.tables}
        found = self.pairing.new(Column)
        return tuple(c for c in found if isinstance(c, Column) and c.table in tables)

    def _now(self, pair: Pair) -> str:
        return full(self.pairing.relation(pair.table.oid))

    # -- under the names of before

    def renamed(self) -> Iterator[str]:
        """By way of a name of ours where two have changed places."""
        anew = {pair.old.key for pair in self.computed_anew}
        moved = [p for p in self.pairs if p.old.name != p.new.name and p.old.key not in anew]
        names = {(pair.table.oid, pair.new.name) for pair in moved}
        waiting = []
        for pair in moved:
            between = f"dayfly_was_{pair.place}"
            target = pair.old.name
            if (pair.table.oid, pair.old.name) in names:
                waiting.append(_rename(pair.table, between, target))
                target = between
            yield _rename(pair.table, pair.new.name, target)
        yield from waiting

    def brought_back(self) -> Iterator[str]:
        for pair in self.pairs:
            if pair in self.computed_anew:
                continue
            yield from self._loosened(pair)
        for pair in self.retyped:
            yield from self._retype(pair)
        for table, column in self.added:
            yield f"ALTER TABLE {full(table)} ADD COLUMN {self._definition(table, column)}"
        for pair in self.pairs:
            if pair.old.default and not pair.old.generated and self._other_default(pair):
                default = f"SET DEFAULT {pair.old.default}"
                yield _alter(pair.table, pair.old, default)

    def _other_default(self, pair: Pair) -> bool:
        return pair.old.default != pair.new.default or pair in self.retyped

    def _loosened(self, pair: Pair) -> Iterator[str]:
        if pair.new.identity and not pair.old.identity:
            yield _alter(pair.table, pair.old, "DROP IDENTITY IF EXISTS")
        if pair.new.not_null and (not pair.old.not_null or pair in self.retyped):
            yield _alter(pair.table, pair.old, "DROP NOT NULL")
        if pair.new.default and not pair.new.generated and self._other_default(pair):
            yield _alter(pair.table, pair.old, "DROP DEFAULT")

    def _retype(self, pair: Pair) -> Iterator[str]:
        name, old = quoted(pair.old.name), pair.old.type
        if pair.widens:
            yield _alter(pair.table, pair.old, f"TYPE {old} USING {name}::{old}")
            return
        yield as_before(pair, self.spelled_now(pair.new.type))
        value = f"pg_temp.{pair.function}({name}::text)"
        yield _alter(pair.table, pair.old, f"TYPE {old} USING {value}")

    def spelled_now(self, name: str) -> str:
        """A type that is made anew has given its name away."""
        array = "[]" if name.endswith("[]") else ""
        for type_ in self.types:
            if names_type(name, type_):
                return f"{quoted(type_.schema)}.{quoted(put_aside(type_))}{array}"
        return name

    def _definition(self, table: Relation, column: Column) -> str:
        """Without NOT NULL: its values come first."""
        name = quoted(column.name)
        collation = self.entries.collation(table.schema, table.name, name)
        text = f"{name} {column.type}" + (f" COLLATE {collation}" if collation else "")
        if column.generated:
            return f"{text} {self.entries.generation(table.schema, table.name, name)}"
        return f"{text} DEFAULT {column.default}" if column.default else text

    def tightened(self) -> Iterator[str]:
        retyped = {pair.old.key for pair in self.retyped}
        for pair in self.pairs:
            loose = not pair.new.not_null or pair.old.key in retyped
            if pair.old.not_null and loose and pair not in self.computed_anew:
                yield _alter(pair.table, pair.old, "SET NOT NULL")
            if pair.old.identity and pair.new.identity not in ("", pair.old.identity):
                kind = "ALWAYS" if pair.old.identity == "a" else "BY DEFAULT"
                yield _alter(pair.table, pair.old, f"SET GENERATED {kind}")
        for table, column in self.added:
            if column.not_null:
                yield _alter(table, column, "SET NOT NULL")


def as_before(pair: Pair, spelled: str) -> str:
    """SQL for a function that gives a value its old type, or NULL; `spelled` is its type now."""
    return _AS_BEFORE.format(name=pair.function, old=pair.old.type, new=spelled)


def put_aside(type_: Type) -> str:
    return f"{type_.name}_dayfly_was"


def names_type(spelled: str, type_: Type) -> bool:
    """Whether a column's type, as the catalogue spells it, is this one or an array of it."""
    name = quoted(type_.name) if type_.schema == "public" else ""
    full_name = f"{quoted(type_.schema)}.{quoted(type_.name)}"
    return spelled.removesuffix("[]") in (name, full_name)


def _alter(table: Relation, column: Column, change: str) -> str:
    return f"ALTER TABLE {full(table)} ALTER COLUMN {quoted(column.name)} {change}"


def _rename(table: Relation, name: str, to: str) -> str:
    return f"ALTER TABLE {full(table)} RENAME COLUMN {quoted(name)} TO {quoted(to)}"
