"""What the migrated copy says of rows that are refused from now on, in words of SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dayfly.database.connection import connect
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Constraint, Key, Relation

_BOUNDS = """
    SELECT c.oid::int8, pg_get_partition_constraintdef(c.oid) FROM pg_class c
    WHERE c.oid = ANY (%s) AND pg_get_partition_constraintdef(c.oid) !~ 'satisfies_hash_partition'
"""
_EXCLUSIONS = """
    SELECT k.oid::int8,
        ARRAY(SELECT pg_get_indexdef(k.conindid, n, true)
              FROM generate_series(1, cardinality(k.conexclop)) n ORDER BY n),
        ARRAY(SELECT format('OPERATOR(%%I.%%s)', n.nspname, o.oprname)
              FROM unnest(k.conexclop) WITH ORDINALITY u (oid, number)
              JOIN pg_operator o USING (oid) JOIN pg_namespace n ON n.oid = o.oprnamespace
              ORDER BY u.number),
        coalesce(pg_get_expr(i.indpred, i.indrelid), '')
    FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid WHERE k.oid = ANY (%s)
"""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What all rows of a table must be, and which new partition makes it so."""

    condition: str
    partition: Key


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """No two rows may have all these values related by these operators."""

    values: tuple[str, ...]
    operators: tuple[str, ...]
    where: str  # empty: of all rows


@dataclass(frozen=True, kw_only=True)
class Limits:
    bounds: Mapping[int, Bound] = field(default_factory=dict)  # by the table that was there
    exclusions: Mapping[Key, Exclusion] = field(default_factory=dict)


def limits(url: str, observed: Observed) -> Limits:
    bounded = dict(_bounded(observed))
    excluding = {
        each.oid: each.key
        for each in observed.after.of(Constraint)
        if each.kind == "x" and each.key not in observed.before.things
    }
    if not bounded and not excluding:
        return Limits()
    with connect(url, autocommit=True) as connection:
        bounds = connection.execute(_BOUNDS, ([*bounded],)).fetchall()
        exclusions = connection.execute(_EXCLUSIONS, ([*excluding],)).fetchall()
    return Limits(
        bounds={oid: Bound(condition=said, partition=bounded[oid]) for oid, said in bounds},
        exclusions={
            excluding[oid]: Exclusion(values=tuple(values), operators=tuple(signs), where=where)
            for oid, values, signs, where in exclusions
        },
    )


def _bounded(observed: Observed) -> Iterator[tuple[int, Key]]:
    """Tables that become partitions, and default ones that get a new one beside them.

    Not where their rows may have been moved away before.
    """
    before, after = observed.before, observed.after
    new = [each for each in after.of(Relation) if each.bound and not before.has_as_part(each)]
    defaults = {each.parent: each for each in after.of(Relation) if each.takes_the_rest}
    for partition in new:
        beside = defaults.get(partition.parent, partition)
        for table in {partition.oid: partition, beside.oid: beside}.values():
            family = {table.oid, table.parent}
            moved = any(_writes(step.effect, family) for step in observed.steps)
            if before.relation(table.oid) is not None and not moved:
                yield table.oid, partition.key


def _writes(effect: Effect, family: set[int]) -> bool:
    locked = {oid for oid, mode in effect.locks.items() if mode == "RowExclusive"}
    wrote = locked | effect.emptied | effect.wrote | effect.deletes | effect.updates
    return not family.isdisjoint(wrote)
