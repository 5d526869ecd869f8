"""What became of the migrations that releases have left out, as rows of data."""

import pytest

from dayfly.events import Event
from dayfly.release.contracts import told
from dayfly.release.receipt import contracted

NAMES = ["0009_drop_note.sql"]


def event(kind: str, time: float = 0, release: int = 7, **data: object) -> Event:
    kind = f"contract.{kind}"
    return Event(number=int(time), time=time, release=release, app="orders", kind=kind, data=data)


WAITS = event("waiting", migrations=NAMES)
RUNS = [WAITS, event("started", 10)]


def ended(outcome: str, time: float = 20) -> Event:
    return event("finished", time, outcome=outcome, reason="it blocks", migrations=NAMES)


FAILED_TWICE = [*RUNS, ended("failed"), event("started", 700), ended("failed", 800)]


@pytest.mark.parametrize(
    ("events", "state", "due_at"),
    [
        ([WAITS], "waiting", 0),
        (RUNS, "running", None),
        ([*RUNS, ended("done")], "done", None),
        ([*RUNS, ended("refused")], "refused", None),
        ([*RUNS, ended("interrupted")], "waiting", 20),
        ([*RUNS, ended("failed")], "failed", 620),
        (FAILED_TWICE, "failed", 2000),
        ([*FAILED_TWICE, WAITS], "waiting", 800),
        ([*RUNS, ended("done"), event("undone", 30)], "waiting", 30),  # by a rollback
    ],
)
def test_what_became_of_it(events: list[Event], state: str, due_at: float | None) -> None:
    contract = told(events)[7]

    assert (contract.state, contract.migrations) == (state, tuple(NAMES))
    assert contract.due(1e9) == (due_at is not None)
    if due_at is not None:
        assert contract.due(due_at)
        assert state != "failed" or not contract.due(due_at - 1)


def test_each_release_has_its_own() -> None:
    other = event("waiting", release=8, migrations=["x"])

    assert {number: c.state for number, c in told([*RUNS, other]).items()} == {
        7: "running",
        8: "waiting",
    }


def test_each_try_has_its_receipt() -> None:
    done = event("finished", 30, outcome="done", migrations=NAMES, receipt={"verdict": "online"})

    [run] = contracted([*RUNS, done])

    assert (run["outcome"], run["verdict"]) == ("done", "online")
