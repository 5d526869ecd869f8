"""What a release does to the database, found out on a copy before production is touched."""

from typing import Any

from dayfly.config.app import Database
from dayfly.database.impact.finding import DOWNTIME, NONE, ONLINE
from dayfly.errors import DayflyError
from dayfly.release.work import RefusedError, Work

UNASSESSED = "unassessed"  # nobody looked: no `migrations` are named
_TOLD = 5  # findings in a message; the receipt has all
_WAY_OUT = 'To take the consequences: dayfly release --despite "REASON"'


def assess(work: Work) -> None:
    """RefusedError when the outgoing release would break, or data be lost, and nobody said why."""
    database = work.app.database
    if database is None or database.migrations is None:
        work.emit("assessed", verdict=UNASSESSED)
        return
    found = _found(work, database)
    work.emit("assessed", **found)
    verdict = str(found["verdict"])
    if verdict in (NONE, ONLINE):
        return
    if work.despite:
        work.emit("note", message=f"released despite its verdict {verdict}: {work.despite}")
        return
    raise _refusal(verdict, found["findings"])


def _found(work: Work, database: Database) -> dict[str, Any]:
    """What can't be assessed counts as downtime."""
    # Late: its driver takes 25 MB that an app without a database never needs.
    from dayfly.database.answer import Question, of_files  # noqa: PLC0415

    question = Question(
        url=work.database_url(database),
        folder=work.parts.home.scratch,
        budget=database.budget,
        postgresql=work.parts.settings.postgresql,
    )
    try:
        return of_files(question, work.migrations).as_json()
    except DayflyError as error:
        redact = work.parts.redactor(work.record.app)
        message = redact(f"it can't be assessed: {error.message}")
        finding = {"message": message, "remedy": redact(error.hint)}
        return {"verdict": DOWNTIME, "findings": [finding]}


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
