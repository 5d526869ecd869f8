"""Bring schema and values back to what the outgoing release needs, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection, errors, sql

from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.loss import Loss, merged
from dayfly.database.preserve import again, record
from dayfly.database.preserve.columns import Columns
from dayfly.database.preserve.compare import differences
from dayfly.database.preserve.conflicts import Conflict, conflicts
from dayfly.database.preserve.details import Detail, details, read, reordered, settled, unlike
from dayfly.database.preserve.entries import entries_of
from dayfly.database.preserve.exporting import What, exported
from dayfly.database.preserve.manifest import (
    AFTER,
    CATALOGUE,
    DETAILS,
    FORMAT,
    SCHEMA,
    After,
    Made,
    Manifest,
    PreservedError,
    Table,
    after_of,
    keep,
    verify,
)
from dayfly.database.preserve.pairing import Pairing
from dayfly.database.preserve.plan import Plan, planned
from dayfly.database.preserve.putting import Put, put_back
from dayfly.database.preserve.session import LOCK_SECONDS, explained, first_line, session
from dayfly.database.preserve.staging import Live, Staged, stage
from dayfly.database.preserve.surroundings import Surroundings
from dayfly.database.preserve.untouched import untouched
from dayfly.database.problems import shown
from dayfly.database.programs import DatabaseError

_SHOWN = 120  # of a statement in a message
ACCEPT = "--accept-loss takes what was preserved, and leaves off the rules that rows break."


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What a restoration would meet; nothing was changed."""

    conflicts: tuple[Conflict, ...]
    plan: Plan
    untouched: bool = False  # all is as it was: nothing to bring back

    @property
    def drops(self) -> tuple[Loss, ...]:
        """Export these before."""
        return self.plan.drops


@dataclass(frozen=True, kw_only=True)
class Restored:
    tables: tuple[Put, ...]
    conflicts: tuple[Conflict, ...] = ()  # that were accepted
    left_off: tuple[str, ...] = ()  # rules that rows break, and what PostgreSQL said
    statements: tuple[str, ...] = ()
    newer: Manifest | None = None  # what was put aside
    unlike: tuple[str, ...] = ()  # what is not exactly as it was
    reordered: tuple[str, ...] = ()  # tables whose columns are in another order


@dataclass(frozen=True, kw_only=True)
class Aside:
    """Where to export what the newer release has written; `schema` is pg_dump's text of now."""

    folder: Path
    schema: str


@dataclass(frozen=True)
class _Case:
    """An export, and the database it is to come back to."""

    connection: Connection[Any]
    manifest: Manifest
    pairing: Pairing
    plan: Plan
    columns: Columns | None  # None: the schema stays as it is
    staged: tuple[Staged, ...]
    details: tuple[Detail, ...]

    def untouched(self) -> bool:
        return untouched(self.connection, self.pairing, self.plan, self.staged, self.details)

    def conflicts(self) -> tuple[Conflict, ...]:
        return conflicts(self.connection, self.pairing, self.staged, self.columns)


def outlook(url: str, folder: Path) -> Outlook:
    """Ask production, without changing it: the plan, and what was written since."""
    with session(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            case = _case(connection, folder, schema=True)
            if case.untouched():
                return Outlook(conflicts=(), plan=case.plan, untouched=True)
            return Outlook(conflicts=case.conflicts(), plan=case.plan)
        finally:
            if not connection.closed:
                connection.execute("ROLLBACK")


def restore(
    url: str,
    folder: Path,
    *,
    accept: bool = False,
    aside: Aside | None = None,
    lock_seconds: float = LOCK_SECONDS,
) -> Restored:
    """Schema and values; PreservedError with the conflicts where there are some, without `accept`.

    All of it or nothing: what cannot be as it was makes nothing be changed. Nobody writes to these
    tables meanwhile; what is dropped or overwritten with them is exported before, to `aside`.
    """
    with session(url, lock_seconds=lock_seconds) as connection, connection.transaction():
        case = _case(connection, folder, schema=True)
        _lock(case)
        if case.untouched():
            return Restored(tables=())
        found = _accepted(case, accept=accept)
        newer = _put_aside(case, aside, shown(url)) if aside else None
        _run(connection, case.plan.opening)
        put = put_back(
            connection, again.renewed(connection, case.pairing), case.staged, overwrite=accept
        )
        off = _close(connection, case.plan.closing, accept=accept)
        again.sequences(connection, case.pairing, case.manifest)
        more = settled(connection, case.details)
        rights = again.rights(connection, case.pairing)
        _run(connection, rights)
        now = _compared(case, off)
    return Restored(
        tables=put,
        conflicts=found,
        left_off=off,
        statements=(*case.plan.statements, *more, *rights),
        newer=newer,
        unlike=unlike(case.details, now),
        reordered=reordered(case.details, now),
    )


def _compared(case: _Case, off: tuple[str, ...]) -> tuple[Detail, ...]:
    """Those of now. PreservedError where the schema is not as it was, but for small ones."""
    now = details(case.connection) if case.details else ()
    firm = tuple(each for each in case.details if each.firm)
    wrong = differences(case.pairing.before, snapshot(case.connection))
    wrong += unlike(firm, tuple(each for each in now if each.firm))
    if wrong and not off:
        raise PreservedError(
            f"the schema would not be as it was: {wrong[0]}", hint="\n".join(wrong[1:])
        )
    return now


def _accepted(case: _Case, *, accept: bool) -> tuple[Conflict, ...]:
    found = case.conflicts()
    if found and not accept:
        raise PreservedError(told(found), hint=ACCEPT)
    return found


def _lock(case: _Case) -> None:
    """Until the end, so that nothing is written between what is looked at and what is done."""
    names = {(loss.schema, loss.table) for loss in (*case.plan.drops, *_standing(case))}
    names |= {
        (now.schema, now.name)
        for pair in (case.columns.pairs if case.columns else ())
        if (pair.old.type, pair.old.not_null) != (pair.new.type, pair.new.not_null)
        and (now := case.pairing.relation(pair.table.oid))
    }
    for name in sorted(names):
        lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(*name))
        with explained(f"the table {name[1]} cannot be locked"):
            case.connection.execute(lock)


def _standing(case: _Case) -> tuple[Loss, ...]:
    """What the newer release sees of what comes back, under the names of now."""
    losses = []
    for one in case.staged:
        live = Live.of(case.pairing, one.table)
        if live is None or one.table.book:
            continue
        there = tuple(live.columns[name].name for name in one.table.lost if name in live.columns)
        if there or one.table.whole:
            schema, table = live.relation.schema, live.relation.name
            columns = None if one.table.whole else there
            losses.append(Loss(schema=schema, table=table, columns=columns))
    return tuple(losses)


def _put_aside(case: _Case, aside: Aside, database: str) -> Manifest | None:
    losses = merged((*case.plan.drops, *_standing(case)))
    if not losses:
        return None
    what = What(database=database, about=case.manifest.about, schema=aside.schema)
    made = exported(case.connection, losses, aside.folder, what=what)
    gone = tuple(Made(oid=table.oid, standing=()) for table in made.data)
    keep(aside.folder / AFTER, After(format=FORMAT, tables=gone))  # nothing of it stays
    return made


def put_values(
    url: str,
    folder: Path,
    *,
    table: str = "",
    accept: bool = False,
    lock_seconds: float = LOCK_SECONDS,
) -> Restored:
    """Only the values, of all tables or one, into the schema as it is."""
    with session(url, lock_seconds=lock_seconds) as connection, connection.transaction():
        case = _case(connection, folder, schema=False, table=table)
        found = _accepted(case, accept=accept)
        put = put_back(connection, case.pairing, case.staged, overwrite=accept)
    return Restored(tables=put, conflicts=found)


def told(found: Iterable[Conflict]) -> str:
    """Conflicts in one message."""
    first, *others = [conflict.told for conflict in found]
    more = "".join(f"\n- {other}" for other in others)
    return f"what was written since is in conflict with what was preserved: {first}{more}"


def _case(connection: Connection[Any], folder: Path, *, schema: bool, table: str = "") -> _Case:
    manifest = verify(folder)
    before = record.read((folder / CATALOGUE).read_bytes())
    pairing = Pairing(before, snapshot(connection))
    columns, plan = None, Plan()
    if schema:
        entries = entries_of((folder / SCHEMA).read_text())
        columns = Columns(pairing, entries, Surroundings(pairing, entries).types_anew)
        plan = planned(pairing, entries)
    after = after_of(folder)
    wanted = manifest.tables if schema else _chosen(manifest, table)
    staged = [
        stage(connection, folder, one, place, after.of(one) if after else None)
        for place, one in enumerate(wanted, 1)
    ]
    kept = read((folder / DETAILS).read_bytes()) if schema and manifest.details else ()
    return _Case(connection, manifest, pairing, plan, columns, tuple(staged), kept)


def _chosen(manifest: Manifest, table: str) -> list[Table]:
    found = [one for one in manifest.data if table in ("", one.shown, one.table)]
    if not found:
        there = ", ".join(one.shown for one in manifest.data) or "none"
        raise PreservedError(f"nothing of a table {table!r} was preserved", hint=f"Of: {there}")
    return found


def _run(connection: Connection[Any], statements: Iterable[str]) -> None:
    for statement in statements:
        with explained(f"the schema cannot be brought back by `{short(statement)}`"):
            connection.execute(statement.encode())


def _close(
    connection: Connection[Any], statements: Iterable[str], *, accept: bool
) -> tuple[str, ...]:
    """The rules; one that rows break is left off only where that is accepted."""
    off = []
    for statement in statements:
        try:
            with connection.transaction():
                _run(connection, [statement])
        except DatabaseError as error:
            cause = error.__cause__
            if not isinstance(cause, errors.IntegrityError):
                raise
            if not accept:
                why = f"rows written since break a rule of before: {first_line(cause)}"
                raise PreservedError(why, hint=ACCEPT) from error
            off.append(f"{short(statement)}: {first_line(cause)}")
    return tuple(off)


def short(statement: str) -> str:
    words = " ".join(statement.split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]} …"
