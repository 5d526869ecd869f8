"""What a migration does to a live database, asked of its URL alone."""

import time
from collections.abc import Callable, Collection, Sequence
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
from dayfly.database.impact.assess import CLOSED, OPEN, PROVEN, Impact, assess
from dayfly.database.impact.questions import asker
from dayfly.database.preserve.proof import Restoration, returned
from dayfly.database.problems import user_of
from dayfly.database.production import Production, reading, recorded
from dayfly.database.routine import without_routine
from dayfly.database.sqlfiles import apply_files, pending_files
from dayfly.database.sqlplan import alone
from dayfly.database.wayback import Releases, Tried, tried

Check = Callable[[Collection[str]], None]  # given what is written down as done; may refuse

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
    returns: bool = False  # try to bring schema and rows back, where the way back is closed


@dataclass(frozen=True, kw_only=True)
class Answer:
    """With what was looked at, so that nobody takes silence for safety."""

    impact: Impact
    seconds: float
    pending: tuple[str, ...] | None = ()  # names of migrations; None where nobody tells
    unfilled: tuple[str, ...] = ()  # tables in which no row could be made up
    tried: Tried | None = None  # both releases on the migrated copy
    migrating: float = 0.0  # seconds that it took on a copy, which has hardly any rows
    whole: bool = True  # all of it can be ended at any moment without a trace
    restoration: Restoration | None = None  # where the way back is closed, and it was tried

    @property
    def rollback(self) -> dict[str, object]:
        """Whether the outgoing release can serve again, and what that is known from."""
        told: dict[str, object] = {"state": self.impact.rollback, "loses": list(self.impact.loses)}
        if self.tried and self.impact.rollback == OPEN:
            state = PROVEN if self.tried.proven else OPEN
            told |= {"state": state, "covered": list(self.tried.covered), "why": self.tried.why}
        return told

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
            "restoration": self.restoration.as_json() if self.restoration else None,
            "unfilled": list(self.unfilled),
            "migrating": {"seconds": round(self.migrating, 2), "whole": self.whole},
            "seconds": round(self.seconds, 2),
        }


def of_files(question: Question, directory: Path, *, leave: Collection[str] = ()) -> Answer:
    """Of those files of a directory that the database has not had yet, but for those to leave."""
    began = time.monotonic()
    files = pending_files(question.url, directory)
    new = tuple(file.name for file in files if file.name not in leave)
    if not new:
        return Answer(impact=Impact(), seconds=time.monotonic() - began)

    def run(url: str) -> int:
        apply_files(url, directory, leave=leave)
        return 0

    return _answer(question, run, began, new)


def of_command(
    question: Question, run: Run, names: tuple[str, ...] = (), *, check: Check | None = None
) -> Answer:
    """Of a migrate command, which is given the URL of a copy; `names` of what it should run."""
    return _answer(question, run, time.monotonic(), names, check)


def _answer(
    question: Question,
    run: Run,
    began: float,
    names: tuple[str, ...],
    check: Check | None = None,
) -> Answer:
    app_url = question.app_url or question.url
    with (
        copy_of(question.url, folder=question.folder, postgresql=question.postgresql) as copies,
        asker(question.url, seconds=ASK_SECONDS) as ask,
    ):
        role = user_of(app_url) or copies.production.user
        caught = _captured(copies, run)
        if check:
            check(recorded(caught.url))
        if not _does_something(caught.done):
            return Answer(
                impact=Impact(), seconds=time.monotonic() - began, unfilled=copies.unfilled
            )
        impact = assess(
            copies.fresh(),
            caught.done,
            rows=_rows(copies.production),
            budget=question.budget,
            statements=[*question.statements, *seen(app_url)],
            ask=ask,
            role=role,
            builder=copies.production.user,
            again=copies.fresh if question.builds else None,
        )
        impact = impact if question.builds else impact.unbridged()
        twin = copies.twin(caught.url) if question.returns else ""
        found = _tried(question, copies, caught.url, impact, role)
        impact = impact.with_findings(found.findings if found else ())
        return Answer(
            impact=impact,
            seconds=time.monotonic() - began,
            pending=names or _named(caught.done),
            unfilled=copies.unfilled,
            tried=found,
            migrating=caught.seconds,
            whole=_whole(caught.done),
            restoration=_returned(copies, caught.before, twin, impact) if twin else None,
        )


def _tried(
    question: Question, copies: Copies, migrated: str, impact: Impact, role: str
) -> Tried | None:
    if question.releases is None:
        return None
    _bridge(copies.as_production(migrated), impact.bridges)
    back = impact.rollback == OPEN
    return tried(copies, migrated, question.releases, role=role, goes_back=back)


def _returned(
    copies: Copies, before: Callable[[], str], migrated: str, impact: Impact
) -> Restoration | None:
    """With the rights that production's URL gives; None where the way back stays open."""
    if impact.rollback != CLOSED:
        return None
    return returned(
        copies.as_production(before()),
        copies.as_production(migrated),
        impact.preserve,
        schema=copies.schema,
    )


def _bridge(url: str, bridges: Sequence[Bridge]) -> None:
    """As they will stand in production while both releases are there."""
    keep(url, bridges, budget=ASK_SECONDS, stop=Stop(), tell=lambda _line: None)


@dataclass(frozen=True, kw_only=True)
class _Caught:
    done: tuple[Transaction, ...]
    url: str  # of the copy that was migrated
    before: Callable[[], str]  # makes one as it was before
    seconds: float


def _captured(copies: Copies, run: Run) -> _Caught:
    """What it committed.

    Rows that we made up must not stop a migration: production's own are asked for later.
    """
    began, before = time.monotonic(), copies.fresh
    url = before()
    try:
        done = capture(copies, run, on=url)
    except CaptureError as error:
        if not error.refused_rows:
            raise
        before = copies.without_rows
        url = before()
        done = capture(copies, run, on=url)
    seconds = time.monotonic() - began
    own = without_routine(done, lambda: capture(copies, run, on=url))
    return _Caught(done=own, url=url, before=before, seconds=seconds)


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


def _whole(done: Sequence[Transaction]) -> bool:
    return all(each.block or not alone(one.text) for each in done for one in each.statements)


def _named(done: Sequence[Transaction]) -> tuple[str, ...] | None:
    """Nothing where nothing was done; None where it was, and no migration is named."""
    names = (statement.migration for each in done for statement in each.statements)
    return tuple(dict.fromkeys(name for name in names if name)) or (None if done else ())
