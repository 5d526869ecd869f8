"""A short hold: new requests wait at the balancer, workers and jobs stand still, then all go on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from dayfly.errors import DayflyError
from dayfly.machines.machine import Machine
from dayfly.release import fleet
from dayfly.release.cutover import requests_finish
from dayfly.release.work import Work

LET_GO_SECONDS = 1.0  # beyond the hold: then the balancer lets go even if nobody tells it
FINISH_SHARE = 0.4  # of the hold, in which open requests may finish first


@contextmanager
def held(work: Work, seconds: float) -> Iterator[float]:
    """Give the moment (time.monotonic) at which the hold has to end."""
    app, balancer = work.record.app, work.parts.balancer
    until = time.monotonic() + seconds
    with work.step("hold", seconds=seconds):
        balancer.hold(app, seconds + LET_GO_SECONDS)
    try:
        with _paused(work):
            requests_finish(work, seconds * FINISH_SHARE)
            yield until
    finally:
        balancer.let_go(app)
        passed = seconds - (until - time.monotonic())
        work.emit("held", seconds=round(passed, 3))


@contextmanager
def _paused(work: Work) -> Iterator[None]:
    """Workers and jobs of the app; what the migration itself runs in is no part of it."""
    paused = [machine for machine in work.parts.runtime.machines() if _stands_still(work, machine)]
    try:
        for machine in paused:
            work.parts.runtime.pause(machine.name)
        yield
    finally:
        resume(work, [machine.name for machine in paused])


def _stands_still(work: Work, machine: Machine) -> bool:
    web = machine.process == fleet.WEB and machine.kind == "process"
    return machine.app == work.record.app and machine.state == "running" and not web


def resume(work: Work, names: list[str]) -> None:
    for name in names:
        try:
            work.parts.runtime.resume(name)
        except DayflyError as error:  # the others still have to go on
            work.emit("note", message=f"{name} could not be resumed: {error}")
