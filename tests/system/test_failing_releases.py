"""A release that fails: what served goes on serving, nothing is lost, nothing is left over."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import traffic
from dayfly.clock import wait_until
from dayfly.command import CommandError, output_of
from dayfly.config.load import settings_of
from dayfly.environment.environment import open_balancer
from dayfly.machines.cgroup import Cgroups
from production import (
    Production,
    Project,
    assert_nothing_left_over,
    assert_serving,
    project,
    running,
)
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.sampled(10, of="file"),
]

STEADY = traffic.kinds("get", "post", "keepalive", rate=60)
LISTENING = "listening on"  # what `kinds` says once it is up


@contextmanager
def nothing_lost(prod: Production, *, but: int = 0) -> Iterator[None]:
    """Strict traffic while the block runs."""
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        yield
        tally = load.stop()
    assert tally.failed <= but, tally.told()
    assert tally.ok > 0


@dataclass(frozen=True)
class Case:
    why: str  # words of the reason
    stage: str  # that failed
    misbehave: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    more: str = ""
    says: str = ""  # of the last lines of what failed
    outcome: str = "failed"
    lost: int = 0  # requests that were on the machine that died
    limits: bool = False  # whether it takes a kernel that keeps limits


BUILD = """
[build]
steps = ["echo compiling the nails", "echo no hammer; exit 7"]
"""
RED = """
[test]
run = "echo 1 passed, 1 red; exit 1"
"""
SMOKE = 'watch        = "1s"\nsmoke = "echo smelled at $BASE_URL; exit 4"'
ALONE = {"machines = 2": "machines = 1"}
RUN = '"exec python3 app.py"'
ONE_DIES = (
    "'case $DAYFLY_MACHINE in *-1) exec python3 app.py dies-after=3;; esac; exec python3 app.py'"
)
TIDY_WORKER = """
[process.smith]
run = "trap 'sleep 1; echo put the hammer away; exit' TERM; while sleep 0.2; do :; done"
"""
HUGE = """
[process.hammer]
run = "sleep 60"
memory = "9000GB"
"""

CASES = {
    "build error": Case("exit", "build", more=BUILD, says="no hammer"),
    "red test": Case("test: ", "test", more=RED, says="1 passed, 1 red"),
    "exits at once": Case(
        "ended before it was healthy", "verify", "exits", says="never meant to run"
    ),
    "never healthy": Case("not healthy within", "verify", "never-healthy", says=LISTENING),
    "wrong port": Case("It listens on", "verify", "wrong-port", changes=ALONE, says=LISTENING),
    "dies while it is verified": Case(
        "SIGKILL",
        "verify",
        "dies-after=0.4",
        changes={"passes = 2": "passes = 15"},
        says=LISTENING,
    ),
    "dies between healthy and cutover": Case(
        "died before the cutover",
        "cut over",
        "dies-after=2",
        changes={'watch        = "2s"': 'watch = "1s"\nsmoke = "sleep 3"'},
        says=LISTENING,
    ),
    "out of memory": Case(
        "out of memory",
        "verify",
        "eats=200",
        changes={"passes = 2": "passes = 35"},
        limits=True,
    ),
    "smoke fails": Case(
        "smoke: ", "verify", changes={'watch        = "2s"': SMOKE}, says="smelled at http://"
    ),
    "dies after the cutover": Case(
        "died after the cutover",
        "watch",
        changes={RUN: ONE_DIES, 'watch        = "2s"': 'watch = "20s"'},
        says=LISTENING,
        lost=3,
        outcome="rolled-back",
    ),
    "missing secret": Case(
        "SMITHY_KEY",
        "checkout",
        changes={"[process.web]": 'secrets = ["SMITHY_KEY"]\n[process.web]'},
        outcome="refused",
    ),
    "no room": Case("the incoming machines need", "assess", more=HUGE, outcome="refused"),
    "no database": Case(
        "it can't be assessed: ",
        "assess",
        changes={"[process.web]": 'secrets = ["DATABASE_URL"]\n[process.web]'},
        more='\n[database]\nmigrate = "python3 migrate.py"\n',
        outcome="refused",
    ),
}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", CASES)
def test_what_served_goes_on(prod: Production, kinds: Project, name: str) -> None:
    case = CASES[name]
    if case.limits and Cgroups(prod.id).version is None:
        pytest.skip("no limits can be kept here")
    serving = prod.serving(kinds.app)
    assert serving
    commit = kinds.commit(misbehave=case.misbehave, changes=case.changes, more=case.more)
    prod.typed("secret", "set", "DATABASE_URL", "--app", kinds.app, given="postgresql://nowhere/")
    with nothing_lost(prod, but=case.lost):
        ran = prod.release(kinds, commit)
        failed = prod.newest()
        assert_nothing_left_over(prod, kinds.app, failed)
    assert ran.status == 1, ran.said
    assert case.says in ran.said
    record = prod.record(failed)
    assert record["outcome"] == case.outcome
    assert case.why in record["reason"]
    assert [s["stage"] for s in record["stages"] if s["outcome"] == "failed"] == [case.stage]
    assert record["traffic"]["lost"] <= case.lost
    assert_serving(prod, kinds.app, serving)


def test_a_first_release_whose_worker_dies_comes_to_nothing() -> None:
    """It had the traffic already; its own reason is told, and nothing of it stays."""
    with open_folder() as folder, running(folder) as own:
        first = project(folder / "first")
        commit = first.commit(
            changes={"[release]": '[process.worker]\nrun = "echo no queue; exit 4"\n[release]'}
        )

        ran = own.release(first, commit)

        record = own.record(own.newest())
        assert ran.status == 1
        assert "first-1-worker-1 ended" in record["reason"]
        assert record["outcome"] == "failed"
        assert own.serving("first") is None
        assert_nothing_left_over(own, "first", 1)
        assert open_balancer(own.home, settings_of(own.home)).routing().routes == {}


def test_a_second_app_needs_a_route(prod: Production, kinds: Project) -> None:
    """Refused before anything is built, naming whose requests they are."""
    second = project(prod.folder / "second")

    ran = prod.release(second, second.commit())

    record = prod.record(prod.newest())
    assert ran.status == 1
    assert (record["outcome"], record["reason"]) == (
        "refused",
        "*/ belongs to the app 'kinds' already, 'second' can't have it",
    )
    assert "[route.second]" in ran.said


def test_no_last_words_hold_a_secret(prod: Production, kinds: Project) -> None:
    """What fails to start often prints how it wanted to connect."""
    secret = "postgresql://ida:under-the-doormat@nowhere/orders"
    prod.typed("secret", "set", "DATABASE_URL", "--app", kinds.app, given=secret)
    commit = kinds.commit(
        changes={
            RUN: "'echo no connection to $DATABASE_URL; exit 1'",
            "[process.web]": 'secrets = ["DATABASE_URL"]\n[process.web]',
        }
    )

    ran = prod.release(kinds, commit)

    failed = prod.newest()
    shown = [
        ran.said,
        json.dumps(prod.record(failed)),
        prod.typed("logs", "--release", str(failed)),
    ]
    shown += [json.dumps(dict(event.data)) for event in prod.events(failed)]
    assert "no connection to" in ran.said
    assert [text for text in shown if "doormat" in text] == []


def test_errors_after_the_cutover_move_the_traffic_back(prod: Production, kinds: Project) -> None:
    """Answers with 500 are the app's own, so they fail; that they end soon is the point."""
    serving = prod.serving(kinds.app)
    assert serving
    commit = kinds.commit(
        misbehave="errors=0.3",
        changes={'watch        = "2s"': 'watch = "20s"'},
        more=TIDY_WORKER,
    )
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        ran = prod.release(kinds, commit)
        tally = load.stop()
    assert ran.status == 1
    breached = prod.record(prod.newest())
    assert breached["outcome"] == "rolled-back"
    assert "requests failed" in breached["reason"]
    assert {failure.what for failure in tally.failures} == {"status 500"}, tally.told()
    assert_nothing_left_over(prod, kinds.app, breached["release"])
    said = prod.typed("logs", "--release", str(breached["release"]))
    assert "put the hammer away" in said  # its worker was asked to end, not killed
    assert_serving(prod, kinds.app, serving)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("stage", ["build", "test", "verify", "watch"])
def test_a_release_can_be_stopped(prod: Production, kinds: Project, stage: str) -> None:
    """As Ctrl-C does."""
    serving = prod.serving(kinds.app)
    assert serving
    slow = {
        "build": {"[release]": '[build]\nsteps = ["sleep 30"]\n[release]'},
        "test": {"[release]": '[test]\nrun = "sleep 30"\n[release]'},
        "verify": {"passes = 2": "passes = 99", 'deadline = "10s"': 'deadline = "60s"'},
        "watch": {'watch        = "2s"': 'watch = "30s"'},
    }
    commit = kinds.commit(changes=slow[stage])
    with nothing_lost(prod):
        prod.release(kinds, commit, "--detach")
        stopped = prod.newest()
        prod.wait_for_stage(stopped, stage)
        prod.client.post(f"/api/releases/{stopped}/stop", {"who": "ida", "reason": "Ctrl-C"})
        record = prod.wait_until_over(stopped)
        assert_nothing_left_over(prod, kinds.app, stopped)
    assert (record["outcome"], "Ctrl-C" in record["reason"]) == ("failed", True), record
    assert_serving(prod, kinds.app, serving)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "dayfly.toml"),
        ("app = kinds\n", ":1"),
        ('app = "kinds"\nprocces = 1\n', "procces"),
    ],
    ids=["none", "not TOML", "unknown key"],
)
def test_no_good_settings(prod: Production, kinds: Project, text: str | None, says: str) -> None:
    """Refused; where the checkout itself has none, before anything is sent."""
    serving = prod.serving(kinds.app)
    assert serving
    settings = kinds.folder / "dayfly.toml"
    good = settings.read_text()
    if text is None:
        settings.unlink()
    else:
        settings.write_text(text)
    commit = kinds.save("Settings that are none")
    settings.write_text(good)  # so that the command finds the app's name
    with nothing_lost(prod):
        ran = prod.release(kinds, commit)
    assert ran.status == 1, ran.said
    assert says in ran.said
    assert_serving(prod, kinds.app, serving)


@pytest.fixture
def small_disk(prod: Production) -> Iterator[Path]:
    """Where images are built there is hardly any room."""
    if os.geteuid() != 0:
        pytest.skip("takes root to mount a small disk")
    folder = prod.home.images / "tight"
    folder.mkdir()
    try:
        output_of(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0711", "tmpfs", str(folder)])
    except CommandError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    yield folder
    output_of(["umount", "--lazy", str(folder)])


def test_disk_full(prod: Production, kinds: Project, small_disk: Path) -> None:
    """An app whose images find no space fails; others are not touched."""
    serving = prod.serving(kinds.app)
    assert serving
    tight = project(prod.folder / "tight")
    with nothing_lost(prod):
        ran = prod.release(tight, tight.commit())
    failed = prod.newest()
    assert ran.status == 1
    assert prod.record(failed)["outcome"] == "failed"
    assert "space" in prod.record(failed)["reason"].lower(), prod.record(failed)
    assert_nothing_left_over(prod, "tight", failed)
    assert_serving(prod, kinds.app, serving)


def test_a_machine_that_dies_later_is_replaced(prod: Production, kinds: Project) -> None:
    serving = prod.serving(kinds.app)
    assert serving
    before = {m["machine"] for m in prod.machines(kinds.app) if m["release"] == serving}
    with nothing_lost(prod, but=3):
        prod.kill(prod.processes_of(release=str(serving), app=kinds.app)[:1])
        wait_until(
            lambda: not before <= {m["machine"] for m in prod.machines(kinds.app)},
            seconds=10,
            what="it is noticed",
        )
        assert_serving(prod, kinds.app, serving)
    assert_serving(prod, kinds.app, serving)


def test_a_machine_that_hangs_is_relieved(prod: Production, kinds: Project) -> None:
    """A fresh one is proven before it goes, so that it is never missed."""
    serving = prod.serving(kinds.app)
    assert serving
    web = {m["machine"] for m in prod.machines(kinds.app) if m["release"] == serving}
    hung = min(web)
    for pid in prod.processes_of(machine=hung):
        os.kill(pid, signal.SIGSTOP)
    wait_until(
        lambda: hung not in {m["machine"] for m in prod.machines(kinds.app)},
        seconds=90,  # HAProxy gives each of its checks ten seconds
        what="it is relieved",
    )
    assert_serving(prod, kinds.app, serving)
    told = [
        (event.kind, event.data["machine"])
        for event in prod.events(serving)
        if event.kind in {"machine.healthy", "machine.removed"}
    ]
    assert [kind for kind, _ in told[-2:]] == ["machine.healthy", "machine.removed"]
    assert told[-1][1] == hung
