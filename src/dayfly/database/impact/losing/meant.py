"""What the text of a program says beside what was seen: what it leaves alone, and what is missing.

A row that is written back whole has nearly all the values that it had. On the copy that can be
seen; but a branch that none of its rows took may set one of them, and only the text tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import Column, Constraint, Relation
from dayfly.database.impact.words import set_columns
from dayfly.database.program import Program
from dayfly.database.setting import Setting

_TIMES = ("timestamp", "date", "time")
_DOCUMENTS = ("json", "hstore")


def written_back(what: Comparison, effect: Effect, column: Column) -> bool:
    """Whether a program only gives a row the value that it has, there as in production."""
    program = what.sender.programs.get(effect.statement.migration)
    if program is None or effect.changed is None or not _known(what, program, effect):
        return False
    held = column.type.startswith(_DOCUMENTS) or column.type.endswith("[]")
    names = {column.name, column.name.removesuffix("_id")}
    if names & (program.mentions if held else program.sets):
        return False
    # Nothing sets it, and it was another before: the moment at which the row was saved.
    return column.name not in effect.changed or column.type.startswith(_TIMES)


def _known(what: Comparison, program: Program, effect: Effect) -> bool:
    """Whether its attributes are called as the columns are, so that it can be followed."""
    return program.whole and program.assigns <= _called(what, [effect])


def _called(what: Comparison, effects: Sequence[Effect]) -> frozenset[str]:
    """What attributes of rows are called that are columns, or were when it set them."""
    meanwhile = {name for effect in effects for each in effect.targets.values() for name in each}
    return frozenset(each for name in what.columns | meanwhile for each in _names(name))


def _names(column: str) -> tuple[str, str]:
    """A reference goes by the name of what it refers to, too."""
    return column, column.removesuffix("_id")


def missing(what: Comparison, effects: Sequence[Effect]) -> Iterator[str]:
    """What its text does to rows and no statement of its did, in words."""
    program = what.sender.programs.get(effects[0].statement.migration) if effects else None
    if program is not None:
        seen = _Seen(what, effects)
        if seen.lacks_deletes(program):
            yield "deletes rows"
        if seen.lacks_links(program):
            yield "takes rows from where they belong"
        for name in sorted(set(seen.lacks(program))):
            yield f"sets {name}"
        for name in sorted(program.assigns - _called(what, effects)):
            yield f"sets {name}, which is no column,"


@dataclass(frozen=True)
class _Seen:
    """What the statements of a program did on the copy, beside what its text says."""

    what: Comparison
    effects: Sequence[Effect]

    def lacks_deletes(self, program: Program) -> bool:
        """Of fewer tables than its text deletes from, in so many places."""
        deleted = {oid for each in self.effects for oid, n in each.written.items() if n.deleted}
        deleted.update(oid for effect in self.effects for oid in effect.deletes)
        old = {each for each in program.replaced if not self._in_new(program, *each)}
        return program.deletes + len(old) > len(deleted)

    def lacks_links(self, program: Program) -> bool:
        """Rows that are added to a row: tables between have one more, others are changed."""
        links = {oid for oid in self._inserted if len(list(self._keys(oid))) > 1}
        links |= {oid for oid, name in self._set if frozenset({name}) in self._keys(oid)}
        places = [
            each
            for each in program.added
            if "_".join(each) not in self._standing and not self._in_new(program, *each)
        ]
        return len(places) > len(links)

    def _in_new(self, program: Program, owner: str, name: str) -> bool:
        """Whether it is kept in a table of this migration, which had nothing."""
        new = [
            table.name
            for table in self.what.after.of(Relation)
            if self.what.before.relation(table.oid) is None
        ]
        backwards = [link for link in program.links if link.goes_by(owner, name)]
        if backwards:
            return any(link.kept_in(table) for link in backwards for table in new)
        if owner in self._standing:
            return f"{owner}_{name}" in new
        return any(table.endswith(f"_{name}") for table in new)

    def lacks(self, program: Program) -> Iterator[str]:
        """Columns of old tables."""
        for setting in program.settings:
            yield from self._of(setting)
        named = {oid for oid in self.what.filled if self._name(oid) in program.spelled}
        read = {oid for effect in self.effects for oid in effect.read & self.what.filled}
        for name in program.spelled:
            found = [each for each in self._columns(name) if each.table in named | read]
            yield from (each.name for each in found if not self._sets(each.table, each.name))

    def _of(self, setting: Setting) -> Iterator[str]:
        columns = list(self._columns(setting.name))
        if setting.table in self._standing:
            own = [each for each in columns if self._name(each.table) == setting.table]
            yield from (each.name for each in own if not self._did(each.table, each.name, setting))
        elif columns and not self._anywhere(setting):
            yield columns[0].name

    def _anywhere(self, setting: Setting) -> bool:
        """In whatever table; also in one that is new, or in a new column."""
        texts = (effect.statement.text for effect in self.effects if effect.wrote)
        told = {name for text in texts for name in set_columns(text)}
        if any(setting.name in _names(name) for name in told.union(n for _, n in self._set)):
            return True
        return any(
            self._did(each.table, each.name, setting) or (setting.new and each.table in self._new)
            for catalogue in (self.what.before, self.what.after)
            for each in catalogue.of(Column)
            if setting.name in _names(each.name)
        )

    def _did(self, table: int, column: str, setting: Setting) -> bool:
        return self._sets(table, column) or (setting.new and table in self._inserted)

    def _sets(self, table: int, column: str) -> bool:
        return (table, column) in self._set or table in self._set_whole

    def _columns(self, name: str) -> Iterator[Column]:
        """Of that name, in tables that have rows."""
        for oid in sorted(self.what.filled):
            yield from (
                each for each in self.what.before.of(Column, oid) if name in _names(each.name)
            )

    def _name(self, oid: int) -> str:
        relation = self.what.before.relation(oid)
        return relation.name if relation else ""

    @cached_property
    def _standing(self) -> frozenset[str]:
        """The names of all tables, old and new."""
        both = (self.what.before, self.what.after)
        return frozenset(each.name for catalogue in both for each in catalogue.of(Relation))

    @cached_property
    def _set(self) -> frozenset[tuple[int, str]]:
        return frozenset(
            (oid, name)
            for effect in self.effects
            for oid, names in effect.targets.items()
            for name in names
        )

    @cached_property
    def _set_whole(self) -> frozenset[int]:
        """Of which nobody can tell the columns: all may be lost, and that is said."""
        return frozenset(
            oid for effect in self.effects for oid in effect.updates if not effect.targets.get(oid)
        )

    @cached_property
    def _new(self) -> frozenset[int]:
        """Tables that it wrote and that were not there before."""
        wrote = {oid for effect in self.effects for oid in effect.wrote}
        return frozenset(oid for oid in wrote if self.what.before.relation(oid) is None)

    @cached_property
    def _inserted(self) -> frozenset[int]:
        return frozenset(oid for effect in self.effects for oid in inserts(effect))

    def _keys(self, table: int) -> Iterator[frozenset[str]]:
        """Columns of a table that refer to another."""
        for key in self.what.before.of(Constraint, table):
            if key.kind == "f":
                columns = self.what.before.columns(table, key.columns)
                yield frozenset(each.name for each in columns)


def inserts(effect: Effect) -> frozenset[int]:
    """Tables that got new rows, or would have."""
    inserted = {oid for oid, written in effect.written.items() if written.inserted}
    planned = effect.targets.keys() - effect.updates - effect.deletes
    return frozenset(inserted | planned)
