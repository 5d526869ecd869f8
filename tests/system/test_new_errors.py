"""A release whose logs have an error that the outgoing one never wrote goes back by itself."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import traffic
from dayfly.clock import wait_until
from production import Production, Project, assert_serving, project, running
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.sampled(2, of="file"),
]

STEADY = traffic.kinds("get", "keepalive", rate=40)
SAYS = """'(n=0; while sleep 0.3; do n=$((n+1)); echo "{line}"; done) & exec python3 app.py'"""
USUAL = "ERROR order $n: no such customer"


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def checkout(prod: Production) -> Project:
    return project(prod.folder / "shop")


@pytest.fixture
def shop(prod: Production, checkout: Project) -> Project:
    """An application whose serving release writes an error again and again."""
    number = prod.released(checkout, commit(checkout, USUAL, new_errors=0))
    asked = f"app:shop release:{number} level:error"
    wait_until(
        lambda: "no such customer" in prod.typed("logs", asked),
        seconds=30,
        what="its error is in the log store",
        poll=0.5,
    )
    return checkout


def commit(app: Project, line: str, *, new_errors: int = 2) -> str:
    return app.commit(
        changes={
            '"exec python3 app.py"': SAYS.format(line=line),
            "machines = 2": "machines = 1",
            'watch        = "2s"': f'watch = "6s"\nnew_errors = {new_errors}',
            'warm         = "10m"': 'warm = "1s"',
        }
    )


@contextmanager
def loaded(prod: Production) -> Iterator[None]:
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        yield
        tally = load.stop()
    assert not tally.failures, tally.told()


def test_an_error_that_is_new_moves_the_traffic_back(prod: Production, shop: Project) -> None:
    serving = prod.serving("shop")
    with loaded(prod):
        ran = prod.release(shop, commit(shop, "ERROR order $n: the till is jammed"))

    breached = prod.record(prod.newest())
    assert ran.status == 1
    assert breached["outcome"] == "rolled-back"
    assert "an error is new in the logs, " in breached["reason"]
    assert breached["reason"].endswith(": ERROR order <n>: the till is jammed")
    assert breached["watch"]["verdict"] == "breach"
    assert serving is not None
    assert_serving(prod, "shop", serving, machines=1)


def test_the_same_errors_as_before_are_no_breach(prod: Production, shop: Project) -> None:
    with loaded(prod):
        number = prod.released(shop, commit(shop, USUAL))

    assert prod.record(number)["watch"]["verdict"] == "good"


def test_new_errors_are_not_asked_for_by_themselves(prod: Production, shop: Project) -> None:
    number = prod.released(shop, commit(shop, "ERROR the roof leaks", new_errors=0))

    assert prod.record(number)["outcome"] == "serving"


def test_without_the_log_store_the_watch_goes_on_and_says_so(
    prod: Production, shop: Project
) -> None:
    servers = prod.log_servers()
    for pid in servers:
        os.kill(pid, signal.SIGSTOP)
    try:
        number = prod.released(shop, commit(shop, "ERROR the door is stuck"))
    finally:
        for pid in servers:
            os.kill(pid, signal.SIGCONT)

    told = prod.record(number)
    assert told["outcome"] == "serving"
    assert "New errors are not looked for, as the log store does not tell" in str(told["notes"])
