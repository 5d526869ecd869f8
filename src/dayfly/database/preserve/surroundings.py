"""SQL for what is not a table: schemas, types, routines, sequences, views."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dayfly.database.impact.schema.catalogue import Relation, Routine, Schema, Type
from dayfly.database.impact.schema.names import quoted
from dayfly.database.preserve.columns import put_aside
from dayfly.database.preserve.entries import Entries
from dayfly.database.preserve.pairing import Pairing, full

_TYPES = ("TYPE", "DOMAIN")
_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE")
_CREATE = re.compile(r"^CREATE (FUNCTION|PROCEDURE)\b")


@dataclass(frozen=True)
class Surroundings:
    pairing: Pairing
    entries: Entries

    # -- schemas

    def schemas_made(self) -> Iterator[str]:
        there = {schema.name for schema in self.pairing.now.of(Schema)}
        for schema in self.pairing.before.of(Schema):
            if schema.name not in there:
                made = self.entries.of("SCHEMA", "", schema.name)
                yield from made or (f"CREATE SCHEMA {quoted(schema.name)}",)

    def schemas_dropped(self) -> Iterator[str]:
        known = {schema.name for schema in self.pairing.before.of(Schema)}
        for schema in self.pairing.now.of(Schema):
            if schema.name not in known:
                yield f"DROP SCHEMA {quoted(schema.name)}"

    # -- types: one that has changed is made anew, since labels cannot be taken away

    @cached_property
    def types_anew(self) -> tuple[Type, ...]:
        now = {(type_.schema, type_.name): type_ for type_ in self.pairing.now.of(Type)}
        return tuple(
            old
            for old in self.pairing.before.of(Type)
            if (new := now.get((old.schema, old.name))) is not None and new != old
        )

    def types_made(self) -> Iterator[str]:
        there = {(type_.schema, type_.name) for type_ in self.pairing.now.of(Type)}
        for old in self.pairing.before.of(Type):
            if old in self.types_anew:
                yield f"ALTER TYPE {_type(old)} RENAME TO {quoted(put_aside(old))}"
            if old in self.types_anew or (old.schema, old.name) not in there:
                for kind in _TYPES:
                    yield from self.entries.of(kind, old.schema, old.name)

    def types_dropped(self) -> Iterator[str]:
        known = {(type_.schema, type_.name) for type_ in self.pairing.before.of(Type)}
        for old in self.types_anew:
            yield f"DROP TYPE {quoted(old.schema)}.{quoted(put_aside(old))}"
        for type_ in self.pairing.now.of(Type):
            if (type_.schema, type_.name) not in known:
                yield f"DROP TYPE IF EXISTS {_type(type_)}"

    # -- routines

    def routines_made(self) -> Iterator[str]:
        drops = (text for old in self._changed() for text in self._in_its_place(old))
        yield from dict.fromkeys(drops)
        for old in self._changed():
            for statement in self._routine(old):
                yield _CREATE.sub(r"CREATE OR REPLACE \1", statement)

    def _changed(self) -> Iterator[Routine]:
        now = {_signature(routine): routine for routine in self.pairing.now.of(Routine)}
        for old in self.pairing.before.of(Routine):
            new = now.get(_signature(old))
            if new is None or (new.body, new.language, new.result) != (
                old.body, old.language, old.result
            ):  # fmt: skip
                yield old

    def routines_dropped(self) -> Iterator[str]:
        known = {_signature(routine) for routine in self.pairing.before.of(Routine)}
        gone = {text for old in self._changed() for text in self._in_its_place(old)}
        for new in self.pairing.now.of(Routine):
            drop = f"DROP ROUTINE {routine_in_sql(new)}"
            if _signature(new) not in known and drop not in gone:
                yield drop

    def _in_its_place(self, old: Routine) -> Iterator[str]:
        """What can't be replaced: it gives another type, or its parameters have other names."""
        known = {_signature(routine) for routine in self.pairing.before.of(Routine)}
        for new in self.pairing.now.of(Routine):
            same = _signature(new) == _signature(old) and new.result != old.result
            named = (new.schema, new.name) == (old.schema, old.name)
            if same or (named and _signature(new) not in known):
                yield f"DROP ROUTINE {routine_in_sql(new)}"

    def _routine(self, routine: Routine) -> tuple[str, ...]:
        found = [
            entry
            for entry in self.entries.all
            if entry.kind in _ROUTINES
            and entry.schema == routine.schema
            and entry.name.partition("(")[0] == quoted(routine.name)
        ]
        if len(found) > 1:
            found = [entry for entry in found if _takes(routine, entry.name)]
        return found[0].statements if found else ()

    # -- sequences; one of an identity comes with its column

    def sequences_made(self) -> Iterator[str]:
        for old in self._gone("S"):
            made = self.entries.of("SEQUENCE", old.schema, old.name)
            if any(text.startswith("CREATE SEQUENCE") for text in made):
                yield from made

    def sequences_owned(self) -> Iterator[str]:
        for old in self._gone("S"):
            yield from self.entries.of("SEQUENCE OWNED BY", old.schema, old.name)

    def identities(self) -> Iterator[str]:
        for old in self._gone("S"):
            made = self.entries.of("SEQUENCE", old.schema, old.name)
            if not any(text.startswith("CREATE SEQUENCE") for text in made):
                yield from made

    def sequences_dropped(self) -> Iterator[str]:
        for new in self.pairing.new(Relation):
            if isinstance(new, Relation) and new.kind == "S":
                yield f"DROP SEQUENCE IF EXISTS {full(new)}"

    # -- views

    def views_dropped(self, *, retyped: bool) -> Iterator[str]:
        """Under the names of now; what leans on another was made after it."""
        stale = {self.pairing.relations.get(old.oid) for old in self.views_anew(retyped=retyped)}
        views = [v for v in self.pairing.now.of(Relation) if v.kind in "vm"]
        new = [v for v in views if v.oid in stale or v.oid not in self.pairing.former]
        for view in sorted(new, key=lambda view: -view.oid):
            kind = "VIEW" if view.kind == "v" else "MATERIALIZED VIEW"
            yield f"DROP {kind} {full(view)}"

    def views_made(self, *, retyped: bool) -> Iterator[str]:
        for view in self.views_anew(retyped=retyped):
            kind = "VIEW" if view.kind == "v" else "MATERIALIZED VIEW"
            yield from self.entries.of(kind, view.schema, view.name)
            if view.kind == "m":
                yield f"REFRESH MATERIALIZED VIEW {full(view)}"

    def views_anew(self, *, retyped: bool) -> tuple[Relation, ...]:
        """Of before, in the order of their making: those that differ, and what mentions them."""
        found: list[Relation] = []
        views = (v for v in self.pairing.before.of(Relation) if v.kind in "vm")
        for view in sorted(views, key=lambda view: view.oid):
            now = self.pairing.relation(view.oid)
            same = now is not None and now.definition == view.definition
            moved = now is not None and retyped and now.oid != view.oid
            if not same or moved or _mentions(view.definition, found):
                found.append(view)
        return tuple(found)

    def _gone(self, kinds: str) -> Iterator[Relation]:
        yield from (old for old in self.pairing.missing() if old.kind in kinds)


def routine_in_sql(routine: Routine) -> str:
    return f"{quoted(routine.schema)}.{quoted(routine.name)}({routine.arguments})"


def _signature(routine: Routine) -> tuple[str, str, str]:
    return routine.schema, routine.name, routine.arguments


def _takes(routine: Routine, name: str) -> bool:
    """Whether pg_dump's signature, of types alone, is that of this routine."""
    types = [part for part in name.partition("(")[2].removesuffix(")").split(", ") if part]
    arguments = [part for part in routine.arguments.split(", ") if part]
    return len(types) == len(arguments) and all(
        argument.endswith(type_.rpartition(".")[2])
        for argument, type_ in zip(arguments, types, strict=True)
    )


def _mentions(definition: str, views: Iterable[Relation]) -> bool:
    return any(re.search(rf"\b{re.escape(view.name)}\b", definition) for view in views)


def _type(type_: Type) -> str:
    return f"{quoted(type_.schema)}.{quoted(type_.name)}"
