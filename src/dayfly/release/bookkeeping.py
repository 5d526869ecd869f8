"""When a release or a rollback is over, also after a crash: its receipt is drawn up and kept."""

from typing import Any

from dayfly.release import contracts
from dayfly.release.fleet import machines_of
from dayfly.release.receipt import receipt, why
from dayfly.release.records import Outcome, ReleaseRecord
from dayfly.release.traffic import traffic_of
from dayfly.release.work import Parts

ALL = 1_000_000


def finish_release(parts: Parts, record: ReleaseRecord, outcome: Outcome, reason: str) -> None:
    drawn_up = _receipt(parts, record, after=0, since=record.started)
    parts.journal.keep_receipt(record.number, drawn_up)
    parts.journal.conclude(record.number, outcome, reason)


def finish_rollback(
    parts: Parts, record: ReleaseRecord, began: int, outcome: Outcome, reason: str
) -> None:
    """`began` is the number of its first event; `record` the release gone back to."""
    [first] = parts.journal.events(after=began - 1, release=record.number, limit=1)
    parts.journal.record(
        "rollback.finished",
        release=record.number,
        app=record.app,
        outcome=outcome,
        **why(reason),
        receipt={
            **_receipt(parts, record, after=began, since=first.time),
            **why(reason),
            "machines": _fleet(parts, record),  # also those that were kept warm
        },
    )


def finish_contract(
    parts: Parts, record: ReleaseRecord, began: int, outcome: str, reason: str
) -> None:
    """Of what `record` has left out; told to whoever looks where a person has to act."""
    [first] = parts.journal.events(after=began - 1, release=record.number, limit=1)
    left = contracts.of(parts, record.app).get(record.number)
    names = left.migrations if left else ()
    if outcome not in {"done", contracts.AGAIN}:
        told = f"the contract migrations {', '.join(names)} did not run: {reason}"
        parts.journal.record("note", release=record.number, app=record.app, message=told)
    parts.journal.record(
        contracts.FINISHED,
        release=record.number,
        app=record.app,
        outcome=outcome,
        migrations=[*names],
        **why(reason),
        receipt={**_receipt(parts, record, after=began, since=first.time), **why(reason)},
    )


def _fleet(parts: Parts, record: ReleaseRecord) -> list[dict[str, str]]:
    return [
        {"machine": machine.name, "process": machine.process, "address": machine.address or ""}
        for machine in machines_of(parts, record)
        if machine.kind == "process"
    ]


def _receipt(parts: Parts, record: ReleaseRecord, *, after: int, since: float) -> dict[str, Any]:
    events = parts.journal.events(after=after, release=record.number, limit=ALL)
    return receipt(events, traffic_of(parts, parts.slots_of(record.app), since=since))
