"""Alerts on the pages: which stand, what is wrong with them, and what they find."""

from html import unescape
from typing import Any

import pytest

from asked import Server
from fake_server import FakeEnvironment
from fake_server.lines import ATTACKS
from fake_server.visitor import Visitor


def alert(**more: object) -> dict[str, Any]:
    return {
        "alert": "errors",
        "query": "app:orders level:error",
        "threshold": "more than 20",
        "within": "5m",
        "state": "stands",
        "since": "2026-11-27T10:00:00.000+00:00",
        "count": 37,
        "looked": "2026-11-27T10:05:00.000+00:00",
        "silent": False,
        "ways": ["webhook"],
        "problems": [],
        **more,
    }


CALM = alert(alert="backup", state="calm", since=None, threshold="fewer than 1", count=None)


def test_the_logs_show_all_of_them_and_those_that_stand_first(
    environment: FakeEnvironment, visitor: Visitor, store: Server
) -> None:
    environment.alerts_ = [CALM, alert(problems=["webhook: https://hook answers 503"])]

    body = unescape(visitor.get("/logs")[1])

    assert "Alerts (2)" in body
    assert "1 stands" in body
    assert '<a href="/logs?query=app%3Aorders+level%3Aerror&since=5m">errors</a>' in body
    assert "stands since" in body
    assert "37 in 5m, more than 20" in body
    assert "- in 5m, fewer than 1" in body
    assert "webhook: https://hook answers 503" in body
    assert body.index(">errors</a>") < body.index(">backup</a>")


def test_without_alerts_nothing_is_said_of_them(visitor: Visitor, store: Server) -> None:
    assert 'id="alerts"' not in visitor.get("/logs")[1]


def test_the_overview_shows_what_somebody_has_to_know(
    environment: FakeEnvironment, visitor: Visitor
) -> None:
    environment.status_["alerts"] = [alert(problems=["webhook: a", "command: b"])]

    body = " ".join(unescape(visitor.get("/")[1]).split())

    assert '<a href="/logs?query=app%3Aorders+level%3Aerror&since=5m">Alert errors</a>' in body
    assert "stands: 37 in 5m, more than 20. webhook: a; command: b" in body


@pytest.mark.parametrize("attack", ATTACKS[:5])
def test_what_an_alert_says_is_escaped(
    environment: FakeEnvironment, visitor: Visitor, store: Server, attack: str
) -> None:
    environment.alerts_ = environment.status_["alerts"] = [alert(problems=[attack], query=attack)]

    for path in ("/", "/logs"):
        assert "<script>alert" not in visitor.get(path)[1].lower()
