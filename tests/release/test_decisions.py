"""Recovery, rollback and watch: the deciding halves, as rows of data."""

import pytest

from dayfly.balancer.accesslog import Traffic
from dayfly.events import Event
from dayfly.release.receipt import rollbacks
from dayfly.release.records import ReleaseRecord
from dayfly.release.recovery import correct_outcomes, decide, had_traffic
from dayfly.release.rollback import Door, target_of
from dayfly.release.watch import judge
from dayfly.release.work import ReleaseError


def record(number: int, outcome: str) -> ReleaseRecord:
    return ReleaseRecord(
        number=number,
        app="orders",
        commit="c" * 40,
        subject="",
        who="me",
        outcome=outcome,  # type: ignore[arg-type]
        started=0.0,
    )


@pytest.mark.parametrize(
    ("serving", "stage", "fate", "why"),
    [
        (None, "", "undo", "before it began"),
        (None, "build", "undo", "'build'"),
        (2, "launch", "undo", "'launch'"),
        (2, "cut over", "undo", "'cut over'"),  # intended, but not on disk
        (3, "cut over", "complete", "'cut over'"),  # on disk, so HAProxy has it or will
        (3, "watch", "complete", "'watch'"),
        (2, "roll back", "undo", "'roll back'"),
        (3, "drain", "complete", "'drain'"),
    ],
)
def test_an_interrupted_release_is_completed_or_undone(
    serving: int | None, stage: str, fate: str, why: str
) -> None:
    """The map on disk decides: who has got the traffic keeps it."""
    decision = decide(record(3, "running"), serving, stage)

    assert fate == decision.fate
    assert why in decision.why


@pytest.mark.parametrize(("serving", "fate"), [(3, "go back"), (2, "undo")])
def test_a_release_that_was_found_bad_gives_its_traffic_back(serving: int, fate: str) -> None:
    assert decide(record(3, "running"), serving, "roll back", going_back=True).fate == fate


@pytest.mark.parametrize(
    ("kind", "steps", "expected"),
    [
        ("step.intended", [], False),
        ("step.intended", ["launch machine", "place"], False),
        ("step.intended", ["place", "cut over"], True),
        ("step.intended", ["place", "cut over", "cut over"], True),  # and back
        ("note", ["cut over"], False),
    ],
)
def test_what_may_have_had_traffic_is_drained(kind: str, steps: list[str], expected: bool) -> None:
    events = [Event(time=0.0, kind=kind, data={"step": step}) for step in steps]

    assert expected == had_traffic(events)


@pytest.mark.parametrize(
    ("outcomes", "serving", "expected"),
    [
        ({2: "serving", 1: "warm"}, 2, {}),
        ({2: "serving", 1: "warm"}, 1, {2: "rolled-back", 1: "serving"}),
        ({3: "running", 2: "serving"}, 3, {2: "warm"}),
        ({3: "running", 2: "warm"}, 2, {2: "serving"}),
        ({1: "serving"}, None, {1: "warm"}),
    ],
)
def test_outcomes_follow_the_map(
    outcomes: dict[int, str], serving: int | None, expected: dict[int, str]
) -> None:
    records = [record(number, outcome) for number, outcome in outcomes.items()]

    assert expected == dict(correct_outcomes(records, serving))


RELEASES = [
    record(6, "serving"), record(5, "failed"), record(4, "rolled-back"), record(3, "warm"),
    record(2, "refused"), record(1, "retired"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("serving", "wanted", "target"), [(6, None, 3), (6, 1, 1), (6, 4, 4), (3, None, 1)]
)
def test_a_rollback_goes_to_the_newest_good_release_before(
    serving: int, wanted: int | None, target: int
) -> None:
    assert target == target_of(RELEASES, serving, wanted).number


@pytest.mark.parametrize(
    ("serving", "wanted", "why"),
    [
        (6, 6, "serves already"),
        (6, 5, "never served"),
        (6, 99, "never served"),
        (1, None, "no ear"),
    ],
)
def test_a_rollback_to_nowhere_is_refused(serving: int, wanted: int | None, why: str) -> None:
    with pytest.raises(ReleaseError, match=why):
        target_of(RELEASES, serving, wanted)


@pytest.mark.parametrize(
    ("serving", "wanted", "door", "target"),
    [
        (6, None, "unfit", 6),
        (6, 6, "unfit", 6),
        (6, 6, "closed", 6),
        (6, None, "closed", 3),  # its schema is as it needs it, so something else is wanted
        (6, 1, "unfit", 1),
    ],
)
def test_a_rollback_to_what_serves_opens_an_app_that_is_closed(
    serving: int, wanted: int | None, door: Door, target: int
) -> None:
    assert target_of(RELEASES, serving, wanted, door=door).number == target


def test_releases_whose_migration_was_undone_are_not_offered() -> None:
    assert target_of(RELEASES, 6, None, lacking={3}).number == 1
    with pytest.raises(ReleaseError) as caught:
        target_of(RELEASES, 6, 5, lacking={4})
    assert caught.value.hint == "to go back to: 3, 1"


def test_without_an_earlier_release_a_rollback_names_the_later_one() -> None:
    with pytest.raises(ReleaseError) as caught:
        target_of([record(2, "rolled-back"), record(1, "serving")], 1, None)
    assert "`dayfly rollback --to 2`" in caught.value.hint


def traffic(requests: int, errors: int = 0, p99: int = 20, lost: int = 0) -> Traffic:
    return Traffic(
        requests=requests, lost=lost, aborted=0, retried=0, errors=errors, p50_ms=5.0, p99_ms=p99
    )


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (None, traffic(0), "inconclusive"),
        (traffic(1000), traffic(10), "inconclusive"),
        (traffic(1000), traffic(10, errors=5), "breach"),
        (traffic(1000), traffic(500), "good"),
        (traffic(1000), traffic(500, errors=2), "good"),
        (traffic(1000), traffic(500, errors=20), "breach"),
        (traffic(1000, errors=50), traffic(500, errors=25), "good"),
        (traffic(1000), traffic(500, lost=450), "breach"),
        (traffic(1000), traffic(10, lost=5), "breach"),
        (traffic(1000, p99=100), traffic(500, p99=200), "good"),
        (traffic(1000, p99=100), traffic(500, p99=900), "breach"),
        (traffic(1000, p99=1), traffic(500, p99=40), "good"),
        (traffic(1000, p99=100), traffic(100, p99=900), "good"),
        (traffic(10, p99=100), traffic(500, p99=900), "good"),
        (None, traffic(500, errors=20), "breach"),
        (None, traffic(500, p99=5000), "good"),
    ],
)
def test_the_watch_judges(before: Traffic | None, now: Traffic, verdict: str) -> None:
    assert verdict == judge(before, now, times=True).verdict


def test_each_rollback_that_moved_traffic_keeps_its_receipt() -> None:
    told = [
        ("rollback.started", {"who": "ida"}),
        ("rollback.finished", {"outcome": "serving", "receipt": {"cutover_seconds": 0.01}}),
        ("rollback.started", {"who": "tom"}),
        ("rollback.finished", {"outcome": "serving", "reason": "release 3 was stopped"}),
        ("rollback.started", {"who": "eve"}),
    ]
    events = [Event(time=float(at), kind=kind, data=data) for at, (kind, data) in enumerate(told)]

    found = rollbacks(events)

    assert [(each["who"], each.get("cutover_seconds")) for each in found] == [("ida", 0.01)]
