"""Scheduled jobs that can't be started: told, and in nobody's way."""

import time
from pathlib import Path

import pytest

import apps
from dayfly.balancer.routing import Routing, Server, Slot
from dayfly.balancer.state import write_routing
from dayfly.command import output_of
from dayfly.config.home import Home, create
from dayfly.environment.environment import open_parts
from dayfly.events import Event
from dayfly.release.jobs import Scheduler
from dayfly.release.records import Order
from dayfly.release.work import Parts

MINUTELY = """
[job.tally]
run = "true"
schedule = "* * * * *"

[job.report]
run = "true"
schedule = "* * * * *"
"""


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """An environment whose `kinds` serves, with two jobs that are due, and whose image is lost."""
    home = Home(tmp_path / "home")
    create(home)
    parts = open_parts(home)
    project = apps.repository(tmp_path / "kinds")
    commit = apps.commit(project, more=MINUTELY)
    output_of(["git", "clone", "--quiet", "--bare", str(project), str(home.sources / "kinds.git")])
    broken = parts.journal.open_release(Order(app="broken", commit="c" * 40, subject="", who="ida"))
    kinds = parts.journal.open_release(Order(app="kinds", commit=commit, subject="", who="ida"))
    slots = {
        f"slot-{record.number:03d}": Slot(
            app=record.app,
            release=record.number,
            servers=(Server(name=f"{record.app}-1-web-1", address="127.0.0.1:20000"),),
        )
        for record in (broken, kinds)
    }
    home.balancer.mkdir(exist_ok=True)
    serving = {slot.app: name for name, slot in slots.items()}
    write_routing(home.balancer, Routing(slots=slots, serving=serving))
    for job in ("tally", "report"):
        parts.journal.take_tick("kinds", job, time.time() - 120)
    return parts


def failures(parts: Parts) -> list[Event]:
    return [event for event in parts.journal.events() if event.kind == "job.failed"]


def test_each_job_that_can_not_start_is_told_once(parts: Parts) -> None:
    """Neither another job nor another app, whose settings can't be read, keeps it from its turn."""
    scheduler = Scheduler(parts, set())

    scheduler.round()
    scheduler.round()

    assert {event.data["job"] for event in failures(parts)} == {"tally", "report"}
    assert {event.app for event in failures(parts)} == {"kinds"}
    assert "no longer kept" in failures(parts)[0].data["reason"]
