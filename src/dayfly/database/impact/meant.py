"""What the text of a program says beside what was seen: what it leaves alone, and what is missing.

A row that is written back whole has nearly all the values that it had. On the copy that can be
seen; but a branch that none of its rows took may set one of them, and only the text tells.
"""

from collections.abc import Iterator, Sequence

from dayfly.database.impact.catalogue import Column
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.effects import Effect
from dayfly.database.impact.words import mentions
from dayfly.database.program import Program

_TIMES = ("timestamp", "date", "time")
_DOCUMENTS = ("json", "hstore")


def written_back(what: Comparison, effect: Effect, column: Column) -> bool:
    """Whether a program only gives a row the value that it has, there as in production."""
    program = what.sender.programs.get(effect.statement.migration)
    if program is None or effect.changed is None or not _known(what, program):
        return False
    held = column.type.startswith(_DOCUMENTS) or column.type.endswith("[]")
    names = {column.name, column.name.removesuffix("_id")}
    if names & (program.mentions if held else program.sets):
        return False
    # Nothing sets it, and it was another before: the moment at which the row was saved.
    return column.name not in effect.changed or column.type.startswith(_TIMES)


def _known(what: Comparison, program: Program) -> bool:
    """Whether its attributes are called as the columns are, so that it can be followed."""
    return program.whole and program.assigns <= _called(what)


def _called(what: Comparison) -> frozenset[str]:
    """What attributes of rows are called that are columns."""
    return what.columns | {name.removesuffix("_id") for name in what.columns}


def missing(what: Comparison, effects: Sequence[Effect]) -> Iterator[str]:
    """What its text does to rows and no statement of its did, in words."""
    program = what.sender.programs.get(effects[0].statement.migration) if effects else None
    if program is None:
        return
    deleted = {oid for effect in effects for oid, rows in effect.written.items() if rows.deleted}
    deleted.update(oid for effect in effects for oid in effect.deletes)
    if program.deletes > len(deleted):
        yield "deletes rows"
    writes = [effect.statement.text for effect in effects if effect.wrote]
    for name in sorted(program.given):
        old = _old(what, effects, name)
        if old and not any(mentions(text, old) for text in writes):
            yield f"sets {old}"
    for name in sorted(program.assigns - _called(what)):
        yield f"sets {name}, which is no column,"


def _old(what: Comparison, effects: Sequence[Effect], name: str) -> str:
    """The column of that name in a table with rows that it read."""
    read = {oid for effect in effects for oid in effect.read & what.filled}
    for oid in sorted(read):
        for column in what.before.of(Column, oid):
            if name in (column.name, column.name.removesuffix("_id")):
                return column.name
    return ""
