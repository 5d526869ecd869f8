"""The server killed at one write of the journal while it releases or rolls back."""

import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import traffic
from dayfly.client import ClientError
from dayfly.clock import wait_until
from dayfly.environment.views import is_up
from production.checks import assert_nothing_left_over, assert_serving
from production.environment import Production
from production.projects import Project

NEVER = 10**9
STEADY = traffic.kinds("get", "post", "keepalive", rate=60)
SEEN_SECONDS = 60.0
DYING_WORKER = """
[process.worker]
run      = "echo no queue; exit 4"
machines = 1
"""
OTHER_WRITES = 6  # of a release: its record, machines' names, image, receipt


@dataclass(frozen=True, order=True)
class Point:
    what: str  # release | breach | rollback
    where: str  # before a commit | after an event
    at: int


@dataclass(frozen=True)
class Survived:
    """What came of it."""

    point: Point
    died: bool  # False: the operation was over before
    served: int  # the release that serves now
    completed: bool
    requests: int
    lost: int


@contextmanager
def dying_server(prod: Production, where: str, at: int) -> Iterator["subprocess.Popen[bytes]"]:
    """In place of the environment's own server, which `dayfly up` starts again."""
    ctl = [sys.executable, "-m", "supervisor.supervisorctl", "-c"]
    conf = str(prod.home.run / "supervisord.conf")
    subprocess.run([*ctl, conf, "stop", "server"], check=True, stdout=subprocess.DEVNULL)
    with subprocess.Popen(
        [sys.executable, "-m", "production.dying", str(prod.home.path), where, str(at)],
        env=prod.surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_until(lambda: _answers(prod), seconds=30, what="the server that is to die")
            yield server
        finally:
            server.kill()


def commits_of(app: Project) -> dict[str, str]:
    """What is released: a version that serves, and one whose worker ends after the cutover."""
    changes = {'warm         = "10m"': 'warm = "30s"'}
    bad = app.commit(changes=changes, more=DYING_WORKER)
    return {"breach": bad, "release": app.commit(changes=changes)}


def count_points(
    prod: Production, app: Project, commits: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """How many commits and events each operation takes."""
    found = {}
    for what in ("release", "breach", "rollback"):
        if what == "rollback":
            prod.released(app, commits["release"])
        with dying_server(prod, "never", NEVER):
            ran = prod.type(*_words(commits, what, app), at=app.folder)
            counts = (prod.home.run / "counts").read_text().split()
        assert ran.status == int(what == "breach"), ran.said
        found[what] = int(counts[0]), int(counts[1])
        prod.up()
    return found


def expected_points(prod: Production, release: int) -> dict[str, tuple[int, int]]:
    """About as many as a release took that is over; a point too far is never reached."""
    events = sum(1 for event in prod.events(release) if event.kind not in {"traffic", "output"})
    release = (events + OTHER_WRITES, events)
    return {"release": release, "breach": release, "rollback": (events // 2, events // 2)}


def points(counts: dict[str, tuple[int, int]]) -> list[Point]:
    """Every one."""
    return [
        Point(what, where, at)
        for what, (commits, events) in counts.items()
        for where, most in (("before", commits), ("after", events))
        for at in range(1, most + 1)
    ]


def sample(every: list[Point], seed: int, count: int) -> list[Point]:
    return random.Random(seed).sample(every, min(count, len(every)))


def survive(prod: Production, app: Project, commits: Mapping[str, str], point: Point) -> Survived:
    """Order, die, start again: nothing lost, complete or undone, nothing left over."""
    outgoing = prod.serving(app.app)
    assert outgoing
    target: int | None = prod.newest() + 1
    if point.what == "rollback":
        if _way_back(prod, app, outgoing) is None:
            outgoing = prod.released(app, commits["release"])
        target = _way_back(prod, app, outgoing)
    assert target
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        with (
            dying_server(prod, point.where, point.at) as server,
            prod.typing(*_words(commits, point.what, app), at=app.folder) as ordering,
        ):
            wait_until(
                lambda: server.poll() is not None or ordering.poll() is not None,
                seconds=SEEN_SECONDS,
                what=f"{point}: death or end",
            )
            died = server.poll() is not None
            if not died:
                server.kill()
            prod.up()
            said = ordering.communicate(timeout=SEEN_SECONDS)[0].decode()
            status = ordering.returncode
        served = _settled(prod, app, point, outgoing, target)
        tally = load.stop()
    assert tally.failed == 0, f"{point}: {tally.told()}"
    if "does not answer" not in said:  # it died before it had said the number
        assert (status == 0) == (served == target), f"{point}: {status}, {served} serves\n{said}"
    return Survived(point, died, served, served == target, tally.requests, tally.failed)


def _settled(prod: Production, app: Project, point: Point, outgoing: int, target: int) -> int:
    served = prod.serving(app.app)
    assert served in {outgoing, target}, f"{point}: {served} serves"
    assert_serving(prod, app.app, served)
    known = {record["release"] for record in prod.releases()}
    if target in known and served != target and point.what != "rollback":
        record = prod.record(target)
        assert record["outcome"] == "failed", f"{point}: {record}"
        assert record["traffic"]["lost"] == 0
        assert_nothing_left_over(prod, app.app, target)
    return served


def _way_back(prod: Production, app: Project, serving: int) -> int | None:
    """The release that a rollback goes to, while it is warm; points are counted for that way."""
    earlier = {
        int(record["release"]): record["outcome"]
        for record in prod.releases()
        if record["app"] == app.app
        and record["outcome"] in {"warm", "retired"}
        and record["release"] < serving
    }
    newest = max(earlier, default=None)
    return newest if newest and earlier[newest] == "warm" else None


def _words(commits: Mapping[str, str], what: str, app: Project) -> list[str]:
    return ["rollback", "--app", app.app] if what == "rollback" else ["release", commits[what]]


def _answers(prod: Production) -> bool:
    try:
        return all(map(is_up, prod.client.get("/api/status")["services"].values()))
    except ClientError:
        return False
