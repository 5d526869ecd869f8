"""What a database consists of at one moment, as values that can be compared."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

Key = tuple[str, int, int]  # what it is, its oid, its number below that
_REFERENCES = re.compile(r" REFERENCES (\"([^\"]|\"\")*\"|[^\"(])+\(")
Path = tuple[str, ...]  # what it is, and the names by which a statement reaches it


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Anything with a name. The oid tells the same thing under another name from a new one."""

    oid: int = field(compare=False)
    name: str
    number: int = field(default=0, compare=False)
    table: int = field(default=0, compare=False)  # the relation it belongs to

    @property
    def key(self) -> Key:
        return type(self).__name__, self.oid, self.number


@dataclass(frozen=True, kw_only=True)
class Schema(Thing):
    grants: tuple[str, ...]  # "role:PRIVILEGE"


@dataclass(frozen=True, kw_only=True)
class Relation(Thing):
    schema: str
    kind: str  # r table, p partitioned, v view, m materialized view, f foreign, S sequence
    owner: str
    grants: tuple[str, ...]
    row_security: bool = False
    forced: bool = False  # row security for the owner too
    persistence: str = "p"
    parent: int = 0  # of a partition, or the table that owns a sequence
    bound: str = ""
    definition: str = ""  # of a view
    writable: int = 0  # bits as of pg_relation_is_updatable
    options: tuple[str, ...] = ()  # of a view
    populated: bool = True  # or each query of a materialized view fails
    inherits: tuple[int, ...] = ()  # other tables, of which it is no partition
    numbers: int = field(default=0, compare=False)  # the column that owns a sequence
    of_identity: bool = field(default=False, compare=False)  # a sequence that its column draws from
    identity: str = "d"  # of its rows for subscribers, as of pg_class.relreplident
    unidentified: bool = False  # published, and nothing tells a row that is changed
    takes: str = field(default="", compare=False)  # the rows of a partition, as an expression

    @property
    def holds_rows(self) -> bool:
        return self.kind in "rpm"

    @property
    def takes_the_rest(self) -> bool:
        """The rows that no other partition takes."""
        return self.bound == "DEFAULT"


@dataclass(frozen=True, kw_only=True)
class Column(Thing):
    type: str
    not_null: bool
    default: str
    generated: bool
    identity: str
    grants: tuple[str, ...]
    expression: str = ""  # of a generated one
    lenient: str = ""  # the collation, where it takes different letters for equal
    collation: str = field(default="", compare=False)  # where it is not that of its type

    @property
    def fills_itself(self) -> bool:
        return bool(self.default or self.identity or self.generated)


@dataclass(frozen=True, kw_only=True)
class Constraint(Thing):
    kind: str  # c check, f foreign key, u unique, p primary key, x exclusion, t trigger
    definition: str
    valid: bool
    columns: tuple[int, ...]
    target: int = field(default=0, compare=False)
    index: int = field(default=0, compare=False)
    parent: int = field(default=0, compare=False)  # that of the partitioned table
    enforced: bool = True  # no trigger of it is switched off

    def refuses_as(self, other: "Constraint") -> bool:
        """The same rows, validated or not, and whatever the table it refers to is called."""
        mine, theirs = (each.definition.removesuffix(" NOT VALID") for each in (self, other))
        if mine == theirs or (self.kind, self.target) != ("f", other.target):
            return mine == theirs
        return _REFERENCES.sub("(", mine) == _REFERENCES.sub("(", theirs)


@dataclass(frozen=True, kw_only=True)
class Index(Thing):
    definition: str
    unique: bool
    valid: bool
    columns: tuple[int, ...]  # 0 for an expression
    partial: bool
    parent: int = field(default=0, compare=False)  # that of the partitioned table
    tablespace: str = field(default="", compare=False)  # unless the database's own

    @property
    def refuses_duplicates(self) -> bool:
        """Whatever the row: it has all of them, by columns alone."""
        return self.unique and self.valid and not self.partial and 0 not in self.columns


@dataclass(frozen=True, kw_only=True)
class Sequence(Thing):
    """What a sequence counts; where it stands is no part of a schema."""

    increment: int
    least: int
    most: int
    cycles: bool
    start: int = field(default=1, compare=False)


@dataclass(frozen=True, kw_only=True)
class Trigger(Thing):
    definition: str
    enabled: str
    routine: int = field(compare=False)

    @property
    def fires(self) -> bool:
        return self.enabled in "OA"


@dataclass(frozen=True, kw_only=True)
class Policy(Thing):
    definition: str
    permissive: bool


@dataclass(frozen=True, kw_only=True)
class Rule(Thing):
    definition: str
    enabled: str = "O"


@dataclass(frozen=True, kw_only=True)
class Routine(Thing):
    schema: str
    arguments: str
    result: str
    language: str
    body: str
    grants: tuple[str, ...]
    takes: tuple[int, int] = (0, 0)  # the least and the most arguments
    strict: bool = False
    definer: bool = False  # runs with the rights of its owner
    settings: tuple[str, ...] = ()  # "name=value", while it runs
    parsed: bool = False  # PostgreSQL has noted what it calls; else only its text tells
    calls: tuple[int, ...] = field(default=(), compare=False)  # what is noted


@dataclass(frozen=True, kw_only=True)
class Type(Thing):
    schema: str
    kind: str  # e enum, d domain, c composite, r range
    labels: tuple[str, ...]
    checks: tuple[str, ...]  # of a domain
    default: str = ""  # of a domain
    attributes: tuple[str, ...] = ()  # of a composite
    base: str = ""  # of a domain


Kind = TypeVar("Kind", bound=Thing)


@dataclass(frozen=True)
class Catalogue:
    """Everything by its key; what stands under which name is worked out when asked."""

    things: Mapping[Key, Thing]

    @cached_property
    def named(self) -> Mapping[Path, Thing]:
        return {self.path(thing): thing for thing in self.things.values()}

    def relation(self, oid: int) -> Relation | None:
        found = self.things.get(("Relation", oid, 0))
        return found if isinstance(found, Relation) else None

    def path(self, thing: Thing) -> Path:
        kind = type(thing).__name__
        if isinstance(thing, Relation | Type):
            return kind, thing.schema, thing.name
        if isinstance(thing, Routine):
            return kind, thing.schema, thing.name, thing.arguments
        owner = self.relation(thing.table)
        return (kind, owner.schema, owner.name, thing.name) if owner else (kind, thing.name)

    @cached_property
    def _sorted(self) -> Mapping[tuple[type[Thing], int | None], list[Thing]]:
        found: dict[tuple[type[Thing], int | None], list[Thing]] = {}
        for thing in self.things.values():
            found.setdefault((type(thing), None), []).append(thing)
            found.setdefault((type(thing), thing.table), []).append(thing)
        return found

    def of(self, kind: type[Kind], table: int | None = None) -> Iterator[Kind]:
        """All of a kind, or those of one relation."""
        for thing in self._sorted.get((kind, table), ()):
            if isinstance(thing, kind):
                yield thing

    def without(self, relations: Collection[int]) -> Mapping[Key, Thing]:
        """The things that are neither one of these relations nor belong to one."""
        return {
            key: thing
            for key, thing in self.things.items()
            if thing.table not in relations
            and not (isinstance(thing, Relation) and thing.oid in relations)
        }

    def columns(self, table: int, numbers: tuple[int, ...]) -> tuple[Column, ...]:
        found = (self.things.get(("Column", table, number)) for number in numbers)
        return tuple(column for column in found if isinstance(column, Column))

    def is_unique(self, table: int, names: Collection[str]) -> bool:
        """Whether no two rows have the same values in the columns of these names."""
        return any(
            index.refuses_duplicates
            and all(column.name in names for column in self.columns(table, index.columns))
            for index in self.of(Index, table)
        )

    def has_as_part(self, partition: Relation) -> bool:
        """Already, and with the same bounds."""
        old = self.relation(partition.oid)
        return old is not None and (old.parent, old.bound) == (partition.parent, partition.bound)

    @cached_property
    def _domains(self) -> Mapping[str, Type]:
        domains = [each for each in self.of(Type) if each.base]
        bare = {each.name: each for each in domains}
        return bare | {f"{each.schema}.{each.name}": each for each in domains}

    def underlying(self, kind: str) -> str:
        """What a domain is made of; any other type is itself."""
        found = self._domains.get(kind)
        return self.underlying(found.base) if found else kind

    def checks(self, kind: str) -> frozenset[str]:
        """What a domain refuses, with what it is made of."""
        found = self._domains.get(kind)
        return self.checks(found.base) | {*found.checks} if found else frozenset()

    def shown(self, oid: int) -> str:
        """The name of a relation as a person writes it."""
        relation = self.relation(oid)
        if relation is None:
            return ""
        return (
            relation.name if relation.schema == "public" else f"{relation.schema}.{relation.name}"
        )


EMPTY = Catalogue({})
