"""What two catalogues of one database differ in, in words."""

from collections.abc import Iterator

from dayfly.database.connection import connect
from dayfly.database.impact.schema.catalogue import Catalogue, Relation, Thing
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.schema.snapshot import snapshot

_KINDS = {"v": "view", "m": "materialized view", "f": "foreign table", "S": "sequence"}


def schema_of(url: str) -> Catalogue:
    with connect(url) as connection:
        return snapshot(connection)


def differences(before: Catalogue, after: Catalogue) -> tuple[str, ...]:
    """`adds the table x`; what belongs to something that came or went goes without saying."""
    return (
        *(f"drops the {said}" for said in _lacking(before, after)),
        *(f"adds the {said}" for said in _lacking(after, before)),
        *(
            f"changes the {_told(before, thing)}"
            for key, thing in before.things.items()
            if key in after.things and after.things[key] != thing
        ),
    )


def _lacking(one: Catalogue, other: Catalogue) -> Iterator[str]:
    for key, thing in one.things.items():
        owner = thing.table or (thing.parent if isinstance(thing, Relation) else 0)
        gone_with_it = owner and ("Relation", owner, 0) not in other.things
        if key not in other.things and not gone_with_it:
            yield _told(one, thing)


def _told(catalogue: Catalogue, thing: Thing) -> str:
    if isinstance(thing, Relation):
        return f"{_KINDS.get(thing.kind, 'table')} {shown(catalogue, thing.oid)}"
    owner = f"{shown(catalogue, thing.table)}." if thing.table else ""
    return f"{type(thing).__name__.lower()} {owner}{quoted(thing.name)}"
