"""Export what a migration takes away, before it does."""

import gzip
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from dayfly.database.books import BESIDE, NAMING
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Constraint, Index, Relation
from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.loss import Loss, merged
from dayfly.database.preserve import details, record
from dayfly.database.preserve.manifest import (
    AFTER,
    CATALOGUE,
    DETAILS,
    FORMAT,
    MANIFEST,
    SCHEMA,
    About,
    After,
    Field,
    File,
    Made,
    Manifest,
    PreservedError,
    Sequence,
    Table,
    keep,
    manifest_of,
    whole_or_nothing,
)
from dayfly.database.preserve.pairing import Pairing
from dayfly.database.preserve.session import explained, hashed, session
from dayfly.database.problems import shown
from dayfly.durable import translated, write_atomically

LEVEL = 3  # of gzip: a disk's pace, and a quarter of the size
NTH = "dayfly_nth"
Tell = Callable[[str], None]
_SEQUENCES = """
    SELECT schemaname::text AS schema, sequencename::text AS name, last_value AS last
    FROM pg_sequences WHERE last_value IS NOT NULL
"""


@dataclass(frozen=True)
class _Export:
    """From one table, at one moment."""

    connection: Connection[Any]
    folder: Path
    tell: Tell


def preserve(
    url: str,
    losses: Iterable[Loss],
    folder: Path,
    *,
    about: About,
    schema: str,
    tell: Tell = lambda _line: None,
) -> Manifest:
    """All as it is at one moment; whatever fails, nothing is left that looks like an export.

    `schema` is what pg_dump says of it; the books of migration tools are kept besides.
    """
    with session(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        made = exported(
            connection,
            losses,
            folder,
            what=What(database=shown(url), about=about, schema=schema),
            tell=tell,
        )
        connection.execute("ROLLBACK")
    return made


@dataclass(frozen=True, kw_only=True)
class What:
    """What an export is of, in its manifest."""

    database: str
    about: About
    schema: str


def exported(
    connection: Connection[Any],
    losses: Iterable[Loss],
    folder: Path,
    *,
    what: What,
    tell: Tell = lambda _line: None,
) -> Manifest:
    """As `preserve`, within the transaction that is open."""
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    with whole_or_nothing(folder):
        (folder / MANIFEST).unlink(missing_ok=True)
        (folder / AFTER).unlink(missing_ok=True)
        before = snapshot(connection)
        manifest = Manifest(
            format=FORMAT,
            database=what.database,
            about=what.about,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            tables=_tables(_Export(connection, folder, tell), before, [*merged(losses)]),
            catalogue=_written(folder, CATALOGUE, record.written(before)),
            details=_written(folder, DETAILS, details.written(details.details(connection))),
            schema=_written(folder, SCHEMA, what.schema.encode()),
            sequences=tuple(
                Sequence(schema=row[0], name=row[1], last=row[2])
                for row in connection.execute(_SEQUENCES)
            ),
        )
        keep(folder / MANIFEST, manifest)
    return manifest


def seal(url: str, folder: Path) -> After:
    """After the migration: what it made of the values, so that later changes can be told apart."""
    manifest = manifest_of(folder)
    before = record.read((folder / CATALOGUE).read_bytes())
    with session(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        pairing = Pairing(before, snapshot(connection))
        export = _Export(connection, folder, lambda _line: None)
        made = [_made(export, pairing, t, n) for n, t in enumerate(manifest.data, 1)]
        connection.execute("ROLLBACK")
    after = After(format=FORMAT, tables=tuple(made))
    keep(folder / AFTER, after)
    return after


def _tables(export: _Export, before: Catalogue, losses: list[Loss]) -> tuple[Table, ...]:
    found: list[Table] = []
    for loss in losses:
        relation = before.named.get(("Relation", loss.schema, loss.table))
        if not isinstance(relation, Relation):
            raise PreservedError(
                f"the table {loss.schema}.{loss.table} is to be preserved, and is gone",
                hint="Somebody changed the database meanwhile: release again.",
            )
        found.append(_table(export, before, relation, loss.columns, len(found) + 1))
    for relation in before.of(Relation):
        if relation.kind == "r" and relation.name in {*NAMING, *BESIDE}:
            found.append(_table(export, before, relation, None, len(found) + 1, book=True))
    return tuple(found)


def _table(
    export: _Export,
    before: Catalogue,
    relation: Relation,
    columns: tuple[str, ...] | None,
    number: int,
    *,
    book: bool = False,
) -> Table:
    there = {c.name: c for c in before.of(Column, relation.oid) if not c.generated}
    missing = [name for name in columns or () if name not in there]
    if missing:
        raise PreservedError(
            f"the column {relation.name}.{missing[0]} is to be preserved, and is gone",
            hint="Somebody changed the database meanwhile: release again.",
        )
    key = key_of(before, relation, set(columns or ()))
    others = tuple(name for name in there if name not in (columns or ()))
    counted = key is None
    key = others if key is None else key
    lost = columns if columns is not None else tuple(n for n in there if n not in key)
    names = (*key, *lost)
    export.tell(f"{relation.name}: its rows" if columns is None else _told(relation, columns))
    fields = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(n)) for n in names)
    if counted:
        same = hashed([sql.Identifier(name) for name in key])
        nth = sql.SQL("row_number() OVER (PARTITION BY {}) AS {}")
        fields = sql.SQL(", ").join([*([fields] if names else []), nth.format(same, _NTH)])
    rows = sql.SQL("SELECT {} FROM {}").format(fields, _from(relation))
    return Table(
        schema=relation.schema,
        table=relation.name,
        oid=relation.oid,
        columns=tuple(Field(name=name, type=there[name].type) for name in names),
        key=key,
        lost=lost,
        file=_copied(export, rows, f"{number}.copy.gz", f"export of {relation.name}"),
        whole=columns is None,
        counted=counted,
        book=book,
    )


_NTH = sql.Identifier(NTH)


def _told(relation: Relation, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{relation.name}.{column}" for column in columns)


def _from(relation: Relation) -> sql.Composed:
    """What inherits from a table is another table; partitions are this one."""
    only = sql.SQL("" if relation.kind == "p" else "ONLY ")
    return sql.SQL("{}{}").format(only, sql.Identifier(relation.schema, relation.name))


def key_of(before: Catalogue, relation: Relation, lost: set[str]) -> tuple[str, ...] | None:
    """The primary key, else another unique one without NULL; none that is itself lost."""
    primary = {c.index for c in before.of(Constraint, relation.oid) if c.kind == "p"}
    indexes = sorted(before.of(Index, relation.oid), key=lambda i: (i.oid not in primary, i.oid))
    for index in indexes:
        columns = before.columns(relation.oid, index.columns)
        whole = len(columns) == len(index.columns) and index.unique and index.valid
        if whole and not index.partial and all(c.not_null for c in columns):
            names = tuple(column.name for column in columns)
            if not lost & set(names) and not any(c.generated for c in columns):
                return names
    return None


def _copied(export: _Export, rows: sql.Composed, name: str, what: str) -> File:
    """Compressed on its way: memory does not grow with the table."""
    path, digest, count = export.folder / name, hashlib.sha256(), 0
    statement = sql.SQL("COPY ({}) TO STDOUT").format(rows)
    with translated(path), explained(what):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with (
                gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0) as packed,
                export.connection.cursor().copy(statement) as copy,
            ):
                for block in copy:
                    packed.write(block)
                    count += bytes(block).count(b"\n")
            file.flush()
            os.fsync(file.fileno())
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        size = path.stat().st_size
    return File(name=name, bytes=size, sha256=digest.hexdigest(), rows=count)


def _written(folder: Path, name: str, text: bytes) -> File:
    write_atomically(folder / name, text)
    return File(name=name, bytes=len(text), sha256=hashlib.sha256(text).hexdigest())


def _made(export: _Export, pairing: Pairing, table: Table, number: int) -> Made:
    relation = pairing.relation(table.oid)
    old = {column.name: column for column in pairing.before.of(Column, table.oid)}
    now = {
        name: pairing.columns[column.key].name
        for name, column in old.items()
        if column.key in pairing.columns and not pairing.columns[column.key].generated
    }
    standing = tuple(name for name in table.lost if name in now)
    if relation is None or not standing or not set(table.key) <= set(now):
        return Made(oid=table.oid, standing=standing)
    rows = sql.SQL("SELECT {}, {} FROM {} t").format(
        identity([sql.Identifier("t", now[name]) for name in table.key], counted=table.counted),
        hashed([sql.Identifier("t", now[name]) for name in standing]),
        _from(relation),
    )
    file = _copied(export, rows, f"{number}.after.gz", f"what became of {relation.name}")
    return Made(oid=table.oid, standing=standing, file=file)


def identity(key: list[sql.Composable], *, counted: bool) -> sql.Composed:
    """What a row is found by, as one word."""
    same = hashed(key)
    if not counted:
        return same
    return sql.SQL("{} || '-' || row_number() OVER (PARTITION BY {})").format(same, same)
