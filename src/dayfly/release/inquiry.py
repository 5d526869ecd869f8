"""What is asked of a scratch copy: what the migrations of a release do there."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.config.app import Database
from dayfly.database import contract
from dayfly.database.contract import TARGET, ContractError, Split
from dayfly.database.impact.finding import DOWNTIME
from dayfly.database.recorded import recorded_statements
from dayfly.errors import DayflyError
from dayfly.images.image import Image
from dayfly.release import contracts, cutover, fleet, once, rehearsal, starting, tooling
from dayfly.release.course import forbidding
from dayfly.release.found import UNASSESSED, Found, only
from dayfly.release.work import RefusedError, Work

if TYPE_CHECKING:
    from dayfly.database.question import Question
    from dayfly.database.wayback import Releases

ASSESS = "assess"  # as what the migrate command runs on a copy
Say = Callable[[str], None]


def of_release(work: Work, image: Image) -> Found:
    """What can't be assessed counts as downtime; RefusedError where what is to wait cannot."""
    database = work.app.database
    if database is None:
        return {"verdict": UNASSESSED}
    if not database.migrates:
        return starting.found(work, image, database)

    def ask(say: Say) -> Found:
        releases = rehearsal.releases(work, image, cutover.outgoing_of(work))
        split = _split(work, database)
        _require_waiting(work, split)
        question = _question(work, database, releases)
        question = replace(question, serving=rehearsal.serving(work, image))
        found = _answer(work, image, question, split, say)
        told = {"contract": [*split.later], "targets": _targets(split)}
        return {**found, **told, "later": _later(found)}

    return _assessable(work, ask)


def _later(found: Found) -> Found | None:
    """Of what waits, with whether it will run when its turn comes: null where nobody knows."""
    later = found["later"]
    if not later:
        return None
    if later["why"]:
        return {**later, "runs": None}
    against = [str(each["message"]) for each in forbidding(later)]
    return {**later, "runs": not against, "why": "".join(against[:1])}


def of_contract(work: Work, image: Image) -> Found:
    """Of what the serving release has left out: nobody else runs, so nobody needs a bridge."""
    database = work.app.database or Database()

    def ask(say: Say) -> Found:
        split = _split(work, database)
        if split.now:
            raise ContractError(
                f"{split.now[0]} is pending too, and is not named in `contract`",
                hint="Somebody has changed what the database has run; look at it, and release.",
            )
        serving = rehearsal.serving(work, image)
        question = _question(work, database, serving, builds=False)
        found = _answer(work, image, question, Split(now=split.later), say)
        findings = [{**finding, "bridge": None} for finding in found["findings"]]
        told = {"contract": [], "targets": [""], "contracting": True}
        return {**found, "findings": findings, **told}

    return _assessable(work, ask)


def _split(work: Work, database: Database) -> Split:
    """Where downtime is allowed, what had to be refused without it runs with the others."""
    from dayfly.database.pending import pending_revisions  # noqa: PLC0415 - loads the driver
    from dayfly.database.sqlfiles import pending_files  # noqa: PLC0415 - see above

    if not (database.contract or contracts.waiting(work)):
        return Split()
    but, url = _taken(work), work.migrate_url(database)
    if database.migrations:
        new = pending_files(url, work.migrations)
        return contract.of_files(new, database.contract, but=but)
    tree = tooling.kept(work).tree
    split = contract.of_revisions(tree, pending_revisions(tree, url), database.contract, but=but)
    command = database.migrate or ""
    if split.later and not contract.names_target(command):
        raise ContractError(
            f"{', '.join(split.later)} are to wait, and `migrate` does not say how far to go",
            hint=f'Hand ${TARGET} on to the tool: migrate = "{contract.how_to_name_it(command)}"',
        )
    return split


def _require_waiting(work: Work, split: Split) -> None:
    """What the outgoing release has left out does not run behind its back."""
    waiting = contracts.waiting(work) - _taken(work)
    loose = [name for name in split.now if name in waiting]
    if loose and not work.wish.despite:
        raise ContractError(
            f"{loose[0]} waits as a contract migration, and this commit does not name it in "
            "`contract`",
            hint="Name it there, or release when it has run.",
        )


def _taken(work: Work) -> frozenset[str]:
    """What this release runs although it is named in `contract`."""
    downtime = work.wish.now or work.wish.window
    return contracts.refused(work) if downtime else frozenset()


def _targets(split: Split) -> list[str]:
    """Of each run of the migrate command; empty: all the way."""
    return [*split.targets] if split.later else [""]


def _question(
    work: Work, database: Database, releases: "Releases | None", *, builds: bool = True
) -> "Question":
    # Late: its driver takes 25 MB that an app without a database never needs.
    from dayfly.database.question import Question  # noqa: PLC0415

    return Question(
        url=work.migrate_url(database),
        app_url=work.database_url(database),
        releases=releases,
        folder=work.parts.home.scratch,
        budget=database.budget,
        statements=_statements(work, database),
        replica=work.replica_url(database),
        texts=tooling.programs(work),
        scratch_url=work.parts.settings.scratch_url or "",
        builds=builds,
        returns=True,
        postgresql=work.parts.settings.postgresql,
    )


def _statements(work: Work, database: Database) -> tuple[str, ...]:
    named = database.statements
    return recorded_statements(work.statements, named) if named else ()


def _answer(work: Work, image: Image, question: "Question", split: Split, say: Say) -> Found:
    from dayfly.database.answer import of_command, of_files  # noqa: PLC0415 - see above

    database = work.app.database or Database()
    if database.migrations:
        return of_files(question, work.migrations, leave=split.later).as_json()

    def as_told(recorded: Collection[str]) -> None:
        contract.undone(split, tooling.kept(work).tree, recorded)

    if database.at_start:
        return of_command(question, starting.on_copy(work, image, say), starts=True).as_json()
    targets = _targets(split)
    run = _on_copy(work, image, targets, say)
    if not split.later:
        return of_command(question, run, split.now).as_json()
    rest = _on_copy(work, image, [""], lambda _said: None), split.later
    return of_command(question, run, split.now, check=as_told, rest=rest).as_json()


def targeted(target: str) -> dict[str, str]:
    """What the migrate command finds in its environment."""
    return {TARGET: target} if target else {}


def _on_copy(work: Work, image: Image, targets: list[str], say: Say) -> Callable[[str], int]:
    """The release's own migrate command; `say` takes what it said where it fails."""
    database = work.app.database or Database()

    def run(url: str) -> int:
        for target in targets:
            wanted = fleet.Wanted(process=ASSESS, run=database.migrate or "")
            made = rehearsal.on_copy(work, image, wanted, url, env=targeted(target))
            ended = once.run_to_end(work, made, seconds=database.deadline)
            if ended.status != 0:
                say(ended.said)
                return ended.status
        return 0

    return run


def _assessable(work: Work, ask: Callable[[Say], Found]) -> Found:
    said: list[str] = []
    try:
        return ask(said.append)
    except ContractError as error:
        later = f"\n{contracts.when(work)}" if contracts.waiting(work) else ""
        raise RefusedError(error.message, hint=error.hint + later) from error
    except DayflyError as error:
        work.stop.check()
        return _failing(work, error, "".join(said[-1:]))


def _failing(work: Work, error: DayflyError, output: str) -> Found:
    """RefusedError where the command has strayed: what is wrong there no reason makes right."""
    from dayfly.database.failing import failing  # noqa: PLC0415 - loads the driver
    from dayfly.database.guard import StrayError  # noqa: PLC0415 - see above

    redact, database = work.parts.redactor(work.record.app), work.app.database or Database()
    if isinstance(error, StrayError):
        raise RefusedError(redact(error.message), hint=redact(error.hint)) from error
    found = failing(error, output, work.migrate_url(database))
    return only(DOWNTIME, found.with_words(redact))
