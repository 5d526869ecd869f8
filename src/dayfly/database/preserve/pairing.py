"""Which thing of now is which thing of before: by its identity, else by its name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dayfly.database.impact.schema.catalogue import Catalogue, Column, Key, Relation, Thing
from dayfly.database.impact.schema.names import quoted


@dataclass(frozen=True)
class Pairing:
    """`before` is what the outgoing release needs, `now` what there is."""

    before: Catalogue
    now: Catalogue

    @cached_property
    def relations(self) -> Mapping[int, int]:
        """By the oid of before: renamed ones too, and those dropped and made again alike."""
        found = {
            old.oid: old.oid
            for old in self.before.of(Relation)
            if (new := self.now.relation(old.oid)) and new.kind == old.kind
        }
        taken = set(found.values())
        for old in self.before.of(Relation):
            if old.oid in found:
                continue
            named = self.now.named.get(self.before.path(old))
            if isinstance(named, Relation) and named.oid not in taken and self._alike(old, named):
                found[old.oid] = named.oid
        return found

    def _alike(self, old: Relation, new: Relation) -> bool:
        def shape(catalogue: Catalogue, table: int) -> set[tuple[str, str]]:
            return {(column.name, column.type) for column in catalogue.of(Column, table)}

        return old.kind == new.kind and (
            old.kind == "S" or shape(self.before, old.oid) <= shape(self.now, new.oid)
        )

    @cached_property
    def former(self) -> Mapping[int, int]:
        """By the oid of now."""
        return {new: old for old, new in self.relations.items()}

    def relation(self, old: int) -> Relation | None:
        """What a relation of before is now."""
        return self.now.relation(self.relations.get(old, 0))

    @cached_property
    def columns(self) -> Mapping[Key, Column]:
        """By the key of before. One dropped and added again under its name is the same."""
        found: dict[Key, Column] = {}
        for old in self.before.of(Relation):
            found |= self._columns(old.oid, self.relations.get(old.oid, 0))
        return found

    def _columns(self, old: int, new: int) -> dict[Key, Column]:
        there = {column.number: column for column in self.now.of(Column, new)}
        found: dict[Key, Column] = {}
        columns = list(self.before.of(Column, old))
        if old == new:
            found = {c.key: there.pop(c.number) for c in columns if c.number in there}
        named = {column.name: column for column in there.values()}
        missing = [column for column in columns if column.key not in found]
        return found | {c.key: named[c.name] for c in missing if c.name in named}

    def new(self, kind: type[Thing]) -> Iterator[Thing]:
        """Relations or columns of now that were not there before; columns of paired ones only."""
        if kind is Relation:
            yield from (r for r in self.now.of(Relation) if r.oid not in self.former)
            return
        known = {column.key for column in self.columns.values()}
        for column in self.now.of(Column):
            if column.table in self.former and column.key not in known:
                yield column

    def missing(self) -> Iterator[Relation]:
        """Relations of before that are gone."""
        yield from (r for r in self.before.of(Relation) if r.oid not in self.relations)


def full(relation: Relation | None) -> str:
    """The name of a relation with its schema, as SQL takes it under any search_path."""
    return f"{quoted(relation.schema)}.{quoted(relation.name)}" if relation else ""


def in_sql(catalogue: Catalogue, relation: int) -> str:
    return full(catalogue.relation(relation))
