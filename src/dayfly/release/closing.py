"""An app that is closed: requests get a page, and nothing that was at work for it goes on."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dayfly.clock import FOREVER, wait_until
from dayfly.errors import StoppedError
from dayfly.machines.machine import Machine
from dayfly.release import cutover, fleet
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts, Work

CLOSE, OPEN = "close", "open"  # steps that recovery looks for
_AT_ONCE = 16


def close(work: Work, *, recorded: Sequence[str] = ()) -> None:
    """No new request reaches a fleet; `recorded` are the migrations that have run before it."""
    with work.stage(CLOSE), work.step(CLOSE, recorded=list(recorded)):
        work.parts.balancer.close(work.record.app, page=work.page)


def reopen(parts: Parts, record: ReleaseRecord) -> None:
    if record.app in parts.balancer.routing().closed:
        with parts.journal.step(OPEN, release=record.number, app=record.app):
            parts.balancer.reopen(record.app)


def stand_still(work: Work, leaving: ReleaseRecord | None) -> None:
    """Requests, workers and jobs finish what they do, each within its budget."""
    if leaving is None:
        return
    with work.stage("drain"), ThreadPoolExecutor(_AT_ONCE) as pool:
        ending = [m for m in work.parts.runtime.machines() if _works(m, leaving)]
        ended = [pool.submit(_end, work, machine) for machine in ending]
        slot = work.parts.slot_of(work.record.app, leaving.number)
        cutover.drain_slot(work, slot, stop=work.stop)
        for each in ended:
            each.result()


def _works(machine: Machine, leaving: ReleaseRecord) -> bool:
    web = machine.kind == "process" and machine.process == fleet.WEB
    its = (machine.app, machine.release) == (leaving.app, leaving.number)
    return its and machine.state == "running" and not web


def _end(work: Work, machine: Machine) -> None:
    """A worker is told to end; a job may come to its own end first."""
    runtime, until = work.parts.runtime, time.monotonic() + work.app.release.job_drain
    while machine.kind == "job" and _runs(work, machine.name) and time.monotonic() < until:
        work.stop.wait(cutover.DRAIN_POLL_SECONDS)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(runtime.stop, machine.name, max(until - time.monotonic(), 0))
        try:
            wait_until(ending.done, seconds=FOREVER, what=f"{machine.name} ends", stop=work.stop)
        except StoppedError:
            runtime.stop(machine.name, 0)  # nobody is kept outside for its sake any longer
            raise
        ending.result()


def _runs(work: Work, name: str) -> bool:
    return any(m.name == name and m.state == "running" for m in work.parts.runtime.machines())
