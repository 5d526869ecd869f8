"""Facts that happened. The journal keeps them; CLI, console and receipt only read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact. `kind` is one of the names below; `data` is JSON.

    release.started   commit, subject, who, app           release.finished  outcome, reason
    stage.started     stage                               stage.finished    stage, outcome, seconds
    step.intended     step, …                             step.done         step, outcome
    output            line, source ("build", "test", "assess", "rehearsal", "migrate", "smoke")
    machine.launched  machine, process, address           machine.healthy   machine, seconds
    machine.died      machine, reason, tail               machine.removed   machine, reason
    machine.drifted   machine, process, deed ("replaced" or "kept"), differences, message
    traffic           fleets: a list of release, slot, rate, requests, errors, streams
                      (about once a second while it moves)
    counted           HAProxy's own counters over a release (requests, statuses, errors, retries)
    assessed          what `dayfly impact --json` prints
    course            course: "beside", "held" or "window", as the verdict allows it
    held              seconds: for how long requests waited at the balancer
    archived          of ("build" or "test"), bucket, count, versions (key, version, size)
    preserved         preserved, tables, rows, bytes, each (table, rows, bytes)
    restored          export, tables, conflicts, newer
    bridge.built      bridges                             bridge.gone
    alert             message, closed: what somebody has to look at
    logs.alert.began, logs.alert.ended                    alert, count, query (of environment.toml)
    opened            what an app was closed for by a failure is over
    contract.undone   a rollback took it back: it waits again
    note              message (a plain sentence worth telling)
    job.started, job.finished                             job, machine, status, seconds
    job.failed        job, reason: it could not be started
    """

    number: int = 0  # its place in the journal; what `Last-Event-ID` counts
    time: float  # seconds since the epoch
    release: int | None = None
    app: str | None = None
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Emit(Protocol):
    """Tell the journal that something happened."""

    def __call__(self, kind: str, **data: object) -> None: ...


def intends(event: Event, step: str) -> bool:
    """Whether it says that this step is about to be done."""
    return event.kind == "step.intended" and event.data.get("step") == step


def silent(kind: str, **data: object) -> None:
    """Emit to nobody."""
