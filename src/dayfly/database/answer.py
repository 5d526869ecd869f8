"""What a migration does to a live database, asked of its URL alone."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dayfly.clock import Stop
from dayfly.database.bridge import Bridge
from dayfly.database.bridging import keep
from dayfly.database.capture import CaptureError, Run, capture, captured
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies, copy_of
from dayfly.database.guard import guarded
from dayfly.database.impact.assess import CLOSED, OPEN, Impact, assess
from dayfly.database.impact.finding import Finding
from dayfly.database.impact.questions import Ask
from dayfly.database.impact.sender import FILES, sender
from dayfly.database.preserve.proof import Restoration, returned
from dayfly.database.problems import user_of
from dayfly.database.production import Production, reading, recorded
from dayfly.database.question import Answer, Question
from dayfly.database.reached import does_something, require_reached, telling
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
    command: bool = False  # somebody else's, who may look for the database where they like
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
    left: tuple[str, ...] = ()  # names of what it should have run
    command: bool = True  # no files of SQL

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"left by the migrate command: {', '.join(self.left)}",) if self.left else ()


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
    run = guarded(question.url, run)
    drifted = by_command(run) if question.drift else None
    asked = _Asked(command=True, run=run, names=names, check=check, drifted=drifted)
    return _answer(question, asked, time.monotonic())


def _answer(question: Question, asked: _Asked, began: float) -> Answer:
    question.tell("production's schema is copied")
    with _place(question) as place:
        question.tell("the migrations run on the copy")
        with telling(place.copies, question.url):
            caught = _captured(place.copies, asked, question.url)
        if asked.check:
            asked.check(recorded(caught.url))
        if not caught.done:
            more = _drift(asked, place.copies, caught, Impact()) if question.drift else ()
            return Answer(
                impact=Impact(findings=tuple(more)),
                seconds=time.monotonic() - began,
                unfilled=place.copies.unfilled,
                notes=(*place.notes, *caught.notes),
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
            notes=(*place.notes, *caught.notes, *impact.notes),
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
        sender=sender(question.texts) if caught.command else FILES,
    )
    return impact if question.builds else impact.unbridged()


def _drift(asked: _Asked, copies: Copies, caught: _Caught, impact: Impact) -> Sequence[Finding]:
    return asked.drifted(copies, caught.url, impact) if asked.drifted else ()


def _tried(question: Question, copies: Copies, migrated: str, impact: Impact) -> Tried | None:
    if question.releases is None:
        return None
    _bridge(copies.as_production(migrated), impact.bridges)
    back, role = impact.rollback == OPEN, _role(question, copies)
    releases = question.releases.guarded(question.url)
    return tried(copies, migrated, releases, role=role, goes_back=back)


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


def _captured(copies: Copies, asked: _Asked, production: str) -> _Caught:
    """What it committed.

    Rows that we made up must not stop a migration: production's own are asked for later.
    """
    began, before = time.monotonic(), copies.fresh
    url = before()
    try:
        found = captured(copies, asked.run, on=url, files=asked.files)
    except CaptureError as error:
        if not error.refused_rows:
            raise
        before = copies.without_rows
        url = before()
        found = captured(copies, asked.run, on=url, files=asked.files)
    seconds = time.monotonic() - began
    if asked.command:
        require_reached(copies, found, production, asked.names)
    own = without_routine(found.done, lambda: capture(copies, asked.run, on=url))
    did = own if does_something(own) else ()
    ran = {*recorded(url), *(_named(found.done) or ())}
    left = tuple(name for name in asked.names if name not in ran)
    return _Caught(
        done=did, url=url, before=before, seconds=seconds, left=left, command=asked.command
    )


def seen(url: str) -> list[str]:
    """What the server has counted, most often first; nothing where it does not count."""
    try:
        with reading(url) as connection:
            return [row[0] for row in connection.execute(_SEEN)]
    except (psycopg.errors.UndefinedTable, psycopg.errors.ObjectNotInPrerequisiteState):
        return []


def _rows(production: Production) -> dict[str, int]:
    return {f"{schema}.{name}": size.rows for (schema, name), size in production.sizes.items()}


def _whole(done: Sequence[Transaction]) -> bool:
    return all(each.block or not alone(one.text) for each in done for one in each.statements)


def _named(done: Sequence[Transaction]) -> tuple[str, ...] | None:
    """Nothing where nothing was done; None where it was, and no migration is named."""
    names = (statement.migration for each in done for statement in each.statements)
    return tuple(dict.fromkeys(name for name in names if name)) or (None if done else ())
