"""What a migration does to a live database, asked of its URL alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dayfly.clock import Stop
from dayfly.database.books import keeps_books
from dayfly.database.bridge import Bridge
from dayfly.database.bridging import keep
from dayfly.database.capture import CaptureError, Run, capture
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies, copy_of
from dayfly.database.impact.assess import OPEN, PROVEN, Impact, assess
from dayfly.database.impact.questions import asker
from dayfly.database.problems import user_of
from dayfly.database.production import Production, reading
from dayfly.database.remade import Drifted, by_command, by_files
from dayfly.database.sqlfiles import apply_files, history_of, pending_files
from dayfly.database.wayback import Releases, Tried, tried

ASK_SECONDS = 5.0  # that one question may take production
_SEEN = """
    SELECT query FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY calls DESC LIMIT 10000
"""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Of which database, with what in mind."""

    url: str  # as the role that migrates
    folder: Path  # keeps restored schemas for the next question; PostgreSQL's user enters it
    budget: float  # seconds that a change may block others and still be online
    statements: Sequence[str] = ()  # that the app sends, besides those the server has counted
    builds: bool = False  # whoever asks will build the bridges, so they are tried on a copy
    postgresql: str | None = None  # folder of PostgreSQL's programs; None: found
    app_url: str = ""  # as the role of the app's machines, where that is another one
    releases: Releases | None = None  # to try on the migrated copy
    drift: bool = False  # compare production with what its migrations make, if that takes long too


@dataclass(frozen=True, kw_only=True)
class Answer:
    """With what was looked at, so that nobody takes silence for safety."""

    impact: Impact
    seconds: float
    pending: tuple[str, ...] | None = ()  # names of migrations; None where nobody tells
    unfilled: tuple[str, ...] = ()  # tables in which no row could be made up
    tried: Tried | None = None  # both releases on the migrated copy

    @property
    def rollback(self) -> dict[str, object]:
        """Whether the outgoing release can serve again, and what that is known from."""
        state, tried = self.impact.rollback, self.tried if self.impact.rollback == OPEN else None
        return {
            "state": PROVEN if tried and tried.proven else state,
            "loses": list(self.impact.loses),
            "covered": list(tried.covered) if tried else [],
            "why": tried.why if tried else "",
        }

    def as_json(self) -> dict[str, object]:
        checked = self.impact.checked
        return {
            **self.impact.as_json(),
            "rollback": self.rollback,
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
    if not new and not question.drift:
        return Answer(impact=Impact(), seconds=time.monotonic() - began)

    def run(url: str) -> int:
        apply_files(url, directory)
        return 0

    return _answer(question, run, began, new, by_files(history_of(question.url, directory)))


def of_command(question: Question, run: Run, names: tuple[str, ...] = ()) -> Answer:
    """Of a migrate command, which is given the URL of a copy; `names` of what it should run."""
    return _answer(
        question, run, time.monotonic(), names, by_command(run) if question.drift else None
    )


def _answer(
    question: Question, run: Run, began: float, names: tuple[str, ...], drifted: Drifted | None
) -> Answer:
    app_url = question.app_url or question.url
    with (
        copy_of(question.url, folder=question.folder, postgresql=question.postgresql) as copies,
        asker(question.url, seconds=ASK_SECONDS) as ask,
    ):
        role = user_of(app_url) or copies.production.user
        done, migrated = _captured(copies, run)
        if not _does_something(done):
            more = drifted(copies, migrated, Impact()) if drifted and question.drift else ()
            return Answer(
                impact=Impact(findings=tuple(more)),
                seconds=time.monotonic() - began,
                unfilled=copies.unfilled,
            )
        impact = assess(
            copies.fresh(),
            done,
            rows=_rows(copies.production),
            budget=question.budget,
            statements=[*question.statements, *seen(app_url)],
            ask=ask,
            role=role,
            builder=copies.production.user,
            again=copies.fresh if question.builds else None,
        )
        impact = impact if question.builds else impact.unbridged()
        if drifted:
            impact = impact.with_findings(drifted(copies, migrated, impact))
        found = None
        if question.releases:
            _bridge(copies.as_production(migrated), impact.bridges)
            back = impact.rollback == OPEN
            found = tried(copies, migrated, question.releases, role=role, goes_back=back)
        return Answer(
            impact=impact.with_findings(found.findings if found else ()),
            seconds=time.monotonic() - began,
            pending=names or _named(done),
            unfilled=copies.unfilled,
            tried=found,
        )


def _bridge(url: str, bridges: Sequence[Bridge]) -> None:
    """As they will stand in production while both releases are there."""
    keep(url, bridges, budget=ASK_SECONDS, stop=Stop(), tell=lambda _line: None)


def _captured(copies: Copies, run: Run) -> tuple[tuple[Transaction, ...], str]:
    """What it committed, and the URL of the copy that it migrated.

    Rows that we made up must not stop a migration: production's own are asked for later.
    """
    url = copies.fresh()
    try:
        return capture(copies, run, on=url), url
    except CaptureError as error:
        if not error.refused_rows:
            raise
        url = copies.without_rows()
        return capture(copies, run, on=url), url


def seen(url: str) -> list[str]:
    """What the server has counted, most often first; nothing where it does not count."""
    try:
        with reading(url) as connection:
            return [row[0] for row in connection.execute(_SEEN)]
    except (psycopg.errors.UndefinedTable, psycopg.errors.ObjectNotInPrerequisiteState):
        return []


def _rows(production: Production) -> dict[str, int]:
    return {f"{schema}.{name}": size.rows for (schema, name), size in production.sizes.items()}


def _does_something(done: Sequence[Transaction]) -> bool:
    """Many a tool looks after its own tables each time."""
    return any(not keeps_books(one.text) for each in done for one in each.statements)


def _named(done: Sequence[Transaction]) -> tuple[str, ...] | None:
    """Nothing where nothing was done; None where it was, and no migration is named."""
    names = (statement.migration for each in done for statement in each.statements)
    return tuple(dict.fromkeys(name for name in names if name)) or (None if done else ())
