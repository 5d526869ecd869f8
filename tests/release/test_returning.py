"""Back over releases that closed the way: the deciding halves, as rows of data."""

import json
from pathlib import Path

import pytest

from dayfly.events import Event
from dayfly.release.preserving import Preserved, aside_of, kept, mark_restored
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
    ("began", "steps", "serving", "door"),
    [
        ("rollback.started", ["close"], 7, "open"),
        ("rollback.started", ["close", "restore"], 7, "tell"),
        ("rollback.started", ["close", "restore", "place", "cut over"], 6, "open"),
        ("rollback.started", [], 7, "leave"),
        ("release.started", ["close"], 7, "leave"),
        ("release.started", ["close", "restore"], None, "leave"),
    ],
)
def test_a_closed_app_opens_where_its_schema_fits_what_serves(
    began: str, steps: list[str], serving: int | None, door: str
) -> None:
    events = [
        event("rollback.started", 3),
        event("step.intended", 3, step="close"),
        event(began, 6),
        *(event("step.intended", 6, step=step) for step in steps),
    ]

    assert decide(Interrupted.of(events), serving) == door


def test_without_a_journal_a_closed_app_is_left_alone() -> None:
    assert decide(Interrupted.of([]), None) == "leave"


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
