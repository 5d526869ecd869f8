"""Scheduled jobs: fired from the serving fleet only, once per tick."""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial

from dayfly.config.app import Job
from dayfly.config.cron import schedule, zone_of
from dayfly.errors import DayflyError
from dayfly.release import fleet
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts, ReleaseError
from dayfly.rounds import Rounds, Told

ROUND_SECONDS = 1.0
LATE_SECONDS = 15 * 60.0  # a tick missed by a server that was down is made up for so long

log = logging.getLogger(__name__)


def due(fields: str, zone: tzinfo, since: float, now: float) -> float | None:
    """The newest moment of a schedule in (since, now] that is not too late to make up for."""
    start = datetime.fromtimestamp(max(since, now - LATE_SECONDS), UTC)
    ticks = [*schedule(fields).ticks_between(start, datetime.fromtimestamp(now, UTC), zone)]
    return ticks[-1].timestamp() if ticks else None


def start(parts: Parts, record: ReleaseRecord, name: str, occupied: set[str]) -> str:
    """Start a job in a fresh machine of a release; returns the machine's name.

    `occupied` names it until it runs: a machine that is just being made looks like one that ended.
    """
    app = parts.app_of(record)
    job = app.job.get(name)
    if job is None:
        known = ", ".join(app.job) or "none"
        raise ReleaseError(f"no job {name!r} in release {record.number}", hint=f"jobs: {known}")
    wanted = fleet.spec(
        parts,
        record,
        app,
        fleet.image_of(parts, record),
        fleet.Wanted(process=name, run=job.run, memory=job.memory),
    )
    occupied.add(wanted.name)
    try:
        with parts.journal.step(
            "start job", release=record.number, app=record.app, machine=wanted.name
        ):
            parts.runtime.launch(wanted)
    finally:
        occupied.discard(wanted.name)
    parts.journal.record(
        "job.started", release=record.number, app=record.app, job=name, machine=wanted.name
    )
    return wanted.name


class Scheduler:
    """Fires the jobs of what serves when they are due."""

    def __init__(self, parts: Parts, occupied: set[str]) -> None:
        self._parts = parts
        self._occupied = occupied
        self._zone = zone_of(parts.settings.time_zone)
        self._jobs: dict[int, Mapping[str, Job]] = {}
        self._rounds = Rounds("scheduler", ROUND_SECONDS, self.round)
        self._told = Told("scheduler")

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        self._rounds.close()

    def round(self) -> None:
        now = time.time()
        routing = self._parts.balancer.routing()
        for app in routing.serving.keys() - routing.closed.keys() - routing.holds.keys():
            self._told.guard(app, partial(self._fire_due, app, now))

    def _fire_due(self, app: str, now: float) -> None:
        number = self._parts.serving(app)
        if number is not None:
            record = self._parts.journal.release(number)
            for name, job in self._jobs_of(record).items():
                self._fire(record, name, job, now)

    def _jobs_of(self, record: ReleaseRecord) -> Mapping[str, Job]:
        if record.number not in self._jobs:
            self._jobs[record.number] = self._parts.app_of(record).job
        return self._jobs[record.number]

    def _fire(self, record: ReleaseRecord, name: str, job: Job, now: float) -> None:
        since = self._parts.journal.last_tick(record.app, name) or record.started
        tick = due(job.schedule, self._zone, since, now)
        if tick is None or not self._parts.journal.take_tick(record.app, name, tick):
            return
        if self._still_running(record.app, name):
            message = f"job {name} is left out this time: its last run is not over"
            self._parts.journal.record(
                "note", release=record.number, app=record.app, message=message
            )
            return
        self._start(record, name)

    def _start(self, record: ReleaseRecord, name: str) -> None:
        """Its moment is taken, so it is not tried again: what keeps it from starting is told."""
        try:
            start(self._parts, record, name, self._occupied)
        except Exception as error:
            log.exception("job %s of %s", name, record.app)
            reason = self._parts.redactor(record.app)(_reason_of(error))
            self._parts.journal.record(
                "job.failed", release=record.number, app=record.app, job=name, reason=reason
            )

    def _still_running(self, app: str, name: str) -> bool:
        return any(
            (m.app, m.process, m.kind, m.state) == (app, name, "job", "running")
            for m in self._parts.runtime.machines()
        )


def _reason_of(error: Exception) -> str:
    if isinstance(error, DayflyError):
        return f"{error.message} {error.hint}".strip()
    return f"a defect in Dayfly: {type(error).__name__}: {error}"
