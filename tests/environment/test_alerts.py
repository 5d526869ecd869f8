"""Alerts that ask a real log store, and tell a real webhook and real commands."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from asked import Server, serving
from dayfly.clock import SECOND, wait_until
from dayfly.config.environment import Environment as Settings
from dayfly.config.environment import LogAlert, Logs
from dayfly.config.home import Home, create
from dayfly.config.secrets import Secrets
from dayfly.config.units import Duration
from dayfly.environment.alerting.alerts import Alerts
from dayfly.logs.query.instants import iso
from fed import Receiver, receiving

PATIENCE = 30.0
SHORT, LASTING = Duration(3), Duration(60)
ALERT = LogAlert(query="app:orders level:error", within=SHORT, more_than=2)
SECRET = "a-secret-of-the-hook"


@dataclass
class Watched:
    """An environment whose log store runs, as far as alerts need one."""

    home: Home
    store: Server
    closed: set[str] = field(default_factory=set)
    happened: list[str] = field(default_factory=list)

    def errors(self, number: int, *, app: str = "orders") -> None:
        now = iso(time.time_ns())
        self.store.ingest(
            *(
                {"time": now, "app": app, "level": "error", "message": f"no {n}"}
                for n in range(number)
            )
        )

    def _emit(self, kind: str, **data: object) -> None:
        self.happened.append(f"{kind} {data['alert']} {data['query']}")

    @contextmanager
    def alerting(self, alert: LogAlert) -> Iterator[Alerts]:
        settings = Settings(name="prod", logs=Logs(alert={"errors": alert}))
        alerts = Alerts(self.home, settings, lambda: self.closed, self._emit)
        alerts.start()
        try:
            yield alerts
        finally:
            alerts.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    home = Home(tmp_path / "home")
    create(home)
    token = (home.logs / "token").read_text().strip()
    with serving(tmp_path / "store", token=token, now=time.time) as store:
        address = store.address.removeprefix("http://")
        (home.logs / "settings.json").write_text(json.dumps({"listen": address}))
        yield Watched(home, store)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiving(lambda _number, _path, _body: (200, {})) as receiver:
        yield receiver


def told(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in hook.requests]


def until(done: Callable[[], object], what: str) -> None:
    wait_until(lambda: bool(done()), seconds=PATIENCE, what=what, poll=0.1)


def to(hook: Receiver, alert: LogAlert = ALERT) -> LogAlert:
    return replace(alert, webhook=f"http://127.0.0.1:{hook.port}/hooks/dayfly?room=ops")


def test_a_webhook_is_told_when_it_begins_and_when_it_has_ended(
    watched: Watched, hook: Receiver
) -> None:
    with watched.alerting(to(hook)) as alerts:
        until(lambda: alerts.told()[0]["looked"], "a first look")
        assert alerts.told()[0]["state"] == "calm"
        watched.errors(2)
        watched.errors(9, app="shop")
        time.sleep(2.5)
        assert told(hook) == []

        watched.errors(3)
        until(lambda: len(hook.requests) == 1, "the webhook is told")
        assert alerts.told()[0]["state"] == "stands"
        until(lambda: len(hook.requests) == 2, "the webhook is told that it has ended")

    first, last = told(hook)
    assert (first["news"], last["news"]) == ("began", "ended")
    assert first["text"].startswith("prod: errors: ")
    assert first["text"].endswith("records within 3s (more than 2): app:orders level:error")
    assert first["count"] >= 3
    assert first["since"] == last["since"]
    assert first["id"] != last["id"]
    assert [path for _, path, _ in hook.requests] == ["/hooks/dayfly?room=ops"] * 2
    assert "Authorization" not in hook.headers[0]
    assert watched.happened == [
        "logs.alert.began errors app:orders level:error",
        "logs.alert.ended errors app:orders level:error",
    ]


def test_a_command_is_told_too(watched: Watched, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    command = f'echo "$DAYFLY_ALERT $DAYFLY_NEWS $DAYFLY_COUNT: $DAYFLY_MESSAGE" >>{heard}'
    with watched.alerting(replace(ALERT, command=command)):
        watched.errors(3)
        until(heard.exists, "the command runs")

    assert heard.read_text().startswith("errors began 3: prod: errors: 3 records within 3s")


def test_what_is_missing_is_told(watched: Watched, hook: Receiver) -> None:
    alert = LogAlert(query="heartbeat", within=SHORT, fewer_than=1)
    with watched.alerting(to(hook, alert)) as alerts:
        until(lambda: told(hook), "silence is told")
        assert [each["news"] for each in told(hook)] == ["began"]
        watched.store.ingest({"time": iso(time.time_ns() + SECOND), "message": "heartbeat"})
        until(lambda: len(hook.requests) > 1 or alerts.told()[0]["count"], "it is heard again")


def test_a_restart_repeats_nothing(watched: Watched, hook: Receiver) -> None:
    lasting = replace(to(hook), within=LASTING)
    with watched.alerting(lasting):
        watched.errors(3)
        until(lambda: told(hook), "the webhook is told")
        time.sleep(1)

    with watched.alerting(lasting) as alerts:
        until(lambda: alerts.told()[0]["looked"], "a look")
        assert alerts.told()[0]["state"] == "stands"
        time.sleep(3)
    assert len(hook.requests) == 1


def test_a_webhook_that_fails_is_shown_and_told_again(watched: Watched) -> None:
    def answer(number: int, _path: str, _body: bytes) -> tuple[int, dict[str, str]]:
        return (200, {}) if number > 2 else (503, {"error": "not now"})

    with receiving(answer) as hook, watched.alerting(replace(to(hook), within=LASTING)) as a:
        watched.errors(3)
        until(lambda: a.told()[0]["problems"], "the problem is shown")
        [problem] = a.told()[0]["problems"]
        until(lambda: not a.told()[0]["problems"], "it is taken in the end")
        time.sleep(1)

    assert problem.startswith("webhook: http://127.0.0.1 answers 503: ")
    assert "room=ops" not in problem, "what follows the host may be as good as a password"
    assert len(hook.requests) == 3
    assert len({each["id"] for each in told(hook)}) == 1, "the same message each time"


def test_what_was_not_told_is_told_after_a_restart(watched: Watched) -> None:
    with receiving(lambda *_: (503, {})) as away:
        lasting = replace(to(away), within=LASTING)
        with watched.alerting(lasting):
            watched.errors(3)
            until(lambda: away.requests, "it is tried")
            first = told(away)[0]["id"]

    with receiving(lambda *_: (200, {})) as hook:
        with watched.alerting(replace(to(hook), within=LASTING)):
            until(lambda: hook.requests, "it is told")
            time.sleep(1)
        assert [each["id"] for each in told(hook)] == [first]


def test_a_secret_is_shown_to_the_webhook_and_a_missing_one_is_told(
    watched: Watched, hook: Receiver
) -> None:
    lasting = replace(to(hook), within=LASTING, webhook_secret="HOOK_TOKEN")
    with watched.alerting(lasting) as alerts:
        watched.errors(3)
        until(lambda: alerts.told()[0]["problems"], "the problem is shown")
        [problem] = alerts.told()[0]["problems"]
        Secrets(watched.home.secrets).set("dayfly", "HOOK_TOKEN", SECRET)
        until(lambda: hook.requests, "it is told once there is one")

    assert "no value for the secret HOOK_TOKEN" in problem
    assert hook.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in watched.home.alerts.read_text()


def test_it_is_silent_while_a_release_keeps_the_app_closed(
    watched: Watched, hook: Receiver
) -> None:
    watched.closed.add("orders")
    with watched.alerting(to(hook)) as alerts:
        watched.errors(5)
        time.sleep(4)
        assert alerts.told()[0]["silent"]
        assert not hook.requests
        watched.closed.clear()
        until(lambda: not alerts.told()[0]["silent"], "it looks again")
        # They go on: a busy machine may look later than those of a moment count.
        until(lambda: watched.errors(5) or hook.requests, "it is told")


def test_a_store_that_is_away_is_a_problem_and_no_alert(
    watched: Watched, hook: Receiver, tmp_path: Path
) -> None:
    (watched.home.logs / "settings.json").write_text('{"listen": "127.0.0.1:9"}')
    alert = LogAlert(query="heartbeat", within=Duration(1), fewer_than=1)
    with watched.alerting(to(hook, alert)) as alerts:
        until(lambda: alerts.told()[0]["problems"], "the problem is shown")
        time.sleep(2.5)

    assert "The log store does not answer" in alerts.told()[0]["problems"][0]
    assert alerts.told()[0]["state"] == "calm"
    assert not hook.requests


def test_a_damaged_file_stops_nothing(watched: Watched, hook: Receiver) -> None:
    watched.home.alerts.write_text("{")
    with watched.alerting(to(hook)):
        watched.errors(3)
        until(lambda: hook.requests, "it is told")

    assert json.loads(watched.home.alerts.read_text())["errors"]["since"]


def test_an_alert_that_is_no_longer_declared_is_forgotten(watched: Watched) -> None:
    with watched.alerting(replace(ALERT, command="true")):
        watched.errors(3)
        until(watched.home.alerts.exists, "something is known of it")

    settings = Settings(logs=Logs(alert={"others": replace(ALERT, command="true")}))
    alerts = Alerts(watched.home, settings, lambda: ())
    assert [each["alert"] for each in alerts.told()] == ["others"]
    alerts.start()
    alerts.close()
    assert "errors" not in json.loads(watched.home.alerts.read_text())
