"""Back over releases that closed the way: the deciding halves, as rows of data."""

import json
from pathlib import Path

import pytest

from dayfly.events import Event
from dayfly.release import untouched
from dayfly.release.alerts import told
from dayfly.release.downtime import way_on
from dayfly.release.exported import Preserved, aside_of, kept, mark_restored
from dayfly.release.records import ReleaseRecord
from dayfly.release.reopening import Interrupted, decide
from dayfly.release.returning import Crossed
from dayfly.release.wayback import closed

SHUT = {"verdict": "downtime", "rollback": {"state": "closed", "loses": ["orders.note"]}}
OPEN = {"verdict": "online", "rollback": {"state": "proven", "loses": []}}


def event(kind: str, release: int = 0, **data: object) -> Event:
    return Event(time=0.0, kind=kind, release=release, app="orders", data=data)


ASSESSED, MIGRATED = event("assessed", **SHUT), event("stage.started", stage="migrate")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], False),
        ([ASSESSED], False),  # refused: nothing ran
        ([MIGRATED], False),
        ([ASSESSED, MIGRATED], True),
        ([event("assessed", **OPEN), MIGRATED], False),
        ([ASSESSED, event("assessed", **OPEN), MIGRATED], False),  # looked at again in its window
        ([event("assessed", verdict="unassessed"), MIGRATED], False),
    ],
)
def test_a_migration_that_ran_may_have_closed_the_way(events: list[Event], expected: bool) -> None:
    assert closed(events) == expected


@pytest.mark.parametrize(
    ("began", "steps", "serving", "fits", "door"),
    [
        ("rollback.started", ["close"], 7, True, "open"),
        ("rollback.started", ["close"], 7, False, "leave"),  # an alert says so already
        ("rollback.started", ["close", "restore"], 7, True, "tell"),  # it may be back, unwritten
        ("rollback.started", ["close", "restore", "cut over"], 6, True, "open"),
        ("rollback.started", ["close", "restore"], 6, False, "tell"),  # it served already
        ("rollback.started", ["close", "restore"], 6, True, "open"),
        ("release.started", ["close"], 7, True, "open"),  # nothing was touched
        ("release.started", ["close", "migrate"], 7, False, "leave"),
        ("release.started", ["close", "migrate", "restore"], 7, True, "open"),
        ("release.started", ["close", "migrate", "cut over"], 6, True, "open"),
        ("release.started", ["close", "restore"], None, False, "leave"),
    ],
)
def test_a_closed_app_opens_where_its_schema_fits_what_serves(
    began: str, steps: list[str], serving: int | None, door: str, *, fits: bool
) -> None:
    events = [
        event("rollback.started", 3),
        event("step.intended", 3, step="close"),
        event("step.intended", 3, step="restore"),
        event(began, 6),
        *(event("step.intended", 6, step=step) for step in steps),
        event("release.started", 8),  # refused: it is not the one that closed it
    ]

    assert decide(Interrupted.of(events), serving, fits=fits) == door


def test_without_a_journal_a_closed_app_is_left_alone() -> None:
    assert decide(Interrupted.of([]), 7, fits=True) == "leave"


@pytest.mark.parametrize(
    ("serving", "why", "command"),
    [
        (10, "", "`dayfly rollback` tries again, and opens release 10"),
        (10, "no way", '`dayfly rollback --accept-loss "REASON"` opens release 10'),
        (10, None, '`dayfly rollback --accept-loss "REASON"` opens release 10'),
        (None, "", "`dayfly release --now`"),
    ],
)
def test_one_command_opens_what_could_not_be_undone(
    tmp_path: Path, serving: int | None, why: str | None, command: str
) -> None:
    found = None if why is None else export(tmp_path / "orders" / "11", why)

    assert command in way_on(serving, found)


CUTOVER, OPENED_AGAIN = event("cutover"), event("opened")
SHUT_DOOR = event("alert", message="the app stays closed", closed=True)
BREACH = event("alert", message="its migration closed the way back")


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        ([SHUT_DOOR, SHUT_DOOR], ["the app stays closed"]),
        ([BREACH, SHUT_DOOR, OPENED_AGAIN], ["its migration closed the way back"]),
        ([BREACH, SHUT_DOOR, CUTOVER], []),
        ([CUTOVER, SHUT_DOOR], ["the app stays closed"]),
    ],
)
def test_an_alert_stands_until_it_is_not_true_any_more(
    events: list[Event], standing: list[str]
) -> None:
    assert [alert.message for alert in told(events)] == standing


def export(folder: Path, why: str = "") -> Preserved:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "restoration.json").write_text(json.dumps({"statements": [], "why": why}))
    return Preserved(name=folder.name, app=folder.parent.name, folder=folder)


RECORD = ReleaseRecord(
    number=7, app="orders", commit="c" * 40, subject="", who="me", outcome="serving", started=0.0
)


@pytest.mark.parametrize(
    ("preserved", "why", "told"),
    [
        (False, "", "nothing of it was preserved"),
        (True, "", ""),
        (True, "large_shops is there", "it cannot be brought back: large_shops is there"),
    ],
)
def test_what_a_release_costs_on_the_way_back(
    tmp_path: Path, preserved: bool, why: str, told: str
) -> None:
    found = export(tmp_path / "orders" / "7", why) if preserved else None
    one = Crossed(record=RECORD, loses=("orders.note",), export=found)

    assert one.why == told
    assert one.told == "release 7: orders.note"


def test_what_was_dropped_is_not_counted_on(tmp_path: Path) -> None:
    found = export(tmp_path / "orders" / "7")
    dropped = {"time": 0.0, "who": "ann", "why": "they asked to be forgotten"}
    (found.folder / "dropped.json").write_text(json.dumps(dropped))
    one = Crossed(record=RECORD, loses=("orders.note",), export=found)

    assert not one.comes_back
    assert one.why == (
        "it cannot be brought back: ann dropped it (1970-01-01T00:00:00.000+00:00): "
        "they asked to be forgotten"
    )


def test_an_export_without_a_manifest_does_not_count(tmp_path: Path) -> None:
    one = export(tmp_path / "7")
    assert kept(one.folder)

    (one.folder / "manifest.json").unlink()

    assert not kept(one.folder)


def test_what_is_put_aside_gets_the_next_number(tmp_path: Path) -> None:
    one = export(tmp_path / "7")
    assert aside_of(one).name == "7.1"

    export(tmp_path / "7.1")
    export(tmp_path / "7.4")

    assert aside_of(one).name == "7.5"


def test_a_restored_export_says_when(tmp_path: Path) -> None:
    one = export(tmp_path / "7")
    assert one.restored is None

    mark_restored(one)

    assert one.restored is not None


def test_an_export_of_a_migration_that_left_nothing_is_settled(tmp_path: Path) -> None:
    one = export(tmp_path / "7")
    assert not one.settled

    untouched.mark(one.folder)

    assert one.settled
    assert one.restored is None  # nothing was taken back from those that came later
