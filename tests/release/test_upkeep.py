"""What the caretaker decides, as rows of data."""

from dataclasses import replace

import pytest

from dayfly.images.differences import Difference
from dayfly.machines.machine import Machine
from dayfly.release.drift import Drift, History
from dayfly.release.records import ReleaseRecord
from dayfly.release.upkeep import Action, Seen, decide

NOW = 1000.0


def record(number: int, outcome: str = "serving", **more: object) -> ReleaseRecord:
    return ReleaseRecord(
        number=number,
        app="orders",
        commit="c" * 40,
        subject="",
        who="me",
        outcome=outcome,  # type: ignore[arg-type]
        started=0.0,
        **more,  # type: ignore[arg-type]
    )


def machine(release: int, process: str = "web", place: int = 1, **more: object) -> Machine:
    return Machine(
        name=f"orders-{release}-{process}-{place}",
        app="orders",
        release=release,
        process=process,
        kind=more.pop("kind", "process"),  # type: ignore[arg-type]
        address="127.0.0.1:20000",
        state=more.pop("state", "running"),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


SERVING = Seen(
    now=NOW,
    serving=2,
    records={2: record(2)},
    machines=(machine(2), machine(2, place=2), machine(2, "worker")),
    wanted={"web": 2, "worker": 1},
    slots=frozenset({2}),
)
WARM = record(1, "warm", left_at=NOW - 60, warm_until=NOW + 540)


def with_warm(**more: object) -> Seen:
    return replace(
        SERVING,
        records={1: WARM, 2: record(2)},
        machines=(*SERVING.machines, machine(1)),
        slots=frozenset({1, 2}),
        **more,  # type: ignore[arg-type]
    )


def drifted(*machines: Machine, built: bool = False) -> dict[str, Drift]:
    changed = Difference(kind="file", name="/app/a", one="a", other="b")
    return {
        m.name: Drift(machine=m.name, process=m.process, differences=(changed,), built=built)
        for m in machines
    }


def past(*replaced: str, renewed: int = 0) -> History:
    return History(renewed={"web": renewed}, replaced=frozenset(replaced), kept=frozenset())


WEB, WEB_2, WORKER = SERVING.machines
DRIFTED = replace(SERVING, drifted=drifted(WEB, WEB_2))
FRESH = machine(2, place=3)


def job(release: int, **more: object) -> Machine:
    return machine(release, "nightly", kind="job", **more)


ROWS: list[tuple[str, Seen, list[tuple[str, str]]]] = [
    (
        "an app that was left closed is opened",
        replace(SERVING, closed=True, fits=True),
        [("open", "")],
    ),
    (
        "unless its schema is that of another release",
        replace(SERVING, closed=True),
        [],
    ),
    (
        "or somebody is at work on it",
        replace(SERVING, closed=True, fits=True, engaged=True),
        [],
    ),
    (
        "or nothing serves",
        replace(SERVING, closed=True, fits=True, serving=None, machines=(), slots=frozenset()),
        [],
    ),
    (
        "what the serving release has left out runs when nothing else does",
        replace(SERVING, contracts=frozenset({2})),
        [("contract", "")],
    ),
    (
        "it does not while an older fleet is warm",
        with_warm(contracts=frozenset({2})),
        [],
    ),
    (
        "nor while a job of an older release runs",
        replace(
            SERVING,
            contracts=frozenset({2}),
            records={1: record(1, "retired", left_at=NOW - 1), 2: record(2)},
            machines=(*SERVING.machines, job(1)),
        ),
        [],
    ),
    (
        "nor while a slot is held for another one",
        replace(
            SERVING,
            contracts=frozenset({2}),
            records={3: record(3, "running"), 2: record(2)},
            slots=frozenset({2, 3}),
        ),
        [],
    ),
    (
        "nor while a release or rollback is under way",
        replace(SERVING, contracts=frozenset({2}), engaged=True),
        [],
    ),
    (
        "nor when something may be gone back to",
        replace(SERVING, contracts=frozenset({2}), outgoing=frozenset({1})),
        [],
    ),
    (
        "nor while the app is closed",
        replace(SERVING, contracts=frozenset({2}), closed=True),
        [],
    ),
    (
        "a bridge to what is gone is taken away before",
        replace(SERVING, contracts=frozenset({2}), bridges=frozenset({2})),
        [("unbridge", "")],
    ),
    (
        "what another release has left out waits until that serves",
        replace(SERVING, contracts=frozenset({1, 3})),
        [],
    ),
    ("all is well", SERVING, []),
    ("a warm fleet waits", with_warm(), []),
    (
        "a fleet without warm time that still answers old requests is not retired",
        replace(
            with_warm(unfinished=frozenset({1})),
            records={1: replace(WARM, warm_until=NOW - 1), 2: record(2)},
        ),
        [],
    ),
    (
        "a fleet that loses the traffic at this moment is not retired",
        replace(with_warm(), records={1: record(1), 2: record(2, "running")}),
        [],
    ),
    (
        "a dead web machine is replaced",
        replace(SERVING, machines=(machine(2, state="exited"), *SERVING.machines[1:])),
        [("replace", "orders-2-web-1")],
    ),
    (
        "a machine that fails its checks for long is replaced",
        replace(SERVING, down=frozenset({"orders-2-web-2"})),
        [("replace", "orders-2-web-2")],
    ),
    (
        "machines that all fail their checks are spared",
        replace(SERVING, down=frozenset({"orders-2-web-1", "orders-2-web-2"})),
        [("spare", "")],
    ),
    (
        "of a fleet that fails its checks the dead are replaced",
        replace(
            SERVING,
            machines=(machine(2, state="exited"), machine(2, place=2), machine(2, place=3)),
            wanted={"web": 3},
            down=frozenset({"orders-2-web-2", "orders-2-web-3"}),
        ),
        [("replace", "orders-2-web-1"), ("spare", "")],
    ),
    (
        "a machine that serves alone and fails its checks is replaced",
        replace(
            SERVING,
            machines=(machine(2),),
            wanted={"web": 1},
            down=frozenset({"orders-2-web-1"}),
        ),
        [("replace", "orders-2-web-1")],
    ),
    (
        "a machine under way out is not replaced twice",
        replace(
            SERVING,
            machines=(*SERVING.machines, machine(2, place=3)),
            occupied=frozenset({"orders-2-web-1"}),
            down=frozenset({"orders-2-web-1"}),
        ),
        [],
    ),
    (
        "missing machines are launched",
        replace(SERVING, machines=()),
        [("replace", ""), ("replace", ""), ("launch worker", "")],
    ),
    (
        "a dead worker is removed and another launched",
        replace(SERVING, machines=(*SERVING.machines[:2], machine(2, "worker", state="exited"))),
        [("remove", "orders-2-worker-1"), ("launch worker", "")],
    ),
    (
        "a release under way is left to its pipeline",
        replace(SERVING, busy=frozenset({2}), machines=(machine(2, state="exited"),)),
        [],
    ),
    (
        "workers of a warm fleet end",
        replace(with_warm(), machines=(*with_warm().machines, machine(1, "worker"))),
        [("end worker", "orders-1-worker-1")],
    ),
    (
        "a fleet whose time is over waits for a worker that ends",
        replace(
            with_warm(occupied=frozenset({"orders-1-worker-1"})),
            machines=(*with_warm().machines, machine(1, "worker")),
            records={1: replace(WARM, warm_until=NOW), 2: record(2)},
        ),
        [],
    ),
    (
        "workers of a release that failed after its cutover end",
        replace(
            SERVING,
            machines=(*SERVING.machines, machine(3, "worker")),
            records={2: record(2), 3: record(3, "rolled-back")},
        ),
        [("end worker", "orders-3-worker-1")],
    ),
    (
        "a warm fleet whose time is over retires",
        replace(with_warm(), records={1: replace(WARM, warm_until=NOW), 2: record(2)}),
        [("retire", "")],
    ),
    (
        "an outgoing fleet without warm time stays while its successor is watched",
        replace(
            with_warm(outgoing=frozenset({1})),
            records={1: replace(WARM, warm_until=NOW), 2: record(2, "running")},
        ),
        [],
    ),
    (
        "an outgoing fleet's dead machines and its workers go as ever",
        replace(
            with_warm(outgoing=frozenset({1}), busy=frozenset({2})),
            machines=(*SERVING.machines, machine(1, state="exited"), machine(1, "worker")),
        ),
        [("remove", "orders-1-web-1"), ("end worker", "orders-1-worker-1")],
    ),
    (
        "a warm fleet without machines retires",
        replace(with_warm(), machines=SERVING.machines),
        [("retire", "")],
    ),
    (
        "what a failed release left is retired",
        replace(
            SERVING,
            records={2: record(2), 3: record(3, "failed")},
            machines=(*SERVING.machines, machine(3)),
        ),
        [("retire", "")],
    ),
    (
        "of machines that drifted one at a time is replaced",
        DRIFTED,
        [("renew", WEB.name)],
    ),
    (
        "also a worker",
        replace(SERVING, drifted=drifted(WORKER)),
        [("renew", WORKER.name)],
    ),
    (
        "what drifted goes when a fresh machine has come, and only then the next one",
        replace(DRIFTED, machines=(*SERVING.machines, FRESH), history=past(WEB.name)),
        [("dismiss", WEB.name)],
    ),
    (
        "nobody else is replaced while it goes",
        replace(
            DRIFTED,
            machines=(*SERVING.machines, FRESH),
            history=past(WEB.name),
            occupied=frozenset({WEB.name}),
        ),
        [],
    ),
    (
        "one that ended on its way out is not launched again",
        replace(
            SERVING,
            machines=(replace(WEB, state="exited"), WEB_2, WORKER, FRESH),
            history=past(WEB.name),
        ),
        [("remove", WEB.name)],
    ),
    (
        "what drifted waits while a release is under way",
        replace(DRIFTED, engaged=True),
        [],
    ),
    (
        "and while the fleet has another machine to replace",
        replace(DRIFTED, down=frozenset({WEB_2.name})),
        [("replace", WEB_2.name)],
    ),
    (
        "and while the app is closed",
        replace(DRIFTED, closed=True),
        [],
    ),
    (
        "machines that drift again and again are told, and stay",
        replace(DRIFTED, history=past(renewed=4)),
        [("keep drifted", WEB.name), ("keep drifted", WEB_2.name)],
    ),
    (
        "so are those whose image has changed likewise",
        replace(SERVING, drifted=drifted(WEB, built=True)),
        [("keep drifted", WEB.name)],
    ),
    (
        "and all where the operator wants them told only",
        replace(SERVING, drifted=drifted(WEB), heal=False),
        [("keep drifted", WEB.name)],
    ),
    (
        "one that stays keeps no other one from being replaced",
        replace(SERVING, drifted=drifted(WEB, built=True) | drifted(WORKER)),
        [("keep drifted", WEB.name), ("renew", WORKER.name)],
    ),
    (
        "a machine that nobody knows is removed",
        replace(SERVING, machines=(*SERVING.machines, machine(9))),
        [("remove", "orders-9-web-1")],
    ),
    (
        "a job of the serving release goes on",
        replace(SERVING, machines=(*SERVING.machines, job(2))),
        [],
    ),
    (
        "a job of the outgoing release finishes what it does",
        replace(with_warm(), machines=(*with_warm().machines, job(1))),
        [],
    ),
    (
        "a job past job_drain ends",
        replace(with_warm(job_drain=30.0), machines=(*with_warm().machines, job(1))),
        [("end job", "orders-1-nightly-1")],
    ),
    (
        "a job past its deadline ends",
        replace(
            SERVING, machines=(*SERVING.machines, job(2)), deadlines={"orders-2-nightly-1": NOW - 1}
        ),
        [("end job", "orders-2-nightly-1")],
    ),
    (
        "a finished job is taken away",
        replace(SERVING, machines=(*SERVING.machines, job(2, state="exited", status=0))),
        [("finish job", "orders-2-nightly-1")],
    ),
    (
        "a machine that somebody looks after is left alone",
        replace(
            SERVING,
            machines=(*SERVING.machines, job(2, state="exited", status=0)),
            occupied=frozenset({"orders-2-nightly-1"}),
        ),
        [],
    ),
    (
        "a retired release that still holds a slot lets it go",
        replace(SERVING, records={1: record(1, "retired"), 2: record(2)}, slots=frozenset({1, 2})),
        [("retire", "")],
    ),
]


@pytest.mark.parametrize(("seen", "expected"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_the_caretaker_decides(seen: Seen, expected: list[tuple[str, str]]) -> None:
    actions = decide(seen)

    assert expected == [(action.deed, action.machine) for action in actions]


def test_a_retiring_fleet_is_the_old_one() -> None:
    """It is never the serving release that retires."""
    seen = replace(with_warm(), records={1: replace(WARM, warm_until=NOW), 2: record(2)})

    assert (Action("retire", 1, why="its time is over"),) == decide(seen)
