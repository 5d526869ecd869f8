"""What keeps a schema from serving the release that it served before."""

from collections.abc import Collection, Iterator
from dataclasses import fields

from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Index,
    Relation,
    Schema,
    Thing,
)

_OIDS = {"oid", "number", "numbers", "table", "parent", "columns", "target", "index", "routine"}
_ROWS = "rp"


def differences(
    before: Catalogue, now: Catalogue, *, nullable: Collection[tuple[str, str, str]] = ()
) -> tuple[str, ...]:
    """In words; `nullable` are columns (schema, table, name) that may lack their NOT NULL."""
    found = list(_changed(before, now, nullable))
    found += _remaining(before, now)
    return tuple(dict.fromkeys(found))


def _changed(
    before: Catalogue, now: Catalogue, nullable: Collection[tuple[str, str, str]]
) -> Iterator[str]:
    for path, old in before.named.items():
        new, name = now.named.get(path), _name(path)
        if new is None:
            yield f"{name} is missing"
            continue
        for field in fields(old):
            was, has = getattr(old, field.name), getattr(new, field.name)
            if field.name in _OIDS or was == has or _harmless(old, field.name, was, has):
                continue
            if field.name == "not_null" and path[1:] in nullable:
                continue
            yield f"{name} differs in its {field.name.replace('_', ' ')}: {has!r}, it was {was!r}"


def _harmless(old: Thing, field: str, was: object, has: object) -> bool:
    if field == "grants" and isinstance(was, tuple) and isinstance(has, tuple):
        return set(was) == set(has)
    if field == "valid":
        return bool(has)
    return isinstance(old, Relation) and field == "writable"


def _remaining(before: Catalogue, now: Catalogue) -> Iterator[str]:
    """New things on old tables that may refuse, or change, what the outgoing release writes."""
    for path, new in now.named.items():
        if path in before.named or isinstance(new, Schema):
            continue
        table = now.relation(new.table)
        if table is None or now.path(table) not in before.named or table.kind not in _ROWS:
            continue
        harmless = (isinstance(new, Index) and not new.unique) or isinstance(new, Relation)
        if isinstance(new, Column | Constraint) or not harmless:
            yield f"{_name(path)} is still there"


def _name(path: tuple[str, ...]) -> str:
    kind, *names = path
    if names[:1] == ["public"]:
        names = names[1:]
    return f"the {kind.lower()} {'.'.join(names)}"
