"""The tables of a copy as far as rows for them have to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from dayfly.database.production import Table
from dayfly.database.synthetic import Type

_OWN = r"n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_TYPES = """
    SELECT t.oid, t.typname::text, t.typtype::text, t.typcategory::text, t.typbasetype, t.typtypmod,
           CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, array(
        SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder
    ), array(
        SELECT atttypid FROM pg_attribute WHERE t.typtype = 'c' AND attrelid = t.typrelid
        AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    ) FROM pg_type t
"""
_COLUMNS = f"""
    SELECT c.oid, n.nspname::text, c.relname::text, a.attnum, a.attname::text, a.atttypid,
           a.atttypmod, a.attnotnull, a.atthasdef, EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique
        AND a.attnum = ANY (i.indkey::int2[])
    ), CASE WHEN c.relispartition THEN c.relpartbound IS NOT NULL ELSE false END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.deptype = 'e'
    ) AND {_OWN} ORDER BY n.nspname, c.relname, a.attnum
"""  # noqa: S608 - no foreign text
_REFERENCES = """
    SELECT conrelid, confrelid, conkey, confkey FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 OR contype = 'f' AND EXISTS (
        SELECT FROM pg_class c WHERE c.oid = conrelid AND c.relispartition)
"""
_CHECKS = """
    SELECT conrelid, conname::text, conkey, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND conrelid <> 0
"""
_DOMAINS = """
    SELECT contypid, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND contypid <> 0
"""
_PARTITIONS = """
    SELECT c.oid, i.inhparent, p.partattrs::int2[], pg_get_expr(c.relpartbound, c.oid), array(
        SELECT attname::text FROM unnest(p.partattrs::int2[]) WITH ORDINALITY k(num, at)
        JOIN pg_attribute a ON a.attrelid = i.inhparent AND a.attnum = k.num ORDER BY k.at
    ) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
    JOIN pg_partitioned_table p ON p.partrelid = i.inhparent WHERE c.relispartition
"""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that takes values; generated ones don't."""

    name: str
    type: Type
    required: bool
    default: bool
    key: bool  # in a unique index: rows differ here


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key: its columns, and those of the table it refers to."""

    columns: tuple[str, ...]
    table: int
    referred: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A check, of the table or of a domain that a column has."""

    name: str
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What rows of a partition have in its key."""

    parent: int
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A table that can hold rows itself."""

    id: int
    table: Table
    columns: tuple[Column, ...]
    references: tuple[Reference, ...]
    rules: tuple[Rule, ...]
    bounds: tuple[Bound, ...]  # its own first, then its parent's


def shapes(connection: Connection) -> dict[int, Shape]:
    """Every table of the application, by its number in the catalogue."""
    types = _Types({row[0]: row for row in connection.execute(_TYPES)})
    rows = connection.execute(_COLUMNS).fetchall()
    names = _names(connection)
    references = _references(connection, names)
    rules = _rules(connection, names)
    domains = {row[0]: row for row in connection.execute(_DOMAINS)}
    bounds = {row[0]: row for row in connection.execute(_PARTITIONS)}
    grouped: dict[int, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return {
        oid: Shape(
            id=oid,
            table=(columns[0][1], columns[0][2]),
            columns=tuple(_column(row, types) for row in columns),
            references=tuple(references.get(oid, ())),
            rules=(*rules.get(oid, ()), *_of_domains(columns, domains)),
            bounds=_bounds(oid, bounds),
        )
        for oid, columns in grouped.items()
    }


class _Types:
    """pg_type by number, resolved when a column asks."""

    def __init__(self, rows: Mapping[int, Any]) -> None:
        self._rows = rows

    def resolved(self, oid: int, modifier: int) -> Type:
        _, name, sort, category, base, of_domain, element, labels, fields = self._rows[oid]
        if sort == "d":
            return self.resolved(base, of_domain)
        return Type(
            name=name,
            category=category,
            modifier=modifier,
            labels=tuple(labels),
            element=self.resolved(element, modifier) if element else None,
            fields=tuple(self.resolved(field, -1) for field in fields),
        )


def _column(row: Any, types: _Types) -> Column:  # noqa: ANN401 - a row of the catalogue
    _, _, _, _, name, kind, modifier, required, default, key, _ = row
    return Column(
        name=name,
        type=types.resolved(kind, modifier),
        required=required,
        default=default,
        key=key,
    )


def _names(connection: Connection) -> dict[tuple[int, int], str]:
    question = "SELECT attrelid, attnum, attname::text FROM pg_attribute WHERE attnum > 0"
    return {(row[0], row[1]): row[2] for row in connection.execute(question)}


def _references(
    connection: Connection, names: Mapping[tuple[int, int], str]
) -> dict[int, list[Reference]]:
    found: dict[int, list[Reference]] = {}
    for table, referred, own, other in connection.execute(_REFERENCES):
        reference = Reference(
            columns=tuple(names[table, number] for number in own),
            table=referred,
            referred=tuple(names[referred, number] for number in other),
        )
        found.setdefault(table, []).append(reference)
    return found


def _rules(connection: Connection, names: Mapping[tuple[int, int], str]) -> dict[int, list[Rule]]:
    found: dict[int, list[Rule]] = {}
    for table, name, numbers, text in connection.execute(_CHECKS):
        columns = tuple(names[table, number] for number in numbers or ())
        found.setdefault(table, []).append(Rule(name=name, columns=columns, text=text))
    return found


def _of_domains(columns: list[Any], domains: Mapping[int, Any]) -> list[Rule]:
    return [
        Rule(name=domains[row[5]][1], columns=(row[4],), text=domains[row[5]][2])
        for row in columns
        if row[5] in domains
    ]


def _bounds(oid: int, found: Mapping[int, Any]) -> tuple[Bound, ...]:
    bounds: list[Bound] = []
    while oid in found:
        _, parent, _, text, columns = found[oid]
        bounds.append(Bound(parent=parent, columns=tuple(columns), text=text))
        oid = parent
    return tuple(bounds)
