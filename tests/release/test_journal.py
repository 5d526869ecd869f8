"""The journal keeps what it was told, also when its writer is killed."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dayfly.events import Event
from dayfly.release import bridges, contracts
from dayfly.release.alerts import ALERT, OPENED
from dayfly.release.closing import CLOSE
from dayfly.release.journal import PASSING, Journal, JournalError
from dayfly.release.records import Order
from dayfly.release.waiting import WAITS

ORDER = Order(app="orders", commit="c" * 40, subject="Add priority", who="ada")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


def test_a_release_goes_from_running_to_its_outcome(journal: Journal) -> None:
    number = journal.open_release(ORDER).number
    assert [number] == [record.number for record in journal.unfinished()]

    journal.conclude(number, "serving")

    assert journal.unfinished() == []
    assert journal.release(number).outcome == "serving"
    assert journal.events()[-1].kind == "release.finished"


def test_a_release_that_lost_the_traffic_stays_warm_for_a_while(journal: Journal) -> None:
    number = journal.open_release(ORDER).number
    journal.conclude(number, "serving")

    journal.leave(number, "warm", warm=600)

    record = journal.release(number)
    assert record.outcome == "warm"
    assert record.warm_until == pytest.approx((record.left_at or 0) + 600)


def test_a_step_has_intent_and_outcome(journal: Journal) -> None:
    with journal.step("launch machine", release=1, app="orders", machine="orders-1-web-1"):
        assert [event.kind for event in journal.events()] == ["step.intended"]

    with pytest.raises(ValueError, match="no"), journal.step("place", release=1, app="orders"):
        raise ValueError("no")

    outcomes = [e.data.get("outcome") for e in journal.events() if e.kind == "step.done"]
    assert outcomes == ["done", "failed"]


def test_what_is_still_to_be_done_outlives_what_was_told(journal: Journal) -> None:
    over, serving, waiting = (journal.open_release(ORDER).number for _ in range(3))
    journal.record("server.restarted")
    for number in (over, serving, waiting):
        for kind in (contracts.WAITING, bridges.BUILT, "cutover", ALERT, WAITS):
            journal.record(kind, release=number, app="orders")
        for kind in ("output", "note", "job.finished", "traffic"):
            journal.record(kind, release=number, app="orders")
        for step in ("start job", CLOSE):
            with journal.step(step, release=number, app="orders"):
                pass
    for number, outcome in ((over, "retired"), (serving, "serving"), (waiting, "waiting")):
        journal.conclude(number, outcome)
    before = {number: journal.events(release=number) for number in (over, serving, waiting)}

    journal.forget_passing(time.time() + 1)

    kept = [contracts.WAITING, bridges.BUILT, "cutover", ALERT, WAITS, "step.intended", "step.done"]
    for number in (over, serving):
        found = journal.events(release=number)
        assert [event.kind for event in found] == [*kept, "release.finished"]
        assert {event.data["step"] for event in found if "step" in event.data} == {CLOSE}
    assert journal.events(release=waiting) == before[waiting]
    assert len(journal.events()) == 2 * 8 + len(before[waiting])


@pytest.mark.parametrize(
    "kinds",
    [
        (contracts.WAITING, contracts.STARTED, contracts.FINISHED, contracts.UNDONE),
        (bridges.BUILT, bridges.GONE),
        (ALERT, OPENED, "cutover"),
        (WAITS,),
        ("release.started", "rollback.started", "rollback.finished", "step.intended"),
    ],
)
def test_nothing_that_is_asked_for_later_passes(kinds: tuple[str, ...]) -> None:
    assert PASSING.isdisjoint(kinds)


def test_names_of_machines_are_never_given_again(journal: Journal) -> None:
    record = journal.open_release(ORDER)
    first = journal.name_machine(record, "web", "process")
    journal.machine_gone(first, reason="died")

    assert first == "orders-1-web-1"
    assert journal.name_machine(record, "web", "process") == "orders-1-web-2"
    assert journal.name_machine(record, "worker", "process") == "orders-1-worker-1"


def test_a_tick_is_taken_once(journal: Journal) -> None:
    assert journal.take_tick("orders", "nightly", 100.0)
    assert not journal.take_tick("orders", "nightly", 100.0)
    assert journal.last_tick("orders", "nightly") == 100.0
    assert journal.last_tick("orders", "other") is None


def test_subscribers_hear_what_is_written(journal: Journal) -> None:
    heard: list[Event] = []
    end = journal.subscribe(heard.append)

    journal.record("note", release=1, message="hello")
    end()
    journal.record("note", release=1, message="nobody hears")

    assert [event.data["message"] for event in heard] == ["hello"]
    assert heard[0].number == journal.events()[0].number


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    """A writer killed right after its call leaves the intent in the file."""
    path = tmp_path / "journal.db"
    program = (
        "import os, signal; from pathlib import Path\n"
        "from dayfly.release.journal import Journal\n"
        f"with Journal(Path({str(path)!r})).step('cut over', release=7, app='orders'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)

    assert killed.returncode == -9
    events = Journal(path).events(release=7)
    assert [(event.kind, event.data["step"]) for event in events] == [("step.intended", "cut over")]


def test_a_damaged_journal_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is not a database, and long enough to be looked at" * 100)

    with pytest.raises(sqlite3.DatabaseError):
        Journal(path)


def test_a_full_disk_is_told_and_nothing_is_half_written(journal: Journal) -> None:
    """SQLite itself refuses to grow the file, as on a full disk; once it may again, it goes on."""
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]  # noqa: SLF001
    journal._db.execute(f"PRAGMA max_page_count = {pages}")  # noqa: SLF001

    with pytest.raises(JournalError, match="full"):
        journal.record("note", message="x" * 1_000_000)
    last = journal.last_event()
    journal._db.execute("PRAGMA max_page_count = 1000000")  # noqa: SLF001

    assert journal.record("note", message="space again").number == last + 1


def test_a_rollback_without_an_end_is_found(journal: Journal) -> None:
    journal.record("rollback.started", release=1, app="orders", who="ada")
    journal.record("rollback.finished", release=1, app="orders", outcome="serving")
    assert journal.unended("rollback") == []

    began = journal.record("rollback.started", release=1, app="orders", who="ada")
    assert journal.unended("rollback") == [began]


def test_what_is_told_of_an_end_is_written_with_it(journal: Journal) -> None:
    """Or whoever follows a release across a crash would wait for ever."""
    number = journal.open_release(ORDER).number
    seen: list[tuple[str, str]] = []
    journal.subscribe(lambda event: seen.append((event.kind, journal.release(number).outcome)))

    journal.conclude(number, "failed", "no")

    assert seen == [("release.finished", "failed")]
