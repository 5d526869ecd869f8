"""A release with downtime: nobody is served and nobody writes; what goes wrong goes back.

While the app is closed the balancer answers with a maintenance page. It is opened again to the
release that the schema fits: the incoming one, or the outgoing one after everything was undone.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from dayfly.machines.machine import Machine
from dayfly.release import cutover, fleet
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts, Work

CLOSE, OPEN = "close", "open"  # steps that recovery looks for
_AT_ONCE = 16


@contextmanager
def closed(work: Work, outgoing: ReleaseRecord | None) -> Iterator[None]:
    """Nothing of the outgoing release works in the body; after it the incoming one is open."""
    with work.stage(CLOSE), work.step(CLOSE):
        work.parts.balancer.close(work.record.app, page=work.page)
    try:
        _stand_still(work, outgoing)
        yield
    except BaseException:
        with fleet.clearing_up(work), work.stage("roll back", certain=True):
            _traffic_back(work, outgoing)
            give_back(work)
        raise
    with work.stage(OPEN, certain=True):
        reopen(work.parts, work.record)


def reopen(parts: Parts, record: ReleaseRecord) -> None:
    if record.app in parts.balancer.routing().closed:
        with parts.journal.step(OPEN, release=record.number, app=record.app):
            parts.balancer.reopen(record.app)


def give_back(work: Work) -> None:
    """The schema as the outgoing release needs it, and the app open again."""
    reopen(work.parts, work.record)


def _traffic_back(work: Work, outgoing: ReleaseRecord | None) -> None:
    """The map names the outgoing fleet again, where it named ours already."""
    parts, record = work.parts, work.record
    if parts.serving(record.app) != record.number:
        return
    slot = parts.slot_of(record.app, outgoing.number) if outgoing else None
    if outgoing and slot:
        parts.balancer.cut_over(record.app, slot)
        parts.journal.turn(outgoing.number, "serving")
    else:
        parts.balancer.withdraw(record.app)
    fleet.remove_fleet(parts, record, "its release did not come through")


def _stand_still(work: Work, outgoing: ReleaseRecord | None) -> None:
    """Requests, workers and jobs finish what they do, each within its budget."""
    if outgoing is None:
        return
    with work.stage("drain"), ThreadPoolExecutor(_AT_ONCE) as pool:
        ending = [m for m in work.parts.runtime.machines() if _works(m, outgoing)]
        ended = [pool.submit(_end, work, machine) for machine in ending]
        slot = work.parts.slot_of(work.record.app, outgoing.number)
        cutover.drain_slot(work, slot, stop=work.stop)
        for each in ended:
            each.result()


def _works(machine: Machine, outgoing: ReleaseRecord) -> bool:
    web = machine.kind == "process" and machine.process == fleet.WEB
    mine = (machine.app, machine.release) == (outgoing.app, outgoing.number)
    return mine and machine.state == "running" and not web


def _end(work: Work, machine: Machine) -> None:
    """A worker is told to end; a job may come to its own end first."""
    runtime, until = work.parts.runtime, time.monotonic() + work.app.release.job_drain
    while machine.kind == "job" and _runs(work, machine.name) and time.monotonic() < until:
        work.stop.wait(cutover.DRAIN_POLL_SECONDS)
    runtime.stop(machine.name, max(until - time.monotonic(), 0))


def _runs(work: Work, name: str) -> bool:
    return any(m.name == name and m.state == "running" for m in work.parts.runtime.machines())
