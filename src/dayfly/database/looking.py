"""One migration on copies: what it did to the first, judged on a second, both releases tried."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from dayfly.clock import Stop
from dayfly.database.bridge import Bridge
from dayfly.database.bridging import keep
from dayfly.database.capture import CaptureError, Run, capture, captured
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies, copy_of
from dayfly.database.differences import differences, schema_of
from dayfly.database.figures import Figures
from dayfly.database.impact.assess import OPEN, Impact, assess
from dayfly.database.impact.evidence.sender import FILES, sender
from dayfly.database.impact.questions import Ask
from dayfly.database.nulls import read_there, without_nulls
from dayfly.database.problems import user_of
from dayfly.database.production import Production, reading, recorded, search_path
from dayfly.database.question import Question
from dayfly.database.reached import does_something, require_reached
from dayfly.database.remade import Drifted
from dayfly.database.routine import without_routine
from dayfly.database.source import Source
from dayfly.database.sqlnames import SqlFile
from dayfly.database.wayback import Tried, tried

Check = Callable[[Collection[str]], None]  # given what is written down as done; may refuse

ASK_SECONDS = 5.0  # that one question may take production
_SEEN = """
    SELECT query FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY calls DESC LIMIT 10000
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The migration that is asked about."""

    run: Run
    command: bool = False  # somebody else's, who may look for the database where they like
    names: tuple[str, ...] = ()  # of what it should run
    files: tuple[SqlFile, ...] = ()  # what it runs, where that is known beforehand
    check: Check | None = None
    starts: bool = False  # an app's start, which may migrate
    drifted: Drifted | None = None  # from what the migrations make


@dataclass(frozen=True, kw_only=True)
class Caught:
    """What it did to a copy."""

    done: tuple[Transaction, ...]
    url: str  # of the copy that was migrated
    before: Callable[[], str]  # makes one as it was before
    seconds: float
    left: tuple[str, ...] = ()  # names of what it should have run
    filled: tuple[str, ...] = ()  # columns of the copy without the NULL that production has not
    command: bool = True  # no files of SQL

    @property
    def notes(self) -> tuple[str, ...]:
        left, filled = ", ".join(self.left), ", ".join(self.filled)
        told = (
            f"left by the migrate command: {left}" if left else "",
            f"it fails where {filled} is NULL; production has none today" if filled else "",
        )
        return tuple(filter(None, told))


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where it is looked at."""

    copies: Copies
    second: Callable[[], str]  # one more copy, made while the first one is migrated
    ask: Ask
    source: Source

    @property
    def notes(self) -> tuple[str, ...]:
        unlike = [f"in the copy {each}" for each in self.copies.unlike]
        return (*filter(None, [self.source.note]), *unlike)


@contextmanager
def place_of(question: Question) -> Iterator[Place]:
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
        yield Place(copies=copies, second=second.result, ask=ask, source=source)


def role_of(question: Question, copies: Copies) -> str:
    """Of the outgoing release."""
    return user_of(question.app_url or question.url) or copies.production.user


def statements_of(question: Question) -> list[str]:
    """Of the app: those that were named, and those that the server has counted."""
    return [*question.statements, *seen(question.app_url or question.url)]


def judged(question: Question, place: Place, caught: Caught) -> Impact:
    copies = place.copies
    impact = assess(
        place.second(),
        caught.done,
        rows=_rows(copies.production),
        figures=_figures(copies.production),
        budget=question.budget,
        statements=statements_of(question),
        ask=place.ask,
        role=role_of(question, copies),
        path=search_path(question.app_url or question.url),
        builder=copies.production.user,
        again=copies.fresh if question.builds else None,
        sender=sender(question.texts) if caught.command else FILES,
    )
    return impact if question.builds else impact.unbridged()


def tried_of(question: Question, copies: Copies, migrated: str, impact: Impact) -> Tried | None:
    if question.releases is None:
        return None
    _bridge(copies.as_production(migrated), impact.bridges)
    back, role = impact.rollback == OPEN, role_of(question, copies)
    releases = question.releases.guarded(question.url)
    return tried(copies, migrated, releases, role=role, goes_back=back)


def _bridge(url: str, bridges: Sequence[Bridge]) -> None:
    """As they will stand in production while both releases are there."""
    keep(url, bridges, budget=ASK_SECONDS, stop=Stop(), tell=lambda _line: None)


def caught_of(copies: Copies, asked: Asked, production: str, ask: Ask) -> Caught:
    """What it committed.

    Rows that we made up must not stop a migration: production's own are asked for later.
    """
    began, before, filled = time.monotonic(), copies.fresh, tuple[str, ...]()
    copies.server.refuse_lasting(file.text for file in asked.files)
    url = before()
    try:
        found = captured(copies, asked.run, on=url, files=asked.files)
    except CaptureError as error:
        if error.refused_rows:
            before = copies.without_rows
            url = before()
        else:
            url, filled = _without_nulls(copies, asked, url, ask, error)
        found = captured(copies, asked.run, on=url, files=asked.files)
    seconds = time.monotonic() - began
    copies.server.refuse_lasting(one.text for each in found.done for one in each.statements)
    if asked.command:
        require_reached(copies, found, production, asked.names)
    own = without_routine(found.done, lambda: capture(copies, asked.run, on=url))
    did = own if does_something(own) and not (asked.starts and _as_ever(before(), url)) else ()
    ran = {*recorded(url), *(named(found.done) or ())}
    left = tuple(name for name in asked.names if name not in ran)
    return Caught(
        done=did,
        url=url,
        before=before,
        seconds=seconds,
        left=left,
        filled=filled,
        command=asked.command,
    )


def _as_ever(before: str, after: str) -> bool:
    """Schema and books are what they were: what else it writes it always does."""
    same = not differences(schema_of(before), schema_of(after))
    return same and set(recorded(before)) == set(recorded(after))


def _without_nulls(
    copies: Copies, asked: Asked, failed: str, ask: Ask, error: CaptureError
) -> tuple[str, tuple[str, ...]]:
    """Another copy for a program that stumbles over a NULL that production has not."""
    places = read_there(failed) if asked.command else []
    url = copies.fresh() if places else ""
    filled = without_nulls(url, places, ask) if places else ()
    if not filled:
        raise error
    return url, filled


def seen(url: str) -> list[str]:
    """What the server has counted, most often first; nothing where it does not count."""
    try:
        with reading(url) as connection:
            return [row[0] for row in connection.execute(_SEEN)]
    except (psycopg.errors.UndefinedTable, psycopg.errors.ObjectNotInPrerequisiteState):
        return []


def _rows(production: Production) -> dict[str, int]:
    return {f"{schema}.{name}": size.rows for (schema, name), size in production.sizes.items()}


def _figures(production: Production) -> dict[str, Figures]:
    return {
        ".".join(table): Figures(
            width=size.bytes / max(size.rows, 1),
            beside=(size.stored - size.bytes) / max(size.rows, 1),
            values=production.columns.get(table, {}),
        )
        for table, size in production.sizes.items()
    }


def named(done: Sequence[Transaction]) -> tuple[str, ...] | None:
    """Nothing where nothing was done; None where it was, and no migration is named."""
    names = (statement.migration for each in done for statement in each.statements)
    return tuple(dict.fromkeys(name for name in names if name)) or (None if done else ())
