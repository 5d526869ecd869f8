"""After the cutover: find out whether the incoming fleet does as well as the outgoing one did."""

import time
from dataclasses import dataclass
from typing import Literal, Self

from dayfly.balancer.accesslog import Traffic
from dayfly.errors import DayflyError
from dayfly.release import fleet
from dayfly.release.newerrors import NewErrors
from dayfly.release.records import ReleaseRecord
from dayfly.release.traffic import traffic_of
from dayfly.release.work import Work

POLL_SECONDS = 0.5
BASELINE_SECONDS = 60.0
ENOUGH_REQUESTS = 50  # below it a percentage says nothing
FEW_ERRORS = 3  # so many failed requests may be chance
WORSE_BY = 0.01  # share of failed requests above the outgoing fleet's that is a breach
SLOWER_TIMES = 3  # p99 against the outgoing fleet's …
SLOWER_BY_MS = 500  # … and at least so much more, so that 2 ms instead of 0.5 is none
ENOUGH_FOR_P99 = 200  # requests on both sides; of fewer one slow answer is the p99
COLD_SECONDS = 2.0  # after the cutover: first requests fill caches, so their times don't count


class BreachError(DayflyError):
    """The incoming fleet does worse than the outgoing one did."""


@dataclass(frozen=True)
class Judgement:
    verdict: Literal["good", "breach", "inconclusive"]
    why: str


@dataclass(frozen=True)
class Baseline:
    """What the outgoing fleet did before the cutover; None where there was none."""

    traffic: Traffic | None
    release: int | None = None

    @classmethod
    def of(cls, work: Work, outgoing: ReleaseRecord | None) -> Self:
        slot = work.parts.slot_of(work.record.app, outgoing.number) if outgoing else None
        if slot is None or outgoing is None:
            return cls(None)
        since = time.time() - BASELINE_SECONDS
        return cls(traffic_of(work.parts, [slot], since=since), outgoing.number)


def judge(before: Traffic | None, now: Traffic, *, times: bool) -> Judgement:
    """Compare the error rate and, with `times`, the p99; too few requests settle nothing."""
    failed = now.errors + now.lost
    if now.requests < ENOUGH_REQUESTS and failed < FEW_ERRORS:
        return Judgement("inconclusive", f"{now.requests} requests are too few to tell")
    rate = failed / now.requests
    usual = (before.errors + before.lost) / before.requests if before and before.requests else 0.0
    if failed >= FEW_ERRORS and rate > usual + WORSE_BY:
        return Judgement(
            "breach",
            f"{failed} of {now.requests} requests failed ({rate:.1%}); it was {usual:.1%}",
        )
    if (
        times
        and before
        and min(before.requests, now.requests) >= ENOUGH_FOR_P99
        and before.p99_ms is not None
        and now.p99_ms is not None
        and now.p99_ms > max(before.p99_ms * SLOWER_TIMES, before.p99_ms + SLOWER_BY_MS)
    ):
        return Judgement("breach", f"p99 is {now.p99_ms} ms; it was {before.p99_ms} ms")
    return Judgement("good", f"{failed} of {now.requests} failed, p99 {now.p99_ms} ms")


def watch(work: Work, baseline: Baseline) -> None:
    """Look at the incoming fleet for `watch` seconds; BreachError says what went wrong."""
    if not work.app.release.watch:
        return
    with work.stage("watch"):
        judgement = _watched(work, baseline)
        work.emit("watched", verdict=judgement.verdict, why=judgement.why)
        if judgement.verdict == "breach":
            raise BreachError(judgement.why)


def _watched(work: Work, baseline: Baseline) -> Judgement:
    """Errors are looked at all the time, so that a breach is short; times at the end."""
    began, errors = time.time(), NewErrors(work, baseline.release)
    while (passed := time.time() - began) < work.app.release.watch:
        _nobody_died(work)
        judgement = _judgement(work, baseline, began, times=False)
        if judgement.verdict == "breach":
            return judgement
        if new := errors.breach():
            return Judgement("breach", new)
        work.stop.wait(min(POLL_SECONDS, work.app.release.watch - passed))
    judgement = _judgement(work, baseline, began + COLD_SECONDS, times=True)
    if judgement.verdict != "breach" and (new := errors.breach(last=True)):
        return Judgement("breach", new)
    return judgement


def _judgement(work: Work, baseline: Baseline, since: float, *, times: bool) -> Judgement:
    slot = work.parts.slot_of(work.record.app, work.record.number)
    if slot is None:
        raise BreachError("the balancer no longer has the incoming fleet")
    return judge(baseline.traffic, traffic_of(work.parts, [slot], since=since), times=times)


def _nobody_died(work: Work) -> None:
    for machine in fleet.machines_of(work.parts, work.record):
        if machine.kind == "process" and machine.state == "exited":
            why = f"{machine.name} died after the cutover: {machine.reason or 'no reason known'}"
            work.emit("watched", verdict="breach", why=why)
            raise BreachError(why, hint=fleet.last_words(work.parts, machine.app, machine.name))
