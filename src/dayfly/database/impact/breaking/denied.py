"""New tables and sequences that writes of the outgoing release reach without the right to."""

from collections.abc import Iterator, Sequence

import psycopg

from dayfly.database.captured import Transaction
from dayfly.database.connection import connect
from dayfly.database.impact import remedies
from dayfly.database.impact.code.calling import whole
from dayfly.database.impact.code.triggers import tables
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation, Routine, Trigger
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.words import mentions

FORBIDDEN = "42501"
Right = tuple[int, str]  # on which relation, to do what

_DENIED = """
    SELECT c.oid::int8, p.privilege FROM pg_class c
    CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'USAGE']) AS p (privilege)
    WHERE c.oid = ANY (%(new)s::oid[]) AND CASE
        WHEN c.relkind = 'S' THEN p.privilege = 'USAGE'
            AND NOT has_sequence_privilege(%(role)s, c.oid, 'USAGE, UPDATE')
        WHEN p.privilege = 'USAGE' THEN false
        WHEN p.privilege = 'DELETE' THEN NOT has_table_privilege(%(role)s, c.oid, 'DELETE')
        ELSE NOT has_any_column_privilege(%(role)s, c.oid, p.privilege) END
"""


_RELATIONS = "SELECT oid::int8 FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S')"


class Withheld:
    """What the role may not do with new relations, looked at after each transaction.

    Only where a later one grants something: otherwise what is so at the end was so before.
    """

    def __init__(self, url: str, transactions: Sequence[Transaction], role: str) -> None:
        granting = any(
            mentions(one.text, "GRANT") for each in transactions[1:] for one in each.statements
        )
        self._url, self._role = url, role if granting else ""
        self._known = _relations(url) if self._role else frozenset()
        self.seen: list[frozenset[Right]] = []

    def look(self) -> None:
        if self._role:
            new = _relations(self._url) - self._known
            self.seen.append(_denied(self._url, [*new], self._role))


def _relations(url: str) -> frozenset[int]:
    with connect(url, autocommit=True) as connection:
        return frozenset(row[0] for row in connection.execute(_RELATIONS))


def denied(url: str, before: Catalogue, after: Catalogue, role: str) -> frozenset[Right]:
    """What the role may not do with new relations, as the migrated copy says."""
    new = [each.oid for each in after.of(Relation) if each.key not in before.things]
    return _denied(url, new, role)


def _denied(url: str, new: list[int], role: str) -> frozenset[Right]:
    if not role or not new:
        return frozenset()
    with connect(url, autocommit=True) as connection:
        try:
            rows = connection.execute(_DENIED, {"new": new, "role": role}).fetchall()
        except psycopg.errors.UndefinedObject:
            return frozenset()  # a role that is not here
    return frozenset((row[0], row[1]) for row in rows)


def denials(what: Comparison) -> Iterator[Finding]:
    if not what.denied:
        return
    for column, owner in what.added(Column):
        for sequence in _drawn_from(what.after, column):
            if (sequence.oid, "USAGE") in what.denied:
                name = f"{shown(what.before, owner.oid)}.{quoted(column.name)}"
                message = f"{name} draws from {sequence.name}, which {what.role} may not use"
                remedy = remedies.grant("USAGE", f"SEQUENCE {sequence.name}", what.role)
                yield breaks(owner.oid, message, FORBIDDEN, remedy, column)
    for trigger in what.after.of(Trigger):
        table = what.former(trigger.table)
        routine = what.after.things.get(("Routine", trigger.routine, 0))
        if table and trigger.fires and isinstance(routine, Routine) and not routine.definer:
            yield from _written(what, table, trigger, routine)


def _drawn_from(catalogue: Catalogue, column: Column) -> Iterator[Relation]:
    if "nextval" in column.default:
        for relation in catalogue.of(Relation):
            if relation.kind == "S" and mentions(column.default, relation.name):
                yield relation


def _written(
    what: Comparison, owner: Relation, trigger: Trigger, routine: Routine
) -> Iterator[Finding]:
    for write in whole(what.after, routine).writes:
        for table in tables(what.after, write):
            if (table.oid, write.verb) in what.denied:
                name = shown(what.after, table.oid)
                message = f"the trigger {trigger.name} writes {name}, which {what.role} may not"
                remedy = remedies.grant(write.verb, name, what.role)
                yield breaks(owner.oid, message, FORBIDDEN, remedy, trigger)
