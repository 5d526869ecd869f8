"""The story from a commit to its traffic, top to bottom."""

from dayfly.release import assessment, cutover, migration, preparation
from dayfly.release.fleet import launched
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
            found = preparation.assess(work, verdict)
    migration.migrate(work, image, found)

    outgoing = cutover.outgoing_of(work)
    with launched(work, image) as incoming:  # removed again if a step below fails
        preparation.verify(work, incoming, image)
        baseline = Baseline.of(work, outgoing)
        with cutover.undone_on_failure(work, outgoing):
            cutover.cut_over(work, incoming, outgoing)
            cutover.start_workers(work, image)
            watch(work, baseline)
    cutover.drain(work, outgoing)


def question(work: Work) -> None:
    """Only find out what the commit would do to the database; nothing else becomes of it."""
    source = preparation.check_out(work)
    image = preparation.build(work, source)
    with assessment.begun(work, image) as found, work.stage(assessment.ASSESS):
        assessment.told(work, found)
