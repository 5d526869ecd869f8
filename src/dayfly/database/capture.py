"""Run a migration against a scratch copy, and learn from the server's log what it executed."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from dayfly.clock import wait_until
from dayfly.database.books import BESIDE, LISTS, NAMING, attributed
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies
from dayfly.database.logged import Entry, from_csv, from_json
from dayfly.database.statements import QUIET, Known
from dayfly.database.transactions import ERRORS, executed, transactions
from dayfly.errors import DayflyError

WRITTEN_SECONDS = 30.0
_TAIL_BYTES = 65_536
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

_OF_VALUES = ("22", "23")  # classes of SQLSTATE: data exception, constraint violation
Run = Callable[[str], int]  # a command with this database's URL: its exit status


class CaptureError(DayflyError):
    """The migrate command did not run through on the copy.

    `refused_rows`: because of values, and those of the copy are made up.
    """

    refused_rows = False


def capture(copies: Copies, run: Run, *, on: str | None = None) -> tuple[Transaction, ...]:
    """What `run` commits to a copy; to the one at `on`, where the caller wants to keep it."""
    url = on or copies.fresh()
    name = urlsplit(url).path.removeprefix("/")
    _log_all(copies, name)
    before = copies.log.stat().st_size if copies.log.exists() else 0
    relations = _relations(url)
    try:
        status = run(copies.as_production(url))
    except DayflyError as error:
        entries = _entries(copies, url, before)
        raise _failed(error.message, _last(entries) or error.hint, entries) from error
    entries = _entries(copies, url, before)
    known = Known(relations=relations | _relations(url), harmless=_harmless(url))
    found = attributed(transactions(entries, known))
    if status != 0:
        raise _failed(
            f"the migrate command failed on the scratch copy with exit status {status}"
            f"{_why(entries)}",
            _state(found),
            entries,
        )
    return found


def _failed(message: str, hint: str, entries: list[Entry]) -> CaptureError:
    error = CaptureError(message, hint=hint)
    error.refused_rows = any(entry.state[:2] in _OF_VALUES for entry in entries)
    return error


def _log_all(copies: Copies, name: str) -> None:
    with psycopg.connect(copies.server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(sql.Identifier(name))
        )


def _entries(copies: Copies, url: str, since: int) -> list[Entry]:
    """All of it: the log is written by another process, so a mark of ours has to be there."""
    mark = f"dayfly {secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("SELECT {}").format(mark))

    def there() -> bool:
        written = copies.log.stat().st_size
        return mark.encode() in _since(copies.log, max(since, written - _TAIL_BYTES))

    wait_until(there, seconds=WRITTEN_SECONDS, what="the scratch server writes its log")
    text = _since(copies.log, since).decode(errors="replace")
    read = from_csv if copies.log.suffix == ".csv" else from_json
    name = urlsplit(url).path.removeprefix("/")
    own = [entry for entry in read(text) if entry.database == name]
    marked = {entry.session for entry in own if mark in entry.message}
    return [entry for entry in own if entry.session not in marked]


def _since(log: Path, offset: int) -> bytes:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read()


def _relations(url: str) -> frozenset[str]:
    return _names(url, _RELATIONS) - {*NAMING, *BESIDE, *LISTS}


def _harmless(url: str) -> frozenset[str]:
    return _names(url, _FUNCTIONS) | QUIET


def _names(url: str, question: LiteralString) -> frozenset[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        return frozenset(row[0] for row in connection.execute(question))


def _last(entries: list[Entry]) -> str:
    """What the server was doing when the command was ended."""
    texts = [text for text in map(executed, entries) if text]
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
