"""Run a migration against a scratch copy, and learn from the server's log what it executed."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit

from psycopg import errors, sql

from dayfly.clock import wait_until
from dayfly.database.books import BESIDE, LISTS, NAMING, attributed
from dayfly.database.captured import Transaction
from dayfly.database.connection import connect
from dayfly.database.copy import Copies
from dayfly.database.declared import declared
from dayfly.database.encoding import Lacking, codec_of, lacking
from dayfly.database.guard import StrayError
from dayfly.database.logged import Entry, from_csv, from_json
from dayfly.database.problems import missing_right
from dayfly.database.programs import DatabaseError
from dayfly.database.server import connected
from dayfly.database.serverlog import Log, Position
from dayfly.database.sqlnames import SqlFile, SqlFileError
from dayfly.database.statements import QUIET, Known, control
from dayfly.database.transactions import ERRORS, executed, transactions
from dayfly.errors import DayflyError

WRITTEN_SECONDS = 30.0
_ENGLISH = ("", "C", "POSIX", "C.UTF-8", "C.utf8", "en_US.UTF-8", "en_US.utf8", "en_GB.UTF-8")
_NEEDED = "A migrate command is known from the log alone; SQL files need none."
SHOWN = 200  # characters of a statement in a message
_RELATIONS = """
    SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
"""
_FUNCTIONS = """
    SELECT proname::text FROM pg_proc GROUP BY proname
    HAVING bool_and(pronamespace = 'pg_catalog'::regnamespace AND provolatile <> 'v')
"""

FAILED = "the migrate command failed on the scratch copy"
_NO_RIGHT = "42501"
_OTHER_ROLE = "It had the rights of {user}, the role in the URL: ask as the role that migrates"
_OF_VALUES = ("22", "23")  # classes of SQLSTATE: data exception, constraint violation
Run = Callable[[str], int]  # a command with this database's URL: its exit status


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What a command committed, and every statement that it sent; none where it is unknown."""

    done: tuple[Transaction, ...]
    asked: tuple[str, ...] = ()


class CaptureError(DayflyError):
    """A migration did not run through on the copy: which, and which statement of it, if known.

    `refused_rows`: because of values, and those of the copy are made up.
    """

    refused_rows = False
    migration, statement = "", ""
    encoding = ""  # of the copy
    refused: Lacking | None = None  # by that


def capture(
    copies: Copies, run: Run, *, on: str | None = None, files: Sequence[SqlFile] = ()
) -> tuple[Transaction, ...]:
    """What `run` commits to a copy; to the one at `on`, where the caller wants to keep it.

    `files` are what it runs, where that is known: then a server whose log can't be had will do.
    """
    return captured(copies, run, on=on or copies.fresh(), files=files).done


def captured(copies: Copies, run: Run, *, on: str, files: Sequence[SqlFile] = ()) -> Captured:
    """The same, with all that the copy was asked."""
    url, relations = on, _relations(on)  # before the log is kept: this is none of the command's
    try:
        log = copies.log()
        _log_all(copies, urlsplit(url).path.removeprefix("/"))
    except DatabaseError as error:
        if files:
            return Captured(done=_from_files(copies, run, url, files))
        raise DatabaseError(error.message, hint=f"{error.hint}\n{_NEEDED}") from error
    before = log.end()
    try:
        status = run(copies.as_production(url))
    except StrayError:
        raise
    except DayflyError as error:
        entries = _entries(log, url, before)
        said = error.hint if isinstance(error, SqlFileError) else _last(entries)
        raise _failed(copies, error, said or error.hint, entries) from error
    entries = _entries(log, url, before)
    known = Known(relations=relations | _relations(url), harmless=_harmless(url))
    found = attributed(transactions(entries, known))
    if status != 0:
        raise _failed(
            copies,
            DayflyError(f"{FAILED} with exit status {status}{_why(entries)}"),
            _state(found),
            entries,
        )
    return Captured(done=found, asked=tuple(filter(None, map(executed, entries))))


def _failed(copies: Copies, error: DayflyError, hint: str, entries: list[Entry]) -> CaptureError:
    states = {entry.state for entry in entries}
    queries = [entry.query for entry in entries if entry.severity in ERRORS]
    if refused := [entry.message for entry in entries if entry.state == _NO_RIGHT]:
        hint = _with_role(copies, refused[-1], hint)
    found = _error(copies, error, hint)
    found.statement = found.statement or " ".join(queries[-1:])
    if found.refused and not found.statement:  # the server does not log what it can't read
        found.hint = f"{_last(entries)}\n{found.hint}"
    found.refused_rows = any(state[:2] in _OF_VALUES for state in states)
    return found


def _with_role(copies: Copies, refused: str, hint: str) -> str:
    """First whose rights it had, since a role that only reads can ask of some migrations."""
    user, owner = copies.production.user, copies.production.owner
    whose = "" if user == owner else f"; the database belongs to {owner}"
    right = missing_right(refused, user)
    lines = (_OTHER_ROLE.format(user=user) + f"{whose}.", right if right not in hint else "", hint)
    return "\n".join(filter(None, lines))


def _error(copies: Copies, error: DayflyError, hint: str) -> CaptureError:
    found = CaptureError(error.message, hint=hint)
    found.encoding = copies.production.encoding
    found.refused = lacking(f"{error.message}\n{error.__cause__}")
    if isinstance(error, SqlFileError):
        found.migration, found.statement = error.migration, error.statement
    return found


def _from_files(
    copies: Copies, run: Run, url: str, files: Sequence[SqlFile]
) -> tuple[Transaction, ...]:
    try:
        run(copies.as_production(url))
    except DayflyError as error:
        failed = _error(copies, error, error.hint)
        state = getattr(error.__cause__, "sqlstate", None) or ""
        failed.refused_rows = state[:2] in _OF_VALUES
        raise failed from error
    return declared(files)


def _log_all(copies: Copies, name: str) -> None:
    wanted = {"log_statement": "all"}
    with connected(copies.server, copies.server.maintenance) as connection:
        row = connection.execute("SELECT current_setting('lc_messages')").fetchone()
        if row and row[0] not in _ENGLISH:
            wanted["lc_messages"] = "C"
        try:
            for setting, value in wanted.items():
                words = sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
                connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(*words))
        except errors.InsufficientPrivilege as error:
            user = connection.info.user
            raise DatabaseError(
                f"the scratch server does not log what is executed: {str(error).splitlines()[0]}",
                hint=f'GRANT SET ON PARAMETER {", ".join(wanted)} TO "{user}"; '
                "(before PostgreSQL 15 only a superuser may set it)",
            ) from error


def _entries(log: Log, url: str, since: Position) -> list[Entry]:
    """All of it: the log is written by another process, so a mark of ours has to be there."""
    mark = f"dayfly {secrets.token_hex(8)}"
    with connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("SELECT {}").format(mark))
        codec = codec_of(connection)
    wait_until(
        lambda: log.has(mark.encode(), since),
        seconds=WRITTEN_SECONDS,
        what="the scratch server writes its log",
    )
    text = log.since(since).decode(codec, errors="replace")
    read = from_csv if log.form == "csv" else from_json
    name = urlsplit(url).path.removeprefix("/")
    own = [entry for entry in read(text) if entry.database == name]
    marked = {entry.session for entry in own if mark in entry.message}
    return [entry for entry in own if entry.session not in marked]


def _relations(url: str) -> frozenset[str]:
    return _names(url, _RELATIONS) - {*NAMING, *BESIDE, *LISTS}


def _harmless(url: str) -> frozenset[str]:
    return _names(url, _FUNCTIONS) | QUIET


def _names(url: str, question: LiteralString) -> frozenset[str]:
    with connect(url, autocommit=True) as connection:
        return frozenset(row[0] for row in connection.execute(question))


def _last(entries: list[Entry]) -> str:
    """What the server was doing when the command was ended."""
    texts = [text for text in map(executed, entries) if text and not control(text)]
    return f"The last statement was: {_shown(texts[-1])}" if texts else "It executed no statement."


def _why(entries: list[Entry]) -> str:
    failed = [entry for entry in entries if entry.severity in ERRORS]
    if not failed:
        return ""
    return f": {failed[-1].message} ({_shown(failed[-1].query)})"


def _state(done: tuple[Transaction, ...]) -> str:
    if not done:
        return "Nothing had been committed before; see the command's own output."
    names = list(dict.fromkeys(s.migration for t in done for s in t.statements if s.migration))
    told = f" ({', '.join(names)})" if names else ""
    many = "1 transaction" if len(done) == 1 else f"{len(done)} transactions"
    return (
        f"It stops half-way: {many} had been committed before{told}, and would stay in production."
    )


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
