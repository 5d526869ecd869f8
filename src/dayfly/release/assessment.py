"""What a release does to the database, found out on a copy before production is touched."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dayfly.clock import FOREVER, Stop, wait_until
from dayfly.config.app import Database
from dayfly.images.image import Image
from dayfly.release import inquiry
from dayfly.release.bookkeeping import ALL
from dayfly.release.course import HELD, WINDOW, course_of, deciding, forbidding
from dayfly.release.foretold import foretold
from dayfly.release.found import Found
from dayfly.release.inquiry import ASSESS
from dayfly.release.work import RefusedError, Work

_TOLD = 5  # findings in a message; the receipt has all
_WAY_OUT = (
    'With downtime: dayfly release --window "Sun 02:00-04:00", or --now. '
    'To take the consequences: --despite "REASON"'
)


@contextmanager
def begun(work: Work, image: Image) -> Iterator["Future[Found]"]:
    """Find it out while the body does something else."""
    own = replace(work, stop=Stop())
    with ThreadPoolExecutor(1, ASSESS) as pool:
        try:
            yield pool.submit(inquiry.of_release, own, image)
        finally:
            own.stop.request("nobody waits for the verdict any more")


def told(work: Work, found: "Future[Found]") -> Found:
    """The verdict with its findings, also in the journal."""
    wait_until(found.done, seconds=FOREVER, what="the verdict", stop=work.stop)
    work.emit("assessed", **found.result())
    return found.result()


def assess_contract(work: Work, image: Image) -> Found:
    """Of what the release that serves has left out; RefusedError where it must not run now."""
    with work.stage(ASSESS):
        found = inquiry.of_contract(work, image)
        work.emit("assessed", **found)
        forbidden = forbidding(found)
        if forbidden:
            raise _refusal("not run while it serves:", forbidden, _way_out(forbidden))
        return found


def assess(work: Work, future: "Future[Found]") -> Found:
    """With the course to take; RefusedError where the verdict allows none that somebody wants."""
    found = told(work, future)
    verdict, database = str(found["verdict"]), work.app.database or Database()
    course = course_of(
        found,
        hold=database.hold,
        despite=bool(work.wish.despite),
        downtime=work.wish.now or bool(work.wish.window),
    )
    if course is None:
        raise _refusal(f"its verdict is {verdict}:", deciding(found) or found["findings"])
    if despite := work.wish.despite:
        work.emit("note", message=f"released despite its verdict {verdict}: {despite}")
    if course == HELD:
        work.emit("note", message=f"its verdict is {verdict}: requests are held for that moment")
    if course == WINDOW:
        _foretell(work, found)
    work.emit("course", course=course)
    return {**found, "course": course}


def _foretell(work: Work, found: Found) -> None:
    """What was said when it began to wait for its window is not said again."""
    events = work.parts.journal.events(release=work.record.number, limit=ALL)
    said = {event.data["message"] for event in events if event.kind == "note"}
    for message in foretold(found):
        if message not in said:
            work.emit("note", message=message)


def _way_out(forbidden: Sequence[Mapping[str, Any]]) -> str:
    if any(finding["kind"] == "fails" for finding in forbidden):
        return "Mend them in another release."
    return 'They run in a window: dayfly release --window "Sun 02:00-04:00", or --now.'


def _refusal(
    what: str, findings: Sequence[Mapping[str, Any]], way_out: str = _WAY_OUT
) -> RefusedError:
    """The worst finding in its first line, then how to avoid it, then the others."""
    (first, remedy), *others = [_words(finding) for finding in findings]
    told = [*remedy]
    for words, safe in others[: _TOLD - 1]:
        told += [f"- {words}", *(safe if safe != remedy else [])]
    if len(findings) > _TOLD:
        told.append(f"- and {len(findings) - _TOLD} more: they are in the receipt")
    return RefusedError(f"{what} {first}", hint="\n".join([*told, way_out]))


def _words(finding: Mapping[str, Any]) -> tuple[str, list[str]]:
    return finding["message"], [f"  {line}" for line in finding["remedy"].splitlines()]
