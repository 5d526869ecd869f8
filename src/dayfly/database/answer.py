"""What a migration does to a live database, asked of its URL alone."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from dayfly.database.capture import Run
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies
from dayfly.database.dump import dump_of
from dayfly.database.guard import guarded
from dayfly.database.impact.assess import CLOSED, Impact
from dayfly.database.impact.finding import Finding
from dayfly.database.later import later
from dayfly.database.looking import (
    Asked,
    Caught,
    Check,
    Place,
    caught_of,
    judged,
    named,
    place_of,
    statements_of,
    tried_of,
)
from dayfly.database.preserve.proof import Restoration, Twins, returned
from dayfly.database.production import recorded
from dayfly.database.question import Answer, Question
from dayfly.database.reached import telling
from dayfly.database.remade import by_command, by_files
from dayfly.database.sqlfiles import apply_files, history_of, pending_files
from dayfly.database.sqlplan import alone


def of_files(question: Question, directory: Path, *, leave: Collection[str] = ()) -> Answer:
    """Of those files of a directory that the database has not had yet, but for those to leave.

    Of these it is told what they will do when their turn comes.
    """
    began = time.monotonic()
    pending = pending_files(question.url, directory)
    new = tuple(file for file in pending if file.name not in leave)
    left = tuple(file for file in pending if file.name in leave)
    if not new and not left and not question.drift:
        return Answer(impact=Impact(), seconds=time.monotonic() - began)

    def run(url: str, leave: Collection[str] = leave) -> int:
        apply_files(url, directory, leave=leave)
        return 0

    asked = Asked(
        run=run,
        names=tuple(file.name for file in new),
        files=new,
        drifted=by_files(history_of(question.url, directory)),
    )
    rest = Asked(run=lambda url: run(url, ()), names=tuple(f.name for f in left), files=left)
    return _answer(question, asked, began, rest if left else None)


def of_command(
    question: Question,
    run: Run,
    names: tuple[str, ...] = (),
    *,
    check: Check | None = None,
    rest: tuple[Run, tuple[str, ...]] | None = None,
    starts: bool = False,
) -> Answer:
    """Of a migrate command, which is given the URL of a copy; `names` of what it should run.

    `rest`: how what it leaves is run when its turn comes, and the names of that. `starts`: it is an
    app's start, which is no migration unless it changes the schema, or writes down what it has run.
    """
    run = guarded(question.url, run)
    drifted = by_command(run) if question.drift else None
    asked = Asked(command=True, run=run, names=names, check=check, drifted=drifted, starts=starts)
    left = rest and Asked(command=True, run=guarded(question.url, rest[0]), names=rest[1])
    return _answer(question, asked, time.monotonic(), left)


def _answer(question: Question, asked: Asked, began: float, rest: Asked | None) -> Answer:
    question.tell("production's schema is copied")
    with place_of(question) as place, telling(place.copies, question.url):
        question.tell("the migrations run on the copy")
        caught = caught_of(place.copies, asked, question.url, place.ask)
        if asked.check:
            asked.check(recorded(caught.url))
        then = later(question, place, caught.url, rest) if rest else None
        if not caught.done:
            more = _drift(asked, place.copies, caught, Impact()) if question.drift else ()
            return Answer(
                impact=Impact(findings=tuple(more)),
                seconds=time.monotonic() - began,
                unfilled=place.copies.unfilled,
                notes=(*place.notes, *caught.notes),
                later=then,
            )
        question.tell("what they did is done again, statement by statement, and judged")
        answer = _judged(question, asked, place, caught)
        return replace(answer, seconds=time.monotonic() - began, later=then)


def _judged(question: Question, asked: Asked, place: Place, caught: Caught) -> Answer:
    impact = judged(question, place, caught)
    impact = impact.with_findings(_drift(asked, place.copies, caught, impact))
    twin = place.copies.twin(caught.url) if question.returns else ""
    found = tried_of(question, place.copies, caught.url, impact)
    impact = impact.with_findings(found.findings if found else ())
    return Answer(
        impact=impact,
        seconds=0,
        pending=asked.names or named(caught.done),
        unfilled=place.copies.unfilled,
        tried=found,
        migrating=caught.seconds,
        whole=_whole(caught.done),
        restoration=_returned(question, place.copies, caught.before, twin, impact)
        if twin
        else None,
        notes=(*place.notes, *caught.notes, *impact.notes),
    )


def _drift(asked: Asked, copies: Copies, caught: Caught, impact: Impact) -> Sequence[Finding]:
    return asked.drifted(copies, caught.url, impact) if asked.drifted else ()


def _returned(
    question: Question, copies: Copies, before: Callable[[], str], migrated: str, impact: Impact
) -> Restoration | None:
    """With the rights that production's URL gives; None where the way back stays open."""
    if impact.rollback != CLOSED:
        return None
    twins = Twins(
        before=copies.as_production(before()),
        migrated=copies.as_production(migrated),
        dump=lambda url: dump_of(url, question.postgresql),
    )
    return returned(
        twins,
        impact.preserve,
        schema=copies.schema,
        doubts=impact.doubts,
        statements=lambda: statements_of(question),
    )


def _whole(done: Sequence[Transaction]) -> bool:
    return all(each.block or not alone(one.text) for each in done for one in each.statements)
