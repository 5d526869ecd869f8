"""Alerts and feeds of environment.toml in an environment that runs."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dayfly.clock import wait_until
from dayfly.release.journal import Journal
from fed import Receiver, items, receiving
from production import Production, Project, project, running
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

SETTINGS = """
[logs.alert.tills]
query = "app:shop level:error till"
within = "10m"
more_than = 2
webhook = "http://127.0.0.1:{hook}/"
[logs.feed.elk]
url = "http://127.0.0.1:{elk}"
query = "app:shop level:error"
secret = "ELK_KEY"
[route.safe]
hosts = ["safe.example"]
"""
KEY, PASSWORD = "kX92-open-sesame", "pa55-of-the-till"
SAYS = """'(for n in 1 2 3 4; do echo "ERROR till $n is jammed"; done) & exec python3 app.py'"""


def elastic(number: int, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    if "bulk" not in path:
        return 200, {}
    return 200, {"errors": False, "items": [{"create": {"status": 201}} for _ in items(body)]}


@dataclass(frozen=True)
class Place:
    prod: Production
    hook: Receiver
    elk: Receiver


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with (
        receiving(lambda *_: (200, {})) as hook,
        receiving(elastic) as elk,
        open_folder() as folder,
        running(folder, more=SETTINGS.format(hook=hook.port, elk=elk.port)) as prod,
    ):
        yield Place(prod, hook, elk)


def until(done: Callable[[], object], what: str) -> None:
    wait_until(lambda: bool(done()), seconds=60, what=what, poll=0.3)


def test_what_an_app_writes_raises_an_alert_and_goes_on(place: Place) -> None:
    prod, shop = place.prod, project(place.prod.folder / "shop")
    until(lambda: "feed elk: there is no secret ELK_KEY" in prod.typed("status"), "it is missed")
    assert "calm" in prod.typed("logs", "alerts")
    prod.typed("secret", "set", "ELK_KEY", "--app", "dayfly", given="an-api-key")

    prod.released(shop, jammed(shop))

    until(lambda: place.hook.requests, "the webhook is told")
    told = json.loads(place.hook.requests[0][2])
    assert told["text"].startswith("test: tills: 4 records within 10m (more than 2)")
    assert "alert tills stands since " in prod.typed("status")
    assert "Alert tills" in prod.page("/")
    assert "1 stands" in prod.page("/logs")
    until(lambda: delivered(place.elk), "they are fed on")
    assert delivered(place.elk) == Counter({f"ERROR till {n} is jammed": 1 for n in range(1, 5)})
    assert place.elk.headers[-1]["Authorization"] == "ApiKey an-api-key"
    until(lambda: "ELK_KEY" not in prod.typed("status"), "the problem is over")
    assert "elk   elasticsearch     4" in prod.typed("logs", "feeds")

    assert begun(prod) == ["tills"]

    prod.typed("down")
    prod.typed("up")

    assert "tills  stands since" in prod.typed("logs", "alerts")
    assert len(place.hook.requests) == 1, "a restart repeats nothing"


def test_a_secret_is_not_in_the_log_store(place: Place) -> None:
    prod, shop = place.prod, project(place.prod.folder / "safe")
    for name, value in (("TILL_KEY", KEY), ("TILL_URL", f"smtp://till:{PASSWORD}@mail/")):
        prod.typed("secret", "set", name, "--app", "safe", given=value)
    says = (
        """'echo "ERROR key $TILL_KEY and $TILL_URL";"""
        """ echo "{\\"level\\":\\"warning\\",\\"key\\":\\"$TILL_KEY\\",\\"msg\\":\\"open\\"}";"""
        """ exec python3 app.py'"""
    )
    changes = {
        "[process.web]": 'secrets = ["TILL_KEY", "TILL_URL"]\n[process.web]',
        '"exec python3 app.py"': says,
        "machines = 2": "machines = 1",
    }
    prod.released(shop, shop.commit(changes=changes))

    until(lambda: "open" in prod.typed("logs", "app:safe level:warning"), "it is stored")
    [line] = prod.typed("logs", "app:safe level:error", "--json").splitlines()
    assert json.loads(line)["message"] == "ERROR key •••• and ••••"
    [line] = prod.typed("logs", "app:safe level:warning", "--json").splitlines()
    assert json.loads(line)["fields"]["key"] == "••••"
    for word in (KEY, PASSWORD):
        assert not prod.typed("logs", f'"{word}"').strip()


def begun(prod: Production) -> list[str]:
    """Alerts of which the journal says that they began."""
    journal = Journal(prod.home.journal)
    try:
        events = journal.events(limit=100_000)
    finally:
        journal.close()
    return [event.data["alert"] for event in events if event.kind == "logs.alert.began"]


def jammed(app: Project) -> str:
    return app.commit(
        changes={'"exec python3 app.py"': SAYS, "machines = 2": "machines = 1"},
    )


def delivered(receiver: Receiver) -> Counter[str]:
    bodies = receiver.bodies("/_bulk")
    return Counter(document["message"] for body in bodies for _, document in items(body))


def test_a_query_that_cannot_be_read_starts_nothing(place: Place) -> None:
    prod = place.prod
    prod.typed("down")
    fine = prod.home.environment_toml.read_text()
    prod.home.environment_toml.write_text(fine.replace("level:error till", "level:error ("))

    ran = prod.type("up")

    assert ran.status == 1
    assert "environment.toml:" in ran.said
    assert "logs.alert.tills.query: column 23 of " in ran.said
    prod.home.environment_toml.write_text(fine)
    prod.typed("up")
