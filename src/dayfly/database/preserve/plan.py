"""From the catalogue of now to that of before: the SQL, around the values that are put back."""

from collections.abc import Iterator
from dataclasses import dataclass

from dayfly.database.impact.evidence.comparison import BOOKKEEPING
from dayfly.database.impact.schema.catalogue import Column, Relation
from dayfly.database.impact.schema.names import quoted
from dayfly.database.loss import Loss, merged
from dayfly.database.preserve.belongings import Belongings
from dayfly.database.preserve.columns import Columns
from dayfly.database.preserve.entries import Entries
from dayfly.database.preserve.pairing import Pairing, full
from dayfly.database.preserve.rights import Rights
from dayfly.database.preserve.surroundings import Surroundings

_KINDS = {"r": "TABLE", "p": "TABLE", "f": "FOREIGN TABLE"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Statements that make the schema serve the outgoing release again."""

    opening: tuple[str, ...] = ()  # before the values come back
    closing: tuple[str, ...] = ()  # after it: what they have to hold
    drops: tuple[Loss, ...] = ()  # what stands now and is gone then, under the names of now

    @property
    def statements(self) -> tuple[str, ...]:
        return (*self.opening, *self.closing)


def planned(pairing: Pairing, entries: Entries) -> Plan:
    """Everything as it was: also what is new goes, or the migration could not run again.

    What cannot be won back makes a statement fail, or leaves a difference that is seen after it.
    """
    around = Surroundings(pairing, entries)
    columns = Columns(pairing, entries, around.types_anew)
    retyped = bool(columns.retyped)
    anew = frozenset(view.oid for view in around.views_anew(retyped=retyped))
    belongings = Belongings(pairing, entries, anew)
    opening = [
        *belongings.dropped(),
        *around.views_dropped(retyped=retyped),
        *_tables_dropped(pairing),
        *columns.dropped(),
        *around.schemas_made(),
        *_renamed(pairing),
        *columns.renamed(),
        *belongings.renamed(),
        *around.types_made(),
        *around.sequences_made(),
        *around.routines_made(),
        *_tables_made(pairing, entries),
        *columns.brought_back(),
        *around.sequences_owned(),
        *_attached(pairing),
        *around.sequences_dropped(),
        *around.routines_dropped(),
        *around.types_dropped(),
        *around.schemas_dropped(),
    ]
    closing = [
        *columns.tightened(),
        *around.identities(),
        *belongings.added(),
        *_persisting(pairing),
        *around.views_made(retyped=retyped),
        *belongings.last(),
        *Rights(pairing, anew).given(),
    ]
    return Plan(opening=tuple(opening), closing=tuple(closing), drops=_drops(pairing, columns))


def _tables_dropped(pairing: Pairing) -> Iterator[str]:
    """New ones; a new partition stays, since its rows are those of a table that stays."""
    for table in sorted(_new_tables(pairing), key=lambda table: -table.oid):
        yield f"DROP {_KINDS[table.kind]} {full(table)}"


def _new_tables(pairing: Pairing) -> list[Relation]:
    return [
        table
        for table in pairing.new(Relation)
        if isinstance(table, Relation) and table.kind in _KINDS and not table.parent
    ]


def _tables_made(pairing: Pairing, entries: Entries) -> Iterator[str]:
    for table in sorted(pairing.missing(), key=lambda table: table.oid):
        if table.kind in _KINDS:
            yield from entries.of(_KINDS[table.kind], table.schema, table.name)
            yield from entries.of("TABLE ATTACH", table.schema, table.name)
            for column in pairing.before.of(Column, table.oid):
                yield from entries.of("DEFAULT", table.schema, f"{table.name} {column.name}")


def _renamed(pairing: Pairing) -> Iterator[str]:
    """By way of a name of ours where two have changed places."""
    waiting = []
    moved = [
        (old, new)
        for old in pairing.before.of(Relation)
        if (new := pairing.relation(old.oid)) and (old.schema, old.name) != (new.schema, new.name)
        if old.kind not in "vm"
    ]
    names = {(new.schema, new.name) for _old, new in moved}
    for old, new in moved:
        kind = "SEQUENCE" if old.kind == "S" else "TABLE"
        if new.schema != old.schema:
            yield f"ALTER {kind} {full(new)} SET SCHEMA {quoted(old.schema)}"
        name, schema = new.name, quoted(old.schema)
        if (old.schema, old.name) in names and name != old.name:
            between = f"dayfly_was_{old.oid}"
            yield f"ALTER {kind} {schema}.{quoted(name)} RENAME TO {between}"
            waiting.append(f"ALTER {kind} {schema}.{between} RENAME TO {quoted(old.name)}")
        elif name != old.name:
            yield f"ALTER {kind} {schema}.{quoted(name)} RENAME TO {quoted(old.name)}"
    yield from waiting


def _attached(pairing: Pairing) -> Iterator[str]:
    for old in pairing.before.of(Relation):
        now = pairing.relation(old.oid)
        if now is None or old.kind == "S" or bool(old.parent) == bool(now.parent):
            continue
        if old.parent:
            table = full(pairing.before.relation(old.parent))
            yield f"ALTER TABLE {table} ATTACH PARTITION {full(old)} {old.bound}"
        else:
            table = full(pairing.now.relation(now.parent))
            yield f"ALTER TABLE {table} DETACH PARTITION {full(old)}"


def _persisting(pairing: Pairing) -> Iterator[str]:
    words = {"p": "LOGGED", "u": "UNLOGGED"}
    for old in pairing.before.of(Relation):
        now = pairing.relation(old.oid)
        if now and old.kind == "r" and now.persistence != old.persistence:
            yield f"ALTER TABLE {full(old)} SET {words[old.persistence]}"


def _drops(pairing: Pairing, columns: Columns) -> tuple[Loss, ...]:
    """With what a change of type may cut; a generated column can be computed again."""
    losses = [
        Loss(schema=table.schema, table=table.name)
        for table in _new_tables(pairing)
        if table.kind in "rp" and table.name not in BOOKKEEPING
    ]
    touched = [column for column in columns.new if not column.generated]
    touched += [pair.new for pair in columns.retyped]
    for column in touched:
        table = pairing.now.relation(column.table)
        if table:
            name = (column.name,)
            losses.append(Loss(schema=table.schema, table=table.name, columns=name))
    return merged(losses)
