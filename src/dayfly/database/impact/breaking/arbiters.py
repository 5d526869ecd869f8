"""Can the outgoing release still say ON CONFLICT? It names columns, which then must be unique."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Constraint, Index, Relation

NO_ARBITER, NOT_GROUPED = "42P10", "42803"

Target = tuple[frozenset[str], str]  # columns, and the rest where they do not say it all


def arbiters(what: Comparison) -> Iterator[Finding]:
    for old in what.tables:
        new = what.standing(old)
        if new is None or old.kind not in "rp" or new.kind not in "rp":
            continue  # a view passes ON CONFLICT on to its table
        if not _keeps_columns(what, old):
            continue
        present = {_target(what.after, index) for index in _usable(what.after, new.oid)}
        missing = [
            index
            for index in _usable(what.before, old.oid)
            if not {(target := _target(what.before, index)), (target[0], "")} & present
        ]
        yield from (_missing(what, old, index) for index in missing)
        if not missing:
            yield from _keyless(what, old, new)


def _keyless(what: Comparison, old: Relation, new: Relation) -> Iterator[Finding]:
    """A unique index does for ON CONFLICT, and not for GROUP BY: only a primary key tells all."""
    key, now = _key(what.before, old.oid), _key(what.after, new.oid)
    if key and not (now and now <= key):
        listed = ", ".join(sorted(key))
        table = what.before.shown(old.oid)
        message = f"{listed} is no longer the primary key of {table}: GROUP BY it alone fails"
        keys = [each for each in what.before.of(Constraint, old.oid) if each.kind == "p"]
        yield breaks(old.oid, message, NOT_GROUPED, remedies.CONTRACT, *keys)


def _key(catalogue: Catalogue, table: int) -> frozenset[str]:
    return frozenset(
        column.name
        for key in catalogue.of(Constraint, table)
        if key.kind == "p"
        for column in catalogue.columns(table, key.columns)
    )


def _keeps_columns(what: Comparison, old: Relation) -> bool:
    """Else it is told already that statements which name them fail."""
    return all(what.standing(column) is not None for column in what.before.of(Column, old.oid))


def _usable(catalogue: Catalogue, table: int) -> Iterator[Index]:
    deferred = {
        constraint.index
        for constraint in catalogue.of(Constraint, table)
        if "DEFERRABLE" in constraint.definition
    }
    for index in catalogue.of(Index, table):
        if index.unique and index.valid and index.oid not in deferred:
            yield index


def _target(catalogue: Catalogue, index: Index) -> Target:
    names = frozenset(column.name for column in catalogue.columns(index.table, index.columns))
    plain = not index.partial and 0 not in index.columns
    return names, "" if plain else index.definition.partition(" USING ")[2]


def _missing(what: Comparison, old: Relation, index: Index) -> Finding:
    said = index.definition.partition(" USING ")[2].partition(" ")[2]
    message = f"{what.before.shown(old.oid)} is no longer unique by {said}: ON CONFLICT on it fails"
    return breaks(old.oid, message, NO_ARBITER, remedies.CONTRACT, index)
