"""What a release leaves out, asked beforehand: on a copy on which all else of it has run."""

from dataclasses import replace

import psycopg

from dayfly.database.capture import CaptureError
from dayfly.database.failing import failing
from dayfly.database.guard import StrayError
from dayfly.database.impact.assess import Impact
from dayfly.database.looking import Asked, Place, caught_of, judged, tried_of
from dayfly.database.question import Later, Question
from dayfly.errors import DayflyError, StoppedError


def later(question: Question, place: Place, migrated: str, rest: Asked) -> Later:
    """It changes no verdict, so what can't be asked is only told; `migrated`: the copy."""
    question.tell("what waits until nothing older runs is tried as well")
    try:
        return Later(impact=_impact(question, place, migrated, rest))
    except (StrayError, StoppedError):
        raise
    except CaptureError as error:
        return Later(impact=Impact(findings=(failing(error, "", question.url),)))
    except (DayflyError, psycopg.Error) as error:
        return Later(why=str(error).strip().splitlines()[0])


def _impact(question: Question, place: Place, migrated: str, rest: Asked) -> Impact:
    """As when its turn comes: the release itself serves then, and nobody needs a bridge."""
    copies = place.copies.of(migrated)
    then = replace(question, releases=question.serving, builds=False)
    caught = caught_of(copies, rest, question.url, place.ask)
    if not caught.done:
        return Impact()
    impact = judged(then, replace(place, copies=copies, second=copies.fresh), caught)
    found = tried_of(then, copies, caught.url, impact)
    return impact.with_findings(found.findings if found else ())
