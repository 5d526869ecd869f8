"""Whatever is killed, whenever: nothing is lost, one fleet serves, nothing is left over."""

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import traffic
from dayfly.clock import wait_until
from dayfly.environment.processes import pids_of
from production import (
    Production,
    Project,
    assert_nothing_left_over,
    assert_serving,
    project,
    running,
)
from production.crashes import commits_of, expected_points, points, sample, survive
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.timeout(600)]

SEED = int(os.environ.get("DAYFLY_SEED", "1"))
SAMPLED = 5
STEADY = traffic.kinds("get", "post", "keepalive", rate=60)
IN_FLIGHT = 6  # requests at once that this traffic can have open


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def kinds(prod: Production) -> Project:
    made = project(prod.folder / "kinds")
    prod.released(made, commits_of(made)["release"])
    return made


def test_the_server_dies_at_any_write(prod: Production, kinds: Project) -> None:
    """A sample; the campaign `crash` takes every one."""
    commits = commits_of(kinds)
    every = points(expected_points(prod, prod.newest()))
    assert len(every) > 60
    for point in sample(every, SEED, SAMPLED):
        survive(prod, kinds, commits, point)


def test_the_server_is_told_to_end(prod: Production, kinds: Project) -> None:
    """A release under way is undone first; who follows it is told so."""
    serving = prod.serving(kinds.app)
    assert serving
    commit = kinds.commit(changes={'watch        = "2s"': 'watch = "30s"'})
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        with prod.typing("release", commit, at=kinds.folder) as ordering:
            wait_until(
                lambda: (
                    prod.newest() > serving and prod.record(prod.newest())["outcome"] == "running"
                ),
                seconds=20,
                what="the release begins",
            )
            stopped = prod.newest()
            prod.wait_for_stage(stopped, "watch")
            [server] = prod.servers()
            os.kill(server, signal.SIGTERM)
            said = ordering.communicate(timeout=60)[0].decode()
        assert ordering.returncode == 1, said
        assert "the server is going down" in said
        assert_serving(prod, kinds.app, serving)
        tally = load.stop()
    assert tally.failed == 0, tally.told()
    assert_nothing_left_over(prod, kinds.app, stopped)


def test_haproxy_dies_under_load(prod: Production, kinds: Project) -> None:
    """No connection is refused, the routing is the same, only what was in flight is lost."""
    serving = prod.serving(kinds.app)
    assert serving
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        wait_until(lambda: load.so_far().ok > 30, seconds=10, what="load")
        killed = prod.haproxies()
        prod.kill(killed)
        wait_until(lambda: prod.haproxies() not in ([], killed), seconds=10, what="a new HAProxy")
        ok = load.so_far().ok
        wait_until(lambda: load.so_far().ok > ok + 60, seconds=10, what="load again")
        tally = load.stop()
    assert "refused" not in {failure.what for failure in tally.failures}, tally.told()
    assert tally.failed <= IN_FLIGHT, tally.told()
    assert set(tally.releases) == {str(serving)}
    assert_serving(prod, kinds.app, serving)


@pytest.mark.parametrize(
    "more",
    ["[build]\nsteps = ['{command}']\n", "[test]\nrun = '{command}'\n"],
    ids=["build", "test"],
)
def test_what_a_dead_server_left_at_work_is_ended(
    prod: Production, kinds: Project, more: str
) -> None:
    """With the next start, though nothing is built again, and in whatever session it is."""
    serving = prod.serving(kinds.app)
    seconds = f"3{secrets.randbelow(10**6)}"
    command = f"(setsid sleep {seconds} &) ; sleep {seconds}; true"
    commit = kinds.commit(more=more.format(command=command))
    with prod.typing("release", commit, at=kinds.folder):
        wait_until(
            lambda: len(pids_of(["sleep", seconds])) == 2, seconds=120, what="two of them sleep"
        )
        prod.kill(prod.servers())
        wait_until(lambda: not pids_of(["sleep", seconds]), seconds=60, what="both are ended")
    prod.up()  # it answers again
    prod.wait_until_over(prod.newest())
    assert_nothing_left_over(prod, kinds.app, prod.newest())
    assert prod.serving(kinds.app) == serving


@pytest.mark.sampled(1)
@pytest.mark.parametrize("left", ["its services live on", "its services die as well"])
def test_the_supervisor_dies(prod: Production, kinds: Project, left: str) -> None:
    """`dayfly up` finds all again; traffic was never touched."""
    serving = prod.serving(kinds.app)
    assert serving
    [haproxy] = prod.haproxies()
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        prod.kill(prod.supervisors())
        if left != "its services live on":
            prod.kill([*prod.servers(), *prod.keepers()])
        prod.up()
        assert_serving(prod, kinds.app, serving)
        tally = load.stop()
    assert tally.failed == 0, tally.told()
    assert prod.haproxies() == [haproxy]
    assert [len(prod.supervisors()), len(prod.servers()), len(prod.keepers())] == [1, 1, 1]
    assert _parents(prod.servers()[0]) == _parents(prod.keepers()[0]) == prod.supervisors()


def test_everything_dies(prod: Production, kinds: Project) -> None:
    serving = prod.serving(kinds.app)
    assert serving
    services = [*prod.supervisors(), *prod.servers(), *prod.keepers(), *prod.haproxies()]
    prod.kill([*services, *prod.processes_of()])
    prod.up()
    assert_serving(prod, kinds.app, serving)


def _parents(pid: int) -> list[int]:
    return [int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])]
