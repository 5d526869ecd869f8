"""The story from a commit to its traffic, top to bottom."""

from dayfly.images.image import Image
from dayfly.release import (
    assessment,
    closing,
    cutover,
    downtime,
    fleet,
    migration,
    outputs,
    preparation,
    waiting,
)
from dayfly.release.course import WINDOW
from dayfly.release.fleet import launched
from dayfly.release.found import Found
from dayfly.release.inquiry import ASSESS
from dayfly.release.testdatabase import test_database
from dayfly.release.watch import Baseline, watch
from dayfly.release.work import Work


def release(work: Work) -> None:
    """Build a commit, prove it beside the running fleet, then move the traffic.

    A step that fails before the cutover leaves the outgoing fleet as it was; a breach after it
    moves the traffic back. Either way the incoming fleet is gone and the error says why.
    """
    source = preparation.check_out(work)
    with test_database(work) as database:
        image = preparation.build(work, source)
        with assessment.begun(work, image) as verdict:
            preparation.run_tests(work, image, database)
            outputs.keep_built(work, image)
            found = preparation.assess(work, verdict)
    waiting.opened(work)
    _go_on(work, image, found)


def release_in_window(work: Work) -> None:
    """Its window has opened: it is assessed again, since production has gone on meanwhile."""
    waiting.opened(work)
    waiting.require_newest(work)
    image = fleet.image_of(work.parts, work.record)
    with assessment.begun(work, image) as verdict:
        found = preparation.assess(work, verdict)
    _go_on(work, image, found)


def _go_on(work: Work, image: Image, found: Found) -> None:
    if found["course"] == WINDOW:
        _with_downtime(work, image, found)
    else:
        _beside(work, image, found)


def _beside(work: Work, image: Image, found: Found) -> None:
    """The outgoing fleet serves until the incoming one is proven."""
    migration.migrate(work, image, found)
    outgoing = cutover.outgoing_of(work)
    with migration.stays(work, found), launched(work, image) as incoming:
        preparation.verify(work, incoming, image)
        baseline = Baseline.of(work, outgoing)
        with cutover.undone_on_failure(work, outgoing):
            cutover.cut_over(work, incoming, outgoing)
            closing.reopen(work.parts, work.record)  # what an earlier failure has left closed
            cutover.start_workers(work, image)
            watch(work, baseline)
    cutover.drain(work, outgoing)


def _with_downtime(work: Work, image: Image, found: Found) -> None:
    """Nobody is served until the incoming fleet is proven; what fails before goes back."""
    outgoing = cutover.outgoing_of(work)
    baseline = Baseline.of(work, outgoing)
    opening = waiting.opened(work)  # the assessment may have outlasted the one it began in
    with waiting.ended_with(opening, work.stop), downtime.closed(work, outgoing):
        migration.migrate(work, image, found)
        with launched(work, image) as incoming:
            preparation.verify(work, incoming, image)
            cutover.cut_over(work, incoming, outgoing)
            cutover.start_workers(work, image)
    with cutover.undone_on_failure(work, outgoing):
        watch(work, baseline)
    cutover.drain(work, outgoing)


def contract(work: Work) -> None:
    """What a release has left out runs now that nothing older does; it serves on meanwhile."""
    image = fleet.image_of(work.parts, work.record)
    found = assessment.assess_contract(work, image)
    if found["pending"] != []:
        migration.migrate(work, image, found)


def question(work: Work) -> None:
    """Only find out what the commit would do to the database; nothing else becomes of it."""
    source = preparation.check_out(work)
    image = preparation.build(work, source)
    with assessment.begun(work, image) as found, work.stage(ASSESS):
        assessment.told(work, found)
