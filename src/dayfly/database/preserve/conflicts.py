"""What was written since, and would be lost or be wrong if the preserved values came back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from dayfly.database.impact.schema.catalogue import Column, Relation, Type
from dayfly.database.impact.schema.names import quoted
from dayfly.database.preserve.columns import Columns, Pair, as_before, names_type
from dayfly.database.preserve.exporting import key_of
from dayfly.database.preserve.manifest import Table
from dayfly.database.preserve.pairing import Pairing, full
from dayfly.database.preserve.session import hashed
from dayfly.database.preserve.staging import Live, Staged

NAMED = 10  # keys of a conflict; all are counted
_ALL = sql.SQL("true")


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Rows of one table, with the keys of some."""

    table: str
    what: str
    rows: int
    keys: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        named = ", ".join(self.keys) + (" …" if self.rows > len(self.keys) else "")
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{self.table}: {rows} {self.what}" + (f" ({named})" if self.keys else "")

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "what": self.what,
            "rows": self.rows,
            "keys": list(self.keys),
        }


def conflicts(
    connection: Connection[Any],
    pairing: Pairing,
    staged: Iterable[Staged],
    columns: Columns | None,
) -> tuple[Conflict, ...]:
    """`columns`: what will become of the schema; None where it stays. Marks kept rows as held."""
    found: list[Conflict] = []
    staged = [one for one in staged if not one.table.book]
    for one in staged:
        live = Live.of(pairing, one.table)
        if live is None:
            found += _made_again(connection, pairing, one.table)
        elif live.has(one.table.key):
            found += _changed(connection, one, live)
            if not one.table.whole:
                found += _without(connection, pairing, one, live)
    if columns is not None:
        found += _unfit(connection, columns, {one.table.oid: one for one in staged})
    return tuple(found)


def _made_again(connection: Connection[Any], pairing: Pairing, table: Table) -> Iterator[Conflict]:
    """Another table has taken the name, with rows of its own."""
    now = pairing.now.named.get(("Relation", table.schema, table.table))
    if isinstance(now, Relation) and now.kind in "rp":
        name = sql.Identifier(now.schema, now.name)
        question = sql.SQL("SELECT ''::text FROM {} t").format(name)
        yield from _told(connection, table.shown, "of another table of this name", question)


def _changed(connection: Connection[Any], one: Staged, live: Live) -> Iterator[Conflict]:
    """Rows whose values are neither the preserved ones nor what the migration made of those."""
    table = one.table
    left = set(table.lost if one.after is None else one.after.standing)
    standing = tuple(n for n in table.lost if n in live.columns and n in left)
    again = tuple(n for n in table.lost if n in live.columns and n not in left)
    doubts: list[sql.Composable] = []
    if standing:
        differs = sql.SQL("{} <> {}").format(
            hashed(live.fields(standing)), hashed(one.of_kept(standing))
        )
        if one.after and one.after.file and standing == one.after.standing:
            made = sql.SQL(
                "NOT EXISTS (SELECT FROM {} m WHERE m.id = k.id AND m.value = {})"
            ).format(one.made, hashed(live.fields(standing)))
            differs = sql.SQL("({} AND {})").format(differs, made)
        doubts.append(differs)
    for name in again:
        [field], [kept] = live.fields((name,)), one.of_kept((name,))
        doubts.append(
            sql.SQL("({} IS NOT NULL AND {}::text IS DISTINCT FROM {})").format(field, field, kept)
        )
    if not doubts:
        return
    hold = sql.SQL("UPDATE {} k SET held = true FROM {} WHERE {} = k.id AND ({})").format(
        one.kept, live.source(table), live.identity(table), sql.SQL(" OR ").join(doubts)
    )
    connection.execute(hold)
    question = sql.SQL("SELECT {} FROM {} k WHERE held").format(
        _key_words(one.of_kept(table.key)), one.kept
    )
    yield from _told(connection, table.shown, "changed since the migration", question)


def _without(
    connection: Connection[Any], pairing: Pairing, one: Staged, live: Live
) -> Iterator[Conflict]:
    """Rows of which nothing was preserved, so they are younger than the export."""
    table = one.table
    old = {column.name: column for column in pairing.before.of(Column, table.oid)}
    left = table.lost if one.after is None else one.after.standing
    there = [name for name in left if name in live.columns]
    rewritten = [name for name in there if live.columns[name].type == old[name].type]
    gone = [name for name in table.lost if name not in live.columns]
    empty = [name for name in gone if old[name].not_null and not old[name].fills_itself]
    for names, what in ((rewritten, "newer than the preserved"), (empty, "without a value for")):
        if names:
            words = f"{what} {', '.join(map(quoted, names))}"
            yield from _told(connection, table.shown, words, _of_others(one, live))


def _of_others(one: Staged, live: Live, which: sql.Composable | None = None) -> sql.Composed:
    """The keys of those rows of which nothing was kept; with `which`, nothing that comes back."""
    return sql.SQL(
        "SELECT {words} FROM {source} WHERE {which} AND NOT EXISTS"
        " (SELECT FROM {kept} k WHERE k.id = {id} AND {held})"
    ).format(
        words=_key_words(live.fields(one.table.key)),
        source=live.source(one.table),
        which=which or _ALL,
        kept=one.kept,
        id=live.identity(one.table),
        held=sql.SQL("NOT k.held") if which else _ALL,
    )


def _unfit(
    connection: Connection[Any], columns: Columns, staged: dict[int, Staged]
) -> Iterator[Conflict]:
    """Values that the old type, or the old NOT NULL, does not take."""
    retyped = {pair.old.key for pair in columns.retyped}
    for pair in columns.pairs:
        one = staged.get(pair.table.oid)
        preserved = one if one and pair.old.name in one.table.lost else None
        value = sql.Identifier("t", pair.new.name)
        unfit = _refused(connection, columns, pair, value) if pair.old.key in retyped else None
        if unfit is not None:
            what = f"with a {quoted(pair.old.name)} that {pair.old.type} does not take"
            yield from _rows(connection, columns.pairing, pair, preserved, unfit, what)
        if pair.old.not_null and not pair.new.not_null:
            empty = sql.SQL("{} IS NULL").format(value)
            what = f"without a value for {quoted(pair.old.name)}"
            yield from _rows(connection, columns.pairing, pair, preserved, empty, what)


def _refused(
    connection: Connection[Any], columns: Columns, pair: Pair, value: sql.Identifier
) -> sql.Composed | None:
    """Which values of now the old type does not take; None where it takes all, or is unknown."""
    own = [t for t in columns.pairing.before.of(Type) if names_type(pair.old.type, t)]
    if own:
        labels = sql.Literal(list(own[0].labels))
        refused = sql.SQL("{}::text <> ALL ({}::text[])").format(value, labels)
        return refused if own[0].kind == "e" and "[]" not in pair.old.type else None
    if pair.widens:
        return None
    connection.execute(as_before(pair, pair.new.type).encode())
    function = sql.Identifier("pg_temp", pair.function)
    return sql.SQL("{} IS NOT NULL AND {}({}::text) IS NULL").format(value, function, value)


def _rows(
    connection: Connection[Any],
    pairing: Pairing,
    pair: Pair,
    preserved: Staged | None,
    unfit: sql.Composed,
    what: str,
) -> Iterator[Conflict]:
    """But those that get their preserved value back."""
    live = Live.of(pairing, preserved.table) if preserved is not None else None
    if preserved is not None and live is not None and live.has(preserved.table.key):
        question = _of_others(preserved, live, unfit)
    else:
        name = sql.SQL(full(pairing.relation(pair.table.oid)))
        question = sql.SQL("SELECT {} FROM {} t WHERE {}").format(
            _key_words(_key(pairing, pair)), name, unfit
        )
    table = pair.table
    shown = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
    yield from _told(connection, shown, what, question)


def _key(pairing: Pairing, pair: Pair) -> list[sql.Composable]:
    names = set(key_of(pairing.before, pair.table, set()) or ())
    columns = [c for c in pairing.before.of(Column, pair.table.oid) if c.name in names]
    there = [pairing.columns[c.key].name for c in columns if c.key in pairing.columns]
    return [sql.Identifier("t", name) for name in there]


def _key_words(key: list[sql.Composable]) -> sql.Composed:
    if not key:
        return sql.SQL("{}").format(sql.SQL("''::text"))
    return sql.SQL("concat_ws(', ', {})").format(sql.SQL(", ").join(key))


def _told(
    connection: Connection[Any], table: str, what: str, question: sql.Composed
) -> Iterator[Conflict]:
    counted = sql.SQL("SELECT count(*), (array_agg(w))[1:{}] FROM ({}) AS q(w)")
    row = connection.execute(counted.format(sql.Literal(NAMED), question)).fetchone()
    if row and row[0]:
        keys = tuple(word for word in row[1] if word)
        yield Conflict(table=table, what=what, rows=row[0], keys=keys)
