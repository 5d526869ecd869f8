"""Whoever wants to know of releases is told, once, of those that fail."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dayfly.clock import wait_until
from dayfly.config.environment import Environment as Settings
from dayfly.config.environment import ReleaseAlert
from dayfly.config.home import Home, create
from dayfly.environment.alerting.alerts import Alerts
from dayfly.environment.alerting.releases import message_of
from dayfly.events import Event
from dayfly.release.journal import Journal
from dayfly.release.records import Order
from fed import Receiver, receiving

SECONDS = 20.0


@pytest.mark.parametrize(
    ("kind", "data", "news"),
    [
        ("release.finished", {"outcome": "failed", "reason": "no"}, "failed"),
        ("release.finished", {"outcome": "rolled-back", "reason": "5 % failed"}, "rolled-back"),
        ("release.finished", {"outcome": "serving", "reason": ""}, None),
        ("release.finished", {"outcome": "refused", "reason": "a window"}, None),
        ("rollback.finished", {"outcome": "failed", "reason": "no"}, "failed"),
        ("rollback.finished", {"outcome": "serving", "reason": ""}, None),
        ("alert", {"message": "it stays closed", "closed": True}, "attention"),
        ("machine.drifted", {"message": "it is replaced", "deed": "replaced"}, "attention"),
        ("step.done", {"step": "boot", "outcome": "failed"}, None),
        ("job.failed", {"job": "export", "reason": "no"}, None),
    ],
)
def test_what_is_told_of_what_happens(kind: str, data: dict[str, Any], news: str | None) -> None:
    message = message_of(Event(time=1.0, kind=kind, app="orders", release=4, data=data))

    assert (message and message.news) == news
    assert not message or (message.app, message.release) == ("orders", 4)
    assert not message or message.says == data.get("reason", data.get("message"))


@contextmanager
def alerting(home: Home, journal: Journal, told: ReleaseAlert) -> Iterator[Alerts]:
    settings = Settings(name="prod", alert={"releases": told})
    alerts = Alerts(home, settings, tuple, happened=journal)
    alerts.start()
    try:
        yield alerts
    finally:
        alerts.close()


def test_a_failed_release_is_told_once_also_after_a_restart(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    create(home)
    journal = Journal(home.journal)
    answers = [503, *[200] * 9]
    with receiving(lambda *_: (answers.pop(0), {})) as hook:
        told = ReleaseAlert(apps=("orders",), webhook=f"http://127.0.0.1:{hook.port}/")
        fail(journal, "orders", "before anybody wanted to know")
        with alerting(home, journal, told) as alerts:
            wait_until(home.alerts.exists, seconds=SECONDS, what="it has begun")
            fail(journal, "shop", "of another app")
            fail(journal, "orders", "web-1 was not healthy within 30 s\nand more")
            wait_until(lambda: len(hook.requests) == 2, seconds=SECONDS, what="told twice")
            wait_until(lambda: not alerts.untold(), seconds=SECONDS, what="nothing is left")
        journal.record("alert", release=2, app="orders", message="it stays closed", closed=True)
        with alerting(home, journal, told):
            wait_until(lambda: len(hook.requests) == 3, seconds=SECONDS, what="told after a start")

    refused, taken, later = map(json.loads, bodies(hook))
    assert refused == taken
    assert taken.pop("id")
    assert taken.pop("time").startswith(time.strftime("%Y-%m-%dT"))
    assert taken == {
        "text": "prod: release 3 of orders failed: web-1 was not healthy within 30 s",
        "environment": "prod",
        "alert": "releases",
        "news": "failed",
        "app": "orders",
        "release": 3,
        "reason": "web-1 was not healthy within 30 s",
    }
    assert later["text"] == "prod: orders: it stays closed"
    journal.close()


def fail(journal: Journal, app: str, reason: str) -> None:
    record = journal.open_release(Order(app=app, commit="3f2a1bc9", subject="Add", who="ann"))
    journal.conclude(record.number, "failed", reason)


def bodies(hook: Receiver) -> list[bytes]:
    return [body for _, _, body in hook.requests]
