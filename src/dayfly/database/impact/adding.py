"""Constraints, indexes and partitions in steps of which none goes through a table under a lock."""

import re
from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Index,
    Relation,
    Thing,
)
from dayfly.database.impact.schema.names import literal, quoted, shown

_HASHED = re.compile(r"(satisfies_hash_partition\()'(\d+)'::oid")
_DEFERRABLE = " DEFERRABLE"


def constraint(before: Catalogue, after: Catalogue, now: Constraint) -> str:
    """Each constraint of a partitioned table comes with those of its partitions."""
    table, name = shown(after, now.table), quoted(now.name)
    index = after.things.get(("Index", now.index, 0))
    if now.kind in "up" and isinstance(index, Index):
        return remedies.steps([*_required(before, after, now), *_built(before, after, index)])
    if now.kind == "x":
        return remedies.exclusion(table, name, now.definition)
    if now.kind == "f" and partitioned(after, now.table):
        parts = [each for each in _below(after, now) if each.key not in before.things]
        first = [step for each in parts for step in _validated(after, each)]
        whole = f"ALTER TABLE {table} ADD CONSTRAINT {name} {now.definition};"
        return remedies.steps([*first, whole])
    return remedies.steps(_validated(after, now))


def index(before: Catalogue, after: Catalogue, now: Index) -> str:
    return remedies.steps(_built(before, after, now))


def partition(before: Catalogue, after: Catalogue, part: Relation, statement: str) -> str:
    """Made or attached: what proves which rows it and the default partition have comes first."""
    others = (each for each in before.of(Relation) if each.parent == part.parent)
    rest = next((each for each in others if each.takes_the_rest), None)
    checks: list[tuple[str, str, str]] = []  # of which table, named and saying what
    if part.takes and rest is not None:
        name = quoted(f"{rest.name}_without_{part.name}")
        checks.append((shown(after, rest.oid), name, f"CHECK (NOT ({_apart(after, part)}))"))
    attached = before.relation(part.oid) is not None and part.kind != "f"  # that is not read
    if part.takes and attached:
        name = quoted(f"{part.name}_within")
        checks.append((shown(after, part.oid), name, f"CHECK ({_named_there(after, part.takes)})"))
    first = [step for check in checks for step in remedies.validated(*check)]
    last = [f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name, _ in checks]
    own = _of_attached(before, after, part) if attached else ()
    if not (first or own):
        return ""
    return remedies.partition([*own, *first, f"{statement};", *last], apart=rest is not None)


def _apart(after: Catalogue, part: Relation) -> str:
    """What tells its rows from those of its neighbours, without what holds for all of them."""
    above = after.relation(part.parent)
    shared = above.takes if above else ""
    for start in (f"{shared[:-1]} AND ", f"({shared} AND "):
        if shared and part.takes.startswith(start):
            return f"({part.takes.removeprefix(start)}"
    return part.takes


def _named_there(after: Catalogue, takes: str) -> str:
    """A partitioned table by its name: it has another number in production."""
    return _HASHED.sub(
        lambda found: f"{found[1]}{literal(shown(after, int(found[2])))}::regclass", takes
    )


def inherited(before: Catalogue, after: Catalogue, now: Thing) -> bool:
    """Whether it came with that of a table above, or with a foreign key that it is a part of."""
    if isinstance(now, Constraint | Index) and now.parent:
        above = _above(after, now)
        return above is not None and above.key not in before.things
    return isinstance(now, Constraint | Column) and any(
        each.name == now.name and each != before.things.get(each.key)
        for table in owners(after, now)
        for each in after.of(type(now), table)
    )


def owners(after: Catalogue, now: Thing) -> tuple[int, ...]:
    """The tables by way of which it may have come."""
    above = _above(after, now)
    if above is not None:
        return (above.table,)
    table = after.relation(now.table)
    return tuple(filter(None, (table.parent, *table.inherits))) if table else ()


def _above(after: Catalogue, now: Thing) -> Thing | None:
    parent = now.parent if isinstance(now, Constraint | Index) else 0
    return after.things.get((type(now).__name__, parent, 0))


def partitioned(after: Catalogue, table: int) -> bool:
    found = after.relation(table)
    return found is not None and found.kind == "p"


def _required(before: Catalogue, after: Catalogue, now: Constraint) -> Iterator[str]:
    """A primary key makes its columns NOT NULL."""
    for column in after.columns(now.table, now.columns) if now.kind == "p" else ():
        old = before.things.get(column.key)
        if isinstance(old, Column) and not old.not_null:
            yield remedies.proven(shown(after, now.table), quoted(column.name))


def _built(before: Catalogue, after: Catalogue, now: Index) -> Iterator[str]:
    """With the constraint that it is for, and with those of the partitions."""
    if now.key in before.things:
        return
    key = next((each for each in after.of(Constraint, now.table) if each.index == now.oid), None)
    key = key if key and key.kind in "up" else None
    placed = remedies.in_tablespace(now.definition, now.tablespace)
    if not partitioned(after, now.table):
        yield f"{remedies.without_lock(placed)};"
        if key:
            yield _from_index(after, key)
        return
    yield _only(after, key, now) if key else f"{placed};"
    for part in after.of(Index):
        if part.parent == now.oid:
            yield from _built(before, after, part)
            names = (_named(after, each) for each in (now, part))
            yield "ALTER INDEX {} ATTACH PARTITION {};".format(*names)


def _from_index(after: Catalogue, key: Constraint) -> str:
    name, word = quoted(key.name), "UNIQUE" if key.kind == "u" else "PRIMARY KEY"
    _, when, timing = key.definition.partition(_DEFERRABLE)
    table = shown(after, key.table)
    return f"ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {name}{when}{timing};"


def _only(after: Catalogue, key: Constraint, index: Index) -> str:
    """What its index is made with is no part of a constraint's definition."""
    bare, when, timing = key.definition.partition(_DEFERRABLE)
    stored = remedies.storage(index.definition)
    place = f" USING INDEX TABLESPACE {quoted(index.tablespace)}" if index.tablespace else ""
    defined = f"{bare}{stored}{place}{when}{timing}"
    table = shown(after, key.table)
    return f"ALTER TABLE ONLY {table} ADD CONSTRAINT {quoted(key.name)} {defined};"


def _named(after: Catalogue, index: Index) -> str:
    schema, dot, _ = shown(after, index.table).rpartition(".")
    return f"{schema}{dot}{quoted(index.name)}"


def _validated(after: Catalogue, now: Constraint) -> list[str]:
    return remedies.validated(shown(after, now.table), quoted(now.name), now.definition)


def _below(after: Catalogue, above: Constraint) -> Iterator[Constraint]:
    """Those of the tables that hold its rows; it has others for the partitions it refers to."""
    for each in after.of(Constraint):
        if each.parent == above.oid and each.table != above.table:
            if partitioned(after, each.table):
                yield from _below(after, each)
            else:
                yield each


def _of_attached(before: Catalogue, after: Catalogue, part: Relation) -> list[str]:
    """What the partitioned table asks of each partition, made before it becomes one."""
    indexes = [step for now in after.of(Index, part.oid) for step in _built(before, after, now)]
    keys = [
        now for now in after.of(Constraint, part.oid)
        if now.kind == "f" and now.parent and now.key not in before.things
    ]  # fmt: skip
    return [*indexes, *(step for now in keys for step in _validated(after, now))]
