"""What people and programs are shown of an environment: JSON, made from what is observed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dayfly.balancer.routing import Routing
from dayfly.machines.machine import Machine, Usage
from dayfly.release.contracts import Contract
from dayfly.release.drift import Drift
from dayfly.release.receipt import iso
from dayfly.release.records import ReleaseRecord
from dayfly.release.returning import Crossed


@dataclass(frozen=True, kw_only=True)
class Observed:
    """An environment at one moment."""

    name: str
    url: str
    routing: Routing
    machines: tuple[Machine, ...]
    down: frozenset[str]  # machines that fail HAProxy's checks
    balancer_up: bool
    logs: Mapping[str, Any]
    forwarder: Mapping[str, Any]
    files: Mapping[str, Any]
    records: tuple[ReleaseRecord, ...]  # newest first
    problems: Mapping[str, str]
    back_to: Mapping[str, int] = field(default_factory=dict)  # by app: where a rollback goes
    crossed: Mapping[str, Sequence[Crossed]] = field(default_factory=dict)  # on the way there
    contracts: Mapping[str, Contract] = field(default_factory=dict)  # that wait, by app
    drifted: Mapping[str, Drift] = field(default_factory=dict)  # machines that are not as built
    alerts: Sequence[Mapping[str, Any]] = ()
    feeds: Sequence[Mapping[str, Any]] = ()
    tunnel: Mapping[str, Any] | None = None  # where one is declared


def status(seen: Observed) -> dict[str, Any]:
    apps = sorted({record.app for record in seen.records})
    return {
        "environment": seen.name,
        "url": seen.url,
        "services": {
            "api": "up",
            "balancer": "up" if seen.balancer_up else "down",
            "console": "up",
            "logs": {**seen.logs, "problems": [*_log_problems(seen)]},
            "forwarder": dict(seen.forwarder),
            "files": dict(seen.files),
            **({"tunnel": dict(seen.tunnel)} if seen.tunnel else {}),
        },
        "apps": [app_status(seen, app) for app in apps],
        "alerts": [dict(each) for each in seen.alerts if worth_telling(each)],
    }


def _log_problems(seen: Observed) -> Iterator[str]:
    """What is missing in the store, and what is wrong with its feeds."""
    yield from seen.logs.get("problems", ())
    for feed in seen.feeds:
        if feed["problem"]:
            yield f"feed {feed['name']}: {feed['problem']}"


def worth_telling(alert: Mapping[str, Any]) -> bool:
    """Whether an alert stands, or something is wrong with it."""
    return alert["state"] != "calm" or bool(alert["problems"])


def is_up(told: object) -> bool:
    """What `services` tells of one: a word, or with more to say an object that has it."""
    return (told["state"] if isinstance(told, dict) else told) == "up"


def app_status(seen: Observed, app: str) -> dict[str, Any]:
    records = [record for record in seen.records if record.app == app]
    serving = serving_release(seen.routing, app)
    warm = [r for r in records if r.warm_until is not None and r.number != serving]
    return {
        "app": app,
        "serving": next((_fleet(seen, r) for r in records if r.number == serving), None),
        "warm": [{**_fleet(seen, r), "until": iso(r.warm_until)} for r in warm],
        "incoming": next(
            (_fleet(seen, r) for r in reversed(records) if r.running and r.number != serving),
            None,  # the first of those that run; others are queued
        ),
        "waiting": [
            {"release": r.number, "commit": r.commit, "reason": r.reason}
            for r in reversed(records)
            if r.outcome == "waiting"
        ],
        "closed": app in seen.routing.closed,
        "way_back": way_back(records, serving),
        "back_to": seen.back_to.get(app),
        "crosses": [each.as_json() for each in seen.crossed.get(app, ())],
        "contract": seen.contracts[app].as_json() if app in seen.contracts else None,
        "problems": [seen.problems[app]] if app in seen.problems else [],
    }


def way_back(records: list[ReleaseRecord], serving: int | None) -> str:
    """How a rollback would go: at once to a warm fleet, from a kept image, or not at all."""
    earlier = [r for r in records if serving is not None and r.number < serving]
    if any(r.outcome == "warm" for r in earlier):
        return "warm"
    return "image" if any(r.outcome == "retired" for r in earlier) else "none"


def serving_release(routing: Routing, app: str) -> int | None:
    slot = routing.slots.get(routing.serving.get(app, ""))
    return slot.release if slot else None


def _fleet(seen: Observed, record: ReleaseRecord) -> dict[str, Any]:
    return {
        "release": record.number,
        "commit": record.commit,
        "machines": [
            {
                "machine": machine.name,
                "process": machine.process,
                "address": machine.address,
                "healthy": healthy(seen, machine),
                "drift": drift(seen, machine),
            }
            for machine in seen.machines
            if (machine.app, machine.release, machine.kind)
            == (record.app, record.number, "process")
        ],
    }


def healthy(seen: Observed, machine: Machine) -> bool:
    return machine.state == "running" and machine.name not in seen.down


def drift(seen: Observed, machine: Machine) -> str:
    """In what a machine is not what was built, in a few words; empty where nobody knows of any."""
    found = seen.drifted.get(machine.name)
    return found.summary if found else ""


def machine_row(seen: Observed, machine: Machine, usage: Usage | None) -> dict[str, Any]:
    return {
        "machine": machine.name,
        "app": machine.app,
        "release": machine.release,
        "process": machine.process,
        "kind": machine.kind,
        "address": machine.address,
        "state": machine.state,
        "healthy": healthy(seen, machine),
        "drift": drift(seen, machine),
        "role": role(seen, machine),
        "memory": usage.memory if usage else None,
        "cpu": round(usage.cpu, 2) if usage else None,
        "started": iso(machine.started),
    }


def role(seen: Observed, machine: Machine) -> str:
    """What a machine is there for."""
    if machine.kind == "job":
        return "job"
    if serving_release(seen.routing, machine.app) == machine.release:
        return "serving"
    record = next((r for r in seen.records if r.number == machine.release), None)
    if record is None:
        return "unknown"
    return "incoming" if record.running else "warm" if record.warm_until else "unknown"
