"""Code that a statement runs in the database: what it may write, and was not seen to."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from dayfly.database.impact.code.bodies import ANYTHING, Body, Write
from dayfly.database.impact.code.triggers import tables
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.losing.carried import Carried
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation
from dayfly.database.impact.words import first_word, plain, tokens

_SCHEMA, _DELETING = "SCHEMA", ("DELETE", "TRUNCATE")
# Functions of PostgreSQL and its extensions that execute SQL, or delete what is no table.
_REACHING = frozenset({"dblink", "dblink_exec", "lo_unlink", "query_to_xml"})


@dataclass(frozen=True)
class Unseen:
    table: int
    says: str
    losing: bool  # its text says so: rows of it may be overwritten or deleted
    decides: bool = False  # by the rows that it reads there, what it does anywhere


@dataclass(frozen=True)
class Ran:
    """A statement with the catalogue that it found, and the one it left behind."""

    what: Comparison
    effect: Effect
    before: Catalogue
    after: Catalogue
    along: Carried

    def unseen(self) -> Iterator[Unseen]:
        """Of tables with rows in production: what its code may do to them, and was not seen to."""
        if self.effect.failure:
            return
        for table in sorted(self._named | (self._locked - self._known)):
            losing = any(self._loses(table, write) for write in self.along.writes)
            yield Unseen(table, f"runs code that may write {self._shown(table)}", losing)
        if self.along.body is not None and self._decides_by_rows():
            table = min(self.effect.read & self.what.filled)
            yield Unseen(
                table, f"runs code that reads {self._shown(table)}", losing=False, decides=True
            )

    def _loses(self, table: int, write: Write) -> bool:
        return write.verb in ("UPDATE", *_DELETING) and any(
            each.oid == table for each in self._tables(write)
        )

    def _shown(self, table: int) -> str:
        return self.what.before.shown(table)

    @cached_property
    def _known(self) -> frozenset[int]:
        """Tables that it names to write them, whether or not they have rows."""
        return frozenset(t.oid for write in self.along.writes for t in self._tables(write))

    @cached_property
    def _named(self) -> frozenset[int]:
        return frozenset(
            table.oid
            for write in self.along.writes
            if write.verb != _SCHEMA and ANYTHING not in write.table
            for table in self._tables(write)
            if table.oid in self.what.filled
            and table.oid not in self._planned
            and not (self._happened(table.oid, write.verb) or self._fills(table.oid, write))
        )

    @property
    def _planned(self) -> Collection[int]:
        """What was prepared is told of as if it had been sent itself."""
        prepared = first_word(self.effect.statement.text) == "EXECUTE"
        return self.effect.targets if prepared else ()

    def _tables(self, write: Write) -> Iterator[Relation]:
        """A view stands for what it shows."""
        for found in tables(self.before, write):
            if found.kind == "v":
                words = {plain(word) for word in tokens(found.definition)} - {found.name}
                shown = (each for each in self.before.of(Relation) if each.name in words)
                yield from (each for each in shown if each.holds_rows)
            else:
                yield found

    def _happened(self, table: int, verb: str) -> bool:
        family = self._family(table)
        written = [self.effect.written[oid] for oid in family & self.effect.written.keys()]
        if verb in _DELETING:
            return bool(family & self.effect.emptied) or any(each.deleted for each in written)
        return any(each.updated if verb == "UPDATE" else each.inserted for each in written)

    def _family(self, table: int) -> frozenset[int]:
        """With its partitions."""
        parts = [each.oid for each in self.before.of(Relation) if each.parent == table]
        return frozenset({table}).union(*map(self._family, parts))

    def _fills(self, table: int, write: Write) -> bool:
        """A column that the migration has added."""
        old = {column.name for column in self.what.before.of(Column, table)}
        return write.verb == "UPDATE" and write.column != "" and write.column not in old

    @cached_property
    def _locked(self) -> frozenset[int]:
        """PostgreSQL locks what it is about to write, though it finds no row there."""
        if self.along.body is None:
            return frozenset()
        locked = {oid for oid, mode in self.effect.locks.items() if mode == "RowExclusive"}
        touched = self.effect.written.keys() | self.effect.targets.keys()
        parents = {each.parent for each in self.before.of(Relation) if each.oid in touched}
        return frozenset(locked & self.what.filled - touched - parents)

    def _decides_by_rows(self) -> bool:
        """It read some, and what its text does not tell was not seen to happen."""
        body = self.along.body or Body()
        if not self.effect.read & self.what.filled:
            return False
        hidden = bool(body.unread or body.calls & _REACHING) or any(
            ANYTHING in write.table for write in body.writes
        )
        schema = any(write.verb == _SCHEMA for write in body.writes)
        other = self.effect.wrote - self._known
        if other or (self.before != self.after and (hidden or schema)):
            return False
        return hidden or schema or (bool(body.raises) and not self.effect.wrote)
