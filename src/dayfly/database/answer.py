"""What a migration does to a live database, asked of its URL alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dayfly.database.capture import CaptureError, Run, capture
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies, copy_of
from dayfly.database.impact.assess import Impact, assess
from dayfly.database.impact.questions import asker
from dayfly.database.production import Production, reading
from dayfly.database.sqlfiles import apply_files, pending_files

ASK_SECONDS = 5.0  # that one question may take production
_SEEN = """
    SELECT query FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY calls DESC LIMIT 10000
"""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Of which database, with what in mind."""

    url: str
    folder: Path  # keeps restored schemas for the next question; PostgreSQL's user enters it
    budget: float  # seconds that a change may block others and still be online
    statements: Sequence[str] = ()  # that the app sends, besides those the server has counted
    builds: bool = False  # whoever asks will build the bridges, so they are tried on a copy
    postgresql: str | None = None  # folder of PostgreSQL's programs; None: found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """With what was looked at, so that nobody takes silence for safety."""

    impact: Impact
    seconds: float
    pending: tuple[str, ...] | None = ()  # names of migrations; None where nobody tells
    unfilled: tuple[str, ...] = ()  # tables in which no row could be made up

    def as_json(self) -> dict[str, object]:
        checked = self.impact.checked
        return {
            **self.impact.as_json(),
            "pending": None if self.pending is None else list(self.pending),
            "statements": {
                "checked": checked.worked,
                "broken": len(checked.broken),
                "unassessable": checked.unassessable,
            },
            "unfilled": list(self.unfilled),
            "seconds": round(self.seconds, 2),
        }


def of_files(question: Question, directory: Path) -> Answer:
    """Of those files of a directory that the database has not had yet."""
    began = time.monotonic()
    new = tuple(file.name for file in pending_files(question.url, directory))
    if not new:
        return Answer(impact=Impact(), seconds=time.monotonic() - began)

    def run(url: str) -> int:
        apply_files(url, directory)
        return 0

    return _answer(question, run, began, new)


def of_command(question: Question, run: Run, names: tuple[str, ...] = ()) -> Answer:
    """Of a migrate command, which is given the URL of a copy; `names` of what it should run."""
    return _answer(question, run, time.monotonic(), names)


def _answer(question: Question, run: Run, began: float, names: tuple[str, ...]) -> Answer:
    with (
        copy_of(question.url, folder=question.folder, postgresql=question.postgresql) as copies,
        asker(question.url, seconds=ASK_SECONDS) as ask,
    ):
        done = _captured(copies, run)
        impact = assess(
            copies.fresh(),
            done,
            rows=_rows(copies.production),
            budget=question.budget,
            statements=[*question.statements, *seen(question.url)],
            ask=ask,
            role=copies.production.user,
            again=copies.fresh if question.builds else None,
        )
        return Answer(
            impact=impact if question.builds else impact.unbridged(),
            seconds=time.monotonic() - began,
            pending=names or _named(done),
            unfilled=copies.unfilled,
        )


def _captured(copies: Copies, run: Run) -> tuple[Transaction, ...]:
    """Rows that we made up must not stop a migration: production's own are asked for later."""
    try:
        return capture(copies, run)
    except CaptureError as error:
        if not error.refused_rows:
            raise
        return capture(copies, run, on=copies.without_rows())


def seen(url: str) -> list[str]:
    """What the server has counted, most often first; nothing where it does not count."""
    try:
        with reading(url) as connection:
            return [row[0] for row in connection.execute(_SEEN)]
    except (psycopg.errors.UndefinedTable, psycopg.errors.ObjectNotInPrerequisiteState):
        return []


def _rows(production: Production) -> dict[str, int]:
    return {f"{schema}.{name}": size.rows for (schema, name), size in production.sizes.items()}


def _named(done: Sequence[Transaction]) -> tuple[str, ...] | None:
    """Nothing where nothing was done; None where it was, and no migration is named."""
    names = (statement.migration for each in done for statement in each.statements)
    return tuple(dict.fromkeys(name for name in names if name)) or (None if done else ())
