"""Preserved rows in temporary tables, beside the live ones that they are compared with."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection, sql

from dayfly.database.impact.schema.catalogue import Column, Relation
from dayfly.database.preserve.exporting import identity
from dayfly.database.preserve.manifest import Made, Table
from dayfly.database.preserve.pairing import Pairing
from dayfly.database.preserve.session import hashed
from dayfly.durable import translated

_PIECE = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Staged:
    """One table of an export; `kept` has its rows, `made` what the migration made of them."""

    table: Table
    place: int
    after: Made | None  # None: nobody looked after the migration

    @property
    def kept(self) -> sql.Identifier:
        return sql.Identifier("pg_temp", f"dayfly_kept_{self.place}")

    @property
    def made(self) -> sql.Identifier:
        return sql.Identifier("pg_temp", f"dayfly_made_{self.place}")

    def of_kept(self, names: tuple[str, ...]) -> list[sql.Composable]:
        """Columns of `k`, a row that was kept."""
        return [sql.Identifier("k", f"c{place}") for place in self.table.places(names)]


@dataclass(frozen=True, kw_only=True)
class Live:
    """The same table as it stands, and what its columns are called there."""

    relation: Relation
    columns: Mapping[str, Column]  # by the name of before

    @classmethod
    def of(cls, pairing: Pairing, table: Table) -> "Live | None":
        relation = pairing.relation(table.oid)
        if relation is None:
            return None
        columns = {
            old.name: pairing.columns[old.key]
            for old in pairing.before.of(Column, table.oid)
            if old.key in pairing.columns and not pairing.columns[old.key].generated
        }
        return cls(relation=relation, columns=columns)

    @cached_property
    def name(self) -> sql.Identifier:
        return sql.Identifier(self.relation.schema, self.relation.name)

    @property
    def only(self) -> sql.Composed:
        only = sql.SQL("" if self.relation.kind == "p" else "ONLY ")
        return sql.SQL("{}{}").format(only, self.name)

    def has(self, names: tuple[str, ...]) -> bool:
        return set(names) <= set(self.columns)

    def fields(self, names: tuple[str, ...]) -> list[sql.Composable]:
        """Columns of `t`, a row as it stands."""
        return [sql.Identifier("t", self.columns[name].name) for name in names]

    def source(self, table: Table) -> sql.Composed:
        """What gives `t`; rows that are only counted have their place beside them."""
        if not table.counted:
            return sql.SQL("{} t").format(self.only)
        same = identity(self.fields(table.key), counted=True)
        return sql.SQL(
            "(SELECT ctid AS at, tableoid AS part, {} AS id FROM {} t) l"
            " JOIN {} t ON t.ctid = l.at AND t.tableoid = l.part"
        ).format(same, self.only, self.name)

    def identity(self, table: Table) -> sql.Composable:
        """What finds a row of `source`, as `id` finds it in what was kept."""
        return sql.Identifier("l", "id") if table.counted else hashed(self.fields(table.key))


def stage(
    connection: Connection[Any], folder: Path, table: Table, place: int, after: Made | None
) -> Staged:
    """Inside of a transaction, at whose end it is gone."""
    staged = Staged(table=table, place=place, after=after)
    raw = sql.Identifier("pg_temp", f"dayfly_raw_{place}")
    width = len(table.columns)
    columns = [sql.SQL("{} text").format(sql.Identifier(f"c{n}")) for n in range(width)]
    nth = [sql.SQL("nth text")] if table.counted else []
    _load(connection, folder / table.file.name, raw, [*columns, *nth])
    same = hashed([sql.Identifier(f"c{n}") for n in table.places(table.key)])
    found_by = sql.SQL("{} || '-' || nth").format(same) if table.counted else same
    _run(
        connection,
        "CREATE TEMP TABLE {kept} ON COMMIT DROP AS SELECT *, {id} AS id, false AS held FROM {raw}",
        kept=sql.Identifier(f"dayfly_kept_{place}"),
        id=found_by,
        raw=raw,
    )
    _run(connection, "DROP TABLE {raw}", raw=raw)
    _run(connection, "ANALYZE {kept}", kept=staged.kept)
    if after and after.file:
        fields = [sql.SQL("id text"), sql.SQL("value text")]
        _load(connection, folder / after.file.name, staged.made, fields)
        _run(connection, "ANALYZE {made}", made=staged.made)
    return staged


def _load(
    connection: Connection[Any],
    path: Path,
    name: sql.Identifier,
    columns: Sequence[sql.Composable],
) -> None:
    fields = sql.SQL(", ").join(columns)
    made = "CREATE TEMP TABLE {name} ({fields}) ON COMMIT DROP"
    _run(connection, made, name=name, fields=fields)
    statement = sql.SQL("COPY {} FROM STDIN").format(name)
    with (
        translated(path),
        gzip.open(path, "rb") as packed,
        connection.cursor().copy(statement) as copy,
    ):
        while piece := packed.read(_PIECE):
            copy.write(piece)


def _run(connection: Connection[Any], statement: LiteralString, **parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(**parts))
