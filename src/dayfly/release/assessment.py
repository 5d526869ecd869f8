"""What a release does to the database, found out on a copy before production is touched."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dayfly.clock import FOREVER, Stop, wait_until
from dayfly.config.app import Database
from dayfly.database.impact.finding import DOWNTIME, NONE, ONLINE, Finding
from dayfly.errors import DayflyError
from dayfly.images.image import Image
from dayfly.release import cutover, fleet, once, rehearsal
from dayfly.release.work import RefusedError, Work

ASSESS = "assess"  # as what the migrate command runs on a copy
UNASSESSED = "unassessed"  # nobody looked: the app has no migrations
Found = dict[str, Any]  # what `dayfly impact --json` prints

_TOLD = 5  # findings in a message; the receipt has all
_WAY_OUT = 'To take the consequences: dayfly release --despite "REASON"'


@contextmanager
def begun(work: Work, image: Image) -> Iterator["Future[Found]"]:
    """Find it out while the body does something else."""
    own = replace(work, stop=Stop())
    with ThreadPoolExecutor(1, ASSESS) as pool:
        try:
            yield pool.submit(_found, own, image)
        finally:
            own.stop.request("nobody waits for the verdict any more")


def told(work: Work, found: "Future[Found]") -> Found:
    """The verdict with its findings, also in the journal."""
    wait_until(found.done, seconds=FOREVER, what="the verdict", stop=work.stop)
    work.emit("assessed", **found.result())
    return found.result()


def assess(work: Work, future: "Future[Found]") -> Found:
    """RefusedError when the outgoing release would break, or data be lost, and nobody said why."""
    found = told(work, future)
    verdict = str(found["verdict"])
    if verdict in (NONE, ONLINE, UNASSESSED):
        return found
    if work.despite:
        work.emit("note", message=f"released despite its verdict {verdict}: {work.despite}")
        return found
    raise _refusal(verdict, found["findings"])


def _found(work: Work, image: Image) -> Found:
    """What can't be assessed counts as downtime."""
    database = work.app.database
    if database is None or not (database.migrations or database.migrate):
        return {"verdict": UNASSESSED}
    # Late: its driver takes 25 MB that an app without a database never needs.
    from dayfly.database.answer import Question, of_command, of_files  # noqa: PLC0415
    from dayfly.database.problems import missed_network  # noqa: PLC0415

    question = Question(
        url=work.migrate_url(database),
        app_url=work.database_url(database),
        releases=rehearsal.releases(work, image, cutover.outgoing_of(work)),
        folder=work.parts.home.scratch,
        budget=database.budget,
        builds=True,
        postgresql=work.parts.settings.postgresql,
    )
    said: list[str] = []
    try:
        if database.migrations:
            return of_files(question, work.migrations).as_json()
        return of_command(question, _on_copy(work, image, database, said.append)).as_json()
    except DayflyError as error:
        work.stop.check()
        redact = work.parts.redactor(work.record.app)
        network = missed_network("\n".join(said))
        why = redact("\n".join([error.hint, *said, network]).strip())
        return _unassessable(redact(f"it can't be assessed: {error.message}"), why)


def _unassessable(message: str, why: str) -> Found:
    finding = Finding(verdict=DOWNTIME, kind="unknown", message=message, remedy=why)
    return {
        "verdict": DOWNTIME,
        "findings": [finding.as_json()],
        "rollback": {"state": "closed", "loses": [], "covered": [], "why": ""},
        "pending": None,
        "statements": {"checked": 0, "broken": 0, "unassessable": 0},
        "unfilled": [],
        "seconds": 0.0,
    }


def _on_copy(
    work: Work, image: Image, database: Database, say: Callable[[str], None]
) -> Callable[[str], int]:
    """The release's own migrate command; `say` takes what it said where it fails."""

    def run(url: str) -> int:
        wanted = fleet.Wanted(process=ASSESS, run=database.migrate or "")
        made = rehearsal.on_copy(work, image, wanted, url)
        ended = once.run_to_end(work, made, seconds=database.deadline)
        if ended.status != 0:
            say(ended.said)
        return ended.status

    return run


def _refusal(verdict: str, findings: list[dict[str, Any]]) -> RefusedError:
    """The worst finding in its first line, then how to avoid it, then the others."""
    (first, remedy), *others = [_words(finding) for finding in findings]
    told = [*remedy]
    for words, safe in others[: _TOLD - 1]:
        told += [f"- {words}", *(safe if safe != remedy else [])]
    if len(findings) > _TOLD:
        told.append(f"- and {len(findings) - _TOLD} more: they are in the receipt")
    return RefusedError(f"its verdict is {verdict}: {first}", hint="\n".join([*told, _WAY_OUT]))


def _words(finding: dict[str, Any]) -> tuple[str, list[str]]:
    return finding["message"], [f"  {line}" for line in finding["remedy"].splitlines()]
