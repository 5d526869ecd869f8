"""What a migration does to a live database, asked of its URL alone."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
from dayfly.database.impact.assess import CLOSED, OPEN, Impact, assess
from dayfly.database.impact.finding import Finding
from dayfly.database.impact.questions import Ask
from dayfly.database.preserve.proof import Restoration, returned
from dayfly.database.problems import user_of
from dayfly.database.production import Production, reading, recorded
from dayfly.database.question import Answer, Question
from dayfly.database.remade import Drifted, by_command, by_files
from dayfly.database.routine import without_routine
from dayfly.database.source import Source
from dayfly.database.sqlfiles import apply_files, history_of, pending_files
from dayfly.database.sqlnames import SqlFile
from dayfly.database.sqlplan import alone
from dayfly.database.wayback import Tried, tried

Check = Callable[[Collection[str]], None]  # given what is written down as done; may refuse

ASK_SECONDS = 5.0  # that one question may take production
_SEEN = """
    SELECT query FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY calls DESC LIMIT 10000
"""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The migration that is asked about."""

    run: Run
    names: tuple[str, ...] = ()  # of what it should run
    files: tuple[SqlFile, ...] = ()  # what it runs, where that is known beforehand
    check: Check | None = None
    drifted: Drifted | None = None  # from what the migrations make


@dataclass(frozen=True, kw_only=True)
class _Caught:
    """What it did to a copy."""

    done: tuple[Transaction, ...]
    url: str  # of the copy that was migrated
    before: Callable[[], str]  # makes one as it was before
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where it is looked at."""

    copies: Copies
    second: Callable[[], str]  # one more copy, made while the first one is migrated
    ask: Ask
    source: Source

    @property
    def notes(self) -> tuple[str, ...]:
        return (self.source.note,) if self.source.note else ()


def of_files(question: Question, directory: Path, *, leave: Collection[str] = ()) -> Answer:
    """Of those files of a directory that the database has not had yet, but for those to leave."""
    began = time.monotonic()
    new = tuple(file for file in pending_files(question.url, directory) if file.name not in leave)
    if not new and not question.drift:
        return Answer(impact=Impact(), seconds=time.monotonic() - began)

    def run(url: str) -> int:
        apply_files(url, directory, leave=leave)
        return 0

    asked = _Asked(
        run=run,
        names=tuple(file.name for file in new),
        files=new,
        drifted=by_files(history_of(question.url, directory)),
    )
    return _answer(question, asked, began)


def of_command(
    question: Question, run: Run, names: tuple[str, ...] = (), *, check: Check | None = None
) -> Answer:
    """Of a migrate command, which is given the URL of a copy; `names` of what it should run."""
    drifted = by_command(run) if question.drift else None
    asked = _Asked(run=run, names=names, check=check, drifted=drifted)
    return _answer(question, asked, time.monotonic())


def _answer(question: Question, asked: _Asked, began: float) -> Answer:
    question.tell("production's schema is copied")
    with _place(question) as place:
        question.tell("the migrations run on the copy")
        caught = _captured(place.copies, asked)
        if asked.check:
            asked.check(recorded(caught.url))
        if not _does_something(caught.done):
            more = _drift(asked, place.copies, caught, Impact()) if question.drift else ()
            return Answer(
                impact=Impact(findings=tuple(more)),
                seconds=time.monotonic() - began,
                unfilled=place.copies.unfilled,
                notes=place.notes,
            )
        question.tell("what they did is done again, statement by statement, and judged")
        impact = _judged(question, place, caught)
        impact = impact.with_findings(_drift(asked, place.copies, caught, impact))
        twin = place.copies.twin(caught.url) if question.returns else ""
        found = _tried(question, place.copies, caught.url, impact)
        impact = impact.with_findings(found.findings if found else ())
        return Answer(
            impact=impact,
            seconds=time.monotonic() - began,
            pending=asked.names or _named(caught.done),
            unfilled=place.copies.unfilled,
            tried=found,
            migrating=caught.seconds,
            whole=_whole(caught.done),
            restoration=_returned(place.copies, caught.before, twin, impact) if twin else None,
            notes=place.notes,
        )


@contextmanager
def _place(question: Question) -> Iterator[_Place]:
    source = Source(question.url, question.replica)
    with (
        copy_of(
            question.url,
            folder=question.folder,
            postgresql=question.postgresql,
            source=source,
            scratch_url=question.scratch_url,
        ) as copies,
        source.asker(seconds=ASK_SECONDS) as ask,
        ThreadPoolExecutor(1, "copy") as pool,
    ):
        second = pool.submit(copies.fresh)
        yield _Place(copies=copies, second=second.result, ask=ask, source=source)


def _role(question: Question, copies: Copies) -> str:
    """Of the outgoing release."""
    return user_of(question.app_url or question.url) or copies.production.user


def _judged(question: Question, place: _Place, caught: _Caught) -> Impact:
    copies = place.copies
    impact = assess(
        place.second(),
        caught.done,
        rows=_rows(copies.production),
        budget=question.budget,
        statements=[*question.statements, *seen(question.app_url or question.url)],
        ask=place.ask,
        role=_role(question, copies),
        builder=copies.production.user,
        again=copies.fresh if question.builds else None,
    )
    return impact if question.builds else impact.unbridged()


def _drift(asked: _Asked, copies: Copies, caught: _Caught, impact: Impact) -> Sequence[Finding]:
    return asked.drifted(copies, caught.url, impact) if asked.drifted else ()


def _tried(question: Question, copies: Copies, migrated: str, impact: Impact) -> Tried | None:
    if question.releases is None:
        return None
    _bridge(copies.as_production(migrated), impact.bridges)
    back, role = impact.rollback == OPEN, _role(question, copies)
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
        doubts=impact.doubts,
    )


def _bridge(url: str, bridges: Sequence[Bridge]) -> None:
    """As they will stand in production while both releases are there."""
    keep(url, bridges, budget=ASK_SECONDS, stop=Stop(), tell=lambda _line: None)


def _captured(copies: Copies, asked: _Asked) -> _Caught:
    """What it committed.

    Rows that we made up must not stop a migration: production's own are asked for later.
    """
    began, before = time.monotonic(), copies.fresh
    url = before()
    try:
        done = capture(copies, asked.run, on=url, files=asked.files)
    except CaptureError as error:
        if not error.refused_rows:
            raise
        before = copies.without_rows
        url = before()
        done = capture(copies, asked.run, on=url, files=asked.files)
    seconds = time.monotonic() - began
    own = without_routine(done, lambda: capture(copies, asked.run, on=url))
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
