"""Two releases tried on one migrated copy: does the way back work with rows of the new one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from textwrap import shorten

import psycopg

from dayfly.database.books import BOOKS
from dayfly.database.capture import capture
from dayfly.database.captured import Transaction
from dayfly.database.connection import connect
from dayfly.database.copy import Copies
from dayfly.database.differences import differences, schema_of
from dayfly.database.guard import guarded_start
from dayfly.database.impact.finding import STAGED, Finding
from dayfly.database.programs import DatabaseError
from dayfly.database.starting import telling

_SHOWN = 200  # characters of a statement in a message
Try = Callable[[str], str]  # a release on the database at this URL: why it fails there, or nothing

_TABLES = """
    SELECT c.oid::regclass::text, array(
        SELECT quote_ident(a.attname) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY a.attnum
    ), array(
        SELECT quote_ident(a.attname) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
    ) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND c.relname <> ALL (%s)
"""


@dataclass(frozen=True, kw_only=True)
class Releases:
    """How each of them is tried: a machine that has to be healthy, and its smoke command."""

    incoming: Try
    outgoing: Try | None = None  # where a way back matters
    called: str = "incoming"  # the first of them

    @property
    def control(self) -> Try:
        """The one that works on the old schema, unless a copy does not do for it."""
        return self.outgoing or self.incoming

    def guarded(self, production: str) -> "Releases":
        """The same; one that enters production instead of the copy fails."""
        incoming = guarded_start(production, self.incoming)
        outgoing = self.outgoing and guarded_start(production, self.outgoing)
        return replace(self, incoming=incoming, outgoing=outgoing)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of it. An error counts only where the control passes on the old schema."""

    incoming: str = ""  # why the incoming release fails on the migrated copy
    outgoing: str = ""  # why the outgoing one does
    unassessable: str = ""  # why neither tells anything
    covered: tuple[str, ...] = ()  # tables whose new rows the outgoing release left alone
    damaged: tuple[str, ...] = ()  # tables whose new rows it did not
    changed: tuple[str, ...] = ()  # what of the schema the incoming release changes by itself
    statement: str = ""  # that does so
    called: str = "incoming"

    @property
    def proven(self) -> bool:
        return bool(self.covered) and not self.findings

    @property
    def why(self) -> str:
        """What it is not proven for."""
        if self.unassessable:
            return f"the outgoing release does not work on a copy without data: {self.unassessable}"
        return "" if self.covered or self.findings else "the smoke command wrote no row"

    @property
    def findings(self) -> tuple[Finding, ...]:
        found = []
        if self.incoming:
            found.append(_failed("fails", f"the {self.called} release fails", self.incoming))
        if self.outgoing:
            found.append(_failed("breaks", "the outgoing release fails", self.outgoing))
        if self.changed:
            found.append(_changes(self.called, self.changed, self.statement))
        found += [
            Finding(
                verdict=STAGED,
                kind="loses",
                message="the outgoing release damages rows that the incoming one has written",
                table=table,
            )
            for table in self.damaged
        ]
        return tuple(found)


def _failed(kind: str, what: str, why: str) -> Finding:
    first, _, rest = why.partition("\n")
    message = f"{what} on the migrated copy: {first}"
    return Finding(verdict=STAGED, kind=kind, message=message, evidence=rest)


def _changes(called: str, changed: tuple[str, ...], statement: str) -> Finding:
    does = f"it {changed[0]}"
    if statement:
        does += f" ({shorten(statement, _SHOWN, placeholder=' …')})"
    return Finding(
        verdict=STAGED,
        kind="unknown",
        message=f"the {called} release changes the schema when it starts: {does}",
        statement=statement,
        evidence="; ".join(changed[1:]),
        remedy="-- Leave it to the migrations, and switch it off in the app.",
    )


@dataclass(frozen=True)
class _Row:
    whole: str
    new: str  # of the columns that the migration added


_Rows = Mapping[str, Mapping[str, _Row]]  # by table, then by key


def tried(
    copies: Copies, migrated: str, releases: Releases, *, role: str, goes_back: bool
) -> Tried:
    """The incoming release on the migrated copy, then the outgoing one on what it left there.

    Both enter as `role`. Without `goes_back` only the incoming one: the way back is closed anyway.
    """
    url = copies.entered_by(role, migrated)
    old = _columns(copies.server.url(copies.template))
    before, schema = _rows(migrated, old), schema_of(migrated)
    why, done = _watched(copies, migrated, lambda: releases.incoming(url))
    if why:
        control = _control(copies, releases, role)
        return (
            Tried(unassessable=control) if control else Tried(incoming=why, called=releases.called)
        )
    changed = differences(schema, schema_of(migrated))
    if changed or not goes_back or releases.outgoing is None:
        statement = telling(done, changed) if changed else ""
        return Tried(changed=changed, statement=statement, called=releases.called)
    written = _rows(migrated, old)
    if why := releases.outgoing(url):
        control = _control(copies, releases, role)
        return Tried(unassessable=control) if control else Tried(outgoing=why)
    return compared(before, written, _rows(migrated, old))


def _watched(
    copies: Copies, migrated: str, attempt: Callable[[], str]
) -> tuple[str, tuple[Transaction, ...]]:
    """Why it fails, or nothing; with what it committed, as far as the server's log can be had."""
    said: list[str] = []

    def run(_url: str) -> int:
        said.append(attempt())
        return 0

    try:
        done = capture(copies, run, on=migrated)
    except DatabaseError:
        done = ()
    return (said[0] if said else attempt()), done


def compared(before: _Rows, written: _Rows, left: _Rows) -> Tried:
    """Whether what the incoming release wrote is still there after the outgoing one has worked."""
    covered, damaged = set[str](), set[str]()
    for table, rows in written.items():
        new = {key: row for key, row in rows.items() if before.get(table, {}).get(key) != row}
        kept = left.get(table, {})
        if new:
            whole = all(key in kept and kept[key].new == row.new for key, row in new.items())
            (covered if whole else damaged).add(table)
    return Tried(covered=tuple(sorted(covered)), damaged=tuple(sorted(damaged)))


def _control(copies: Copies, releases: Releases, role: str) -> str:
    """Why it fails on the old schema too: the copy lacks rows that it needs."""
    return releases.control(copies.entered_by(role, copies.fresh()))


def _columns(url: str) -> dict[str, list[str]]:
    with connect(url, autocommit=True) as connection:
        return {row[0]: row[2] for row in connection.execute(_TABLES, ([*BOOKS],))}


def _rows(url: str, old: Mapping[str, list[str]]) -> _Rows:
    with connect(url, autocommit=True) as connection:
        tables = connection.execute(_TABLES, ([*BOOKS],)).fetchall()
        return {
            table: _of(connection, table, key, [c for c in columns if c not in old.get(table, [])])
            for table, key, columns in tables
        }


def _of(
    connection: psycopg.Connection, table: str, key: list[str], new: list[str]
) -> dict[str, _Row]:
    """Names come quoted from the server."""
    name = _row(key) if key else "md5(t::text)"
    question = f"SELECT {name}, md5(t::text), md5({_row(new)}) FROM ONLY {table} t"  # noqa: S608
    return {row[0]: _Row(row[1], row[2]) for row in connection.execute(question.encode())}


def _row(columns: list[str]) -> str:
    return f"row({', '.join(f't.{column}' for column in columns)})::text"
