"""Put preserved rows where they belong: into columns by key, whole where they are gone."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from dayfly.database.impact.schema.catalogue import Column, Constraint
from dayfly.database.preserve.belongings import ENABLED
from dayfly.database.preserve.manifest import PreservedError, Table
from dayfly.database.preserve.pairing import Pairing
from dayfly.database.preserve.session import explained, hashed, number_of
from dayfly.database.preserve.staging import Live, Staged

_TRIGGERS = """
    SELECT tgname::text, tgenabled::text FROM pg_trigger
    WHERE tgrelid = %s AND NOT tgisinternal AND tgenabled <> 'D'
"""


@dataclass(frozen=True, kw_only=True)
class Put:
    """What came back into one table."""

    table: str
    rows: int  # that were changed or made
    gone: int  # that were preserved, and whose key is there no more

    def as_json(self) -> dict[str, Any]:
        return {"table": self.table, "rows": self.rows, "gone": self.gone}


def put_back(
    connection: Connection[Any], pairing: Pairing, staged: Iterable[Staged], *, overwrite: bool
) -> tuple[Put, ...]:
    """`pairing` is with the schema as it is now; rows that are held stay, unless `overwrite`."""
    ordered = _parents_first(pairing, list(staged))
    put = [(one, _put(connection, pairing, one, overwrite=overwrite)) for one in ordered]
    return tuple(done for one, done in put if not one.table.book)


def _put(connection: Connection[Any], pairing: Pairing, one: Staged, *, overwrite: bool) -> Put:
    table = one.table
    live = Live.of(pairing, table)
    if live is None or not live.has((*table.key, *table.lost)):
        raise PreservedError(
            f"{_lacking(table, live)} is not there to take its values",
            hint="Create it again first: schema.sql beside the data says how it was.",
        )
    with (
        explained(f"the values of {table.shown} cannot be put back"),
        _without_triggers(connection, live),
    ):
        if table.book:
            connection.execute(sql.SQL("DELETE FROM {}").format(live.only))
        changed = _update(connection, one, live, overwrite=overwrite) if table.lost else 0
        made = _insert(connection, one, live) if table.whole else 0
        _advance(connection, live)
    gone = 0 if table.whole else _gone(connection, one, live)
    return Put(table=table.shown, rows=changed + made, gone=gone)


def _lacking(table: Table, live: Live | None) -> str:
    if live is None:
        return f"the table {table.shown}"
    missing = [name for name in (*table.key, *table.lost) if name not in live.columns]
    return f"the column {table.shown}.{missing[0]}"


def _update(connection: Connection[Any], one: Staged, live: Live, *, overwrite: bool) -> int:
    lost = tuple(name for name in one.table.lost if live.columns[name].identity != "a")
    if not lost:
        return 0
    values = [
        sql.SQL("{} = {}::{}").format(
            sql.Identifier(live.columns[name].name), kept, sql.SQL(live.columns[name].type)
        )
        for name, kept in zip(lost, one.of_kept(lost), strict=True)
    ]
    kept, id_ = sql.SQL("{} k").format(one.kept), live.identity(one.table)
    target, rows, found = "t", kept, sql.SQL("{} = k.id").format(id_)
    if one.table.counted:
        target = "u"
        rows = sql.SQL("{} JOIN {} ON k.id = {}").format(live.source(one.table), kept, id_)
        found = sql.SQL("u.ctid = t.ctid AND u.tableoid = t.tableoid").format()
    done = connection.execute(
        sql.SQL(
            "UPDATE {only} {target} SET {values} FROM {rows}"
            " WHERE {found} AND {now} <> {then}{unless}"
        ).format(
            only=live.only,
            target=sql.SQL(target),
            values=sql.SQL(", ").join(values),
            rows=rows,
            found=found,
            now=hashed(live.fields(lost)),
            then=hashed(one.of_kept(lost)),
            unless=sql.SQL("" if overwrite else " AND NOT k.held"),
        )
    )
    return done.rowcount


def _insert(connection: Connection[Any], one: Staged, live: Live) -> int:
    names = tuple(column.name for column in one.table.columns)
    fields = [sql.Identifier(live.columns[name].name) for name in names]
    values = [
        sql.SQL("{}::{}").format(kept, sql.SQL(live.columns[name].type))
        for name, kept in zip(names, one.of_kept(names), strict=True)
    ]
    if not names:
        return 0
    done = connection.execute(
        sql.SQL(
            "INSERT INTO {name} ({fields}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {kept} k"
            " WHERE NOT EXISTS (SELECT FROM {source} WHERE {id} = k.id)"
        ).format(
            name=live.name,
            fields=sql.SQL(", ").join(fields),
            values=sql.SQL(", ").join(values),
            kept=one.kept,
            id=live.identity(one.table),
            source=live.source(one.table),
        )
    )
    return done.rowcount


def _gone(connection: Connection[Any], one: Staged, live: Live) -> int:
    question = "SELECT count(*) FROM {} k WHERE NOT EXISTS (SELECT FROM {} WHERE {} = k.id)"
    parts = (one.kept, live.source(one.table), live.identity(one.table))
    return number_of(connection, sql.SQL(question).format(*parts))


def _advance(connection: Connection[Any], live: Live) -> None:
    """Sequences give no number that a restored row has already."""
    for column in live.columns.values():
        if column.type not in ("smallint", "integer", "bigint"):
            continue
        row = connection.execute(
            "SELECT pg_get_serial_sequence(%s, %s)",
            (f"{_quoted(live.relation.schema)}.{_quoted(live.relation.name)}", column.name),
        ).fetchone()
        if row and row[0]:
            advance(connection, row[0], live, column)


def advance(connection: Connection[Any], sequence: str, live: Live, column: Column) -> None:
    highest = number_of(
        connection,
        sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(
            sql.Identifier(column.name), live.name
        ),
    )
    last = sql.SQL("SELECT last_value FROM {}").format(sql.SQL(sequence))  # quoted by the server
    if highest > number_of(connection, last):
        connection.execute("SELECT setval(%s, %s)", (sequence, highest))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _without_triggers(connection: Connection[Any], live: Live) -> Iterator[None]:
    """The app's own do not fire for what only comes back."""
    found = connection.execute(_TRIGGERS, (live.relation.oid,)).fetchall()
    alter = sql.SQL("ALTER TABLE {} {} TRIGGER {}")
    for name, _state in found:
        connection.execute(alter.format(live.name, sql.SQL("DISABLE"), sql.Identifier(name)))
    yield
    for name, state in found:
        word = sql.SQL(ENABLED[state])
        connection.execute(alter.format(live.name, word, sql.Identifier(name)))


def _parents_first(pairing: Pairing, staged: Sequence[Staged]) -> list[Staged]:
    """So that a row finds what it refers to; within a circle the order is as it was."""
    needs = {
        one.table.oid: {
            key.target
            for key in pairing.before.of(Constraint, one.table.oid)
            if key.kind == "f" and key.target != one.table.oid
        }
        for one in staged
    }
    waiting, ordered = list(staged), list[Staged]()
    while waiting:
        left = {one.table.oid for one in waiting}
        free = [one for one in waiting if not needs[one.table.oid] & left] or waiting[:1]
        ordered += free
        waiting = [one for one in waiting if one not in free]
    return ordered
