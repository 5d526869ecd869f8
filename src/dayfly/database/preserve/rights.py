"""SQL for who may do what, and whose a table is."""

from collections.abc import Iterator
from dataclasses import dataclass

from dayfly.database.impact.schema.catalogue import Column, Relation, Routine, Schema
from dayfly.database.impact.schema.names import quoted
from dayfly.database.preserve.pairing import Pairing, full
from dayfly.database.preserve.surroundings import routine_in_sql


@dataclass(frozen=True)
class Rights:
    pairing: Pairing
    anew: frozenset[int] = frozenset()  # views of before that are made again

    def given(self) -> Iterator[str]:
        now = self.pairing.now
        for relation in self.pairing.before.of(Relation):
            there = self._standing(relation)
            if there is not None and there.owner != relation.owner and not relation.parent:
                yield f"ALTER TABLE {full(relation)} OWNER TO {quoted(relation.owner)}"
            had = there.grants if there is not None else ()
            on = f"SEQUENCE {full(relation)}" if relation.kind == "S" else full(relation)
            yield from _changed(relation.grants, had, on, relation.owner)
            yield from self._of_columns(relation)
        schemas = {schema.name: schema.grants for schema in now.of(Schema)}
        for schema in self.pairing.before.of(Schema):
            had = schemas.get(schema.name, ())
            yield from _changed(schema.grants, had, f"SCHEMA {quoted(schema.name)}", "")
        routines = {now.path(routine): routine.grants for routine in now.of(Routine)}
        for routine in self.pairing.before.of(Routine):
            had = routines.get(self.pairing.before.path(routine), ())
            yield from _changed(routine.grants, had, f"ROUTINE {routine_in_sql(routine)}", "")

    def _standing(self, relation: Relation) -> Relation | None:
        return None if relation.oid in self.anew else self.pairing.relation(relation.oid)

    def _of_columns(self, relation: Relation) -> Iterator[str]:
        for column in self.pairing.before.of(Column, relation.oid):
            there = self.pairing.columns.get(column.key)
            had = () if there is None or relation.oid in self.anew else there.grants
            name = f"({quoted(column.name)})"
            yield from _changed(column.grants, had, full(relation), relation.owner, name)


def _changed(
    grants: tuple[str, ...], had: tuple[str, ...], on: str, owner: str, column: str = ""
) -> Iterator[str]:
    for grant in grants:
        role, _, right = grant.rpartition(":")
        if grant not in had and role != owner:
            yield f"GRANT {right}{column} ON {on} TO {_role(role)}"
    for grant in had:
        role, _, right = grant.rpartition(":")
        if grant not in grants and role != owner:
            yield f"REVOKE {right}{column} ON {on} FROM {_role(role)}"


def _role(name: str) -> str:
    return "PUBLIC" if name == "public" else quoted(name)
