"""Several people at once: one wins, the other is told why."""

import pytest

import traffic
from dayfly.balancer.state import read_listen
from dayfly.clock import wait_until
from ports import free_port
from production import Production, Project, assert_nothing_left_over, assert_serving

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.sampled(4, of="file"),
]

STEADY = traffic.kinds("get", "post", "keepalive", rate=60)
LONG = {'watch        = "2s"': 'watch = "40s"'}


@pytest.fixture
def under_way(prod: Production, kinds: Project) -> int:
    """A release in its watch."""
    prod.release(kinds, kinds.commit(changes=LONG), "--detach")
    number = prod.newest()
    prod.wait_for_stage(number, "watch")
    return number


def test_the_second_release_is_refused(prod: Production, kinds: Project, under_way: int) -> None:
    refused = prod.release(kinds, kinds.commit())
    assert refused.status == 1
    assert f"release {under_way} of {kinds.app} is under way" in refused.said
    assert prod.newest() == under_way
    prod.client.post(f"/api/releases/{under_way}/stop", {})
    prod.wait_until_over(under_way)


def test_a_queued_release_waits(prod: Production, kinds: Project, under_way: int) -> None:
    queued = kinds.commit()
    with prod.typing("release", queued, "--queue", at=kinds.folder) as waiting:
        wait_until(lambda: prod.newest() > under_way, seconds=20, what="it is in the queue")
        number = prod.newest()
        assert prod.record(number)["outcome"] == "running"
        assert prod.record(number)["queued"]
        assert "queued" in prod.typed("releases")
        assert prod.serving(kinds.app) == under_way
        prod.client.post(f"/api/releases/{under_way}/stop", {})
        said = waiting.communicate(timeout=60)[0].decode()
    assert waiting.returncode == 0, said
    assert f"waits for release {under_way}" in said
    assert_serving(prod, kinds.app, number)


def test_a_rollback_stops_the_release_under_way(prod: Production, kinds: Project) -> None:
    """The traffic is back at once, and nothing is lost."""
    serving = prod.serving(kinds.app)
    assert serving
    with traffic.steady(traffic.Plan(target=prod.url, kinds=STEADY)) as load:
        prod.release(kinds, kinds.commit(changes=LONG), "--detach")
        number = prod.newest()
        prod.wait_for_stage(number, "watch")
        said = prod.typed("rollback", at=kinds.folder)
        assert prod.serving(kinds.app) == serving
        record = prod.wait_until_over(number)
        tally = load.stop()
    assert tally.failed == 0, tally.told()
    assert f"release {number} was stopped, release {serving} serves on" in said
    assert (record["outcome"], "asked for a rollback" in record["reason"]) == ("failed", True)
    assert_nothing_left_over(prod, kinds.app, number)
    assert_serving(prod, kinds.app, serving)


def test_a_rollback_that_comes_while_the_outgoing_fleet_drains(
    prod: Production, kinds: Project
) -> None:
    """Too late to stop the release: it is rolled back, and what is open goes on everywhere.

    Also where nothing is to be kept warm.
    """
    draining = {'drain        = "20s"': 'drain = "15s"', 'warm         = "10m"': 'warm = "0s"'}
    slow = traffic.Plan(target=prod.url, kinds=traffic.kinds("slow"), slow=4.0)
    serving = prod.serving(kinds.app)
    assert serving
    with traffic.steady(slow) as load:
        prod.release(kinds, kinds.commit(changes=draining), "--detach")
        number = prod.newest()
        prod.wait_for_stage(number, "drain")
        prod.typed("rollback", at=kinds.folder)
        tally = load.stop()
    assert tally.failed == 0, tally.told()
    assert prod.record(number)["outcome"] == "rolled-back"
    assert_serving(prod, kinds.app, serving)


def test_a_release_during_a_rollback_is_refused(prod: Production, kinds: Project) -> None:
    """The rollback wins: it is a fresh fleet's that takes its time to be healthy."""
    slow = {
        "exec python3 app.py": "sleep 2; exec python3 app.py",
        'deadline = "10s"': 'deadline = "30s"',
        'warm         = "10m"': 'warm = "1s"',
    }
    first = prod.released(kinds, kinds.commit(changes=slow))
    second = prod.released(kinds, kinds.commit(changes=slow))
    wait_until(lambda: prod.record(first)["outcome"] == "retired", seconds=20, what="it is retired")
    with prod.typing("rollback", "--app", kinds.app) as going_back:
        wait_until(
            lambda: any(m["release"] == first for m in prod.machines(kinds.app)),
            seconds=20,
            what="the rollback launches",
        )
        refused = prod.release(kinds, kinds.commit())
        said = going_back.communicate(timeout=60)[0].decode()
    assert refused.status == 1
    assert f"the rollback to release {first} of {kinds.app} is under way" in refused.said
    assert going_back.returncode == 0, said
    assert_serving(prod, kinds.app, first)
    assert prod.record(second)["outcome"] == "rolled-back"
    assert [each["outcome"] for each in prod.record(first)["rollbacks"]] == ["serving"]
    assert "gone back to" in prod.typed("receipt", str(first))


def test_up_is_typed_twice(prod: Production, kinds: Project) -> None:
    """Also at the same time: the services that run go on."""
    serving = prod.serving(kinds.app)
    assert serving
    before = [*prod.supervisors(), *prod.servers(), *prod.keepers(), *prod.haproxies()]
    with prod.typing("up") as other:
        prod.up()
        said = other.communicate(timeout=60)[0].decode()
    assert other.returncode == 0, said
    assert [*prod.supervisors(), *prod.servers(), *prod.keepers(), *prod.haproxies()] == before
    assert_serving(prod, kinds.app, serving)


def test_up_is_typed_twice_where_nothing_runs(prod: Production, kinds: Project) -> None:
    serving = prod.serving(kinds.app)
    assert serving
    prod.kill([*prod.supervisors(), *prod.servers(), *prod.keepers()])
    with prod.typing("up") as other:
        first = prod.type("up")
        said = other.communicate(timeout=60)[0].decode()
    assert (first.status, other.returncode) == (0, 0), first.said + said
    assert [len(prod.supervisors()), len(prod.servers()), len(prod.keepers())] == [1, 1, 1]
    assert_serving(prod, kinds.app, serving)


def test_up_under_changed_settings_says_what_applies_them(prod: Production, kinds: Project) -> None:
    """The address that it tells is the one where the apps answer."""
    serving = prod.serving(kinds.app)
    assert serving
    written, listen = prod.home.environment_toml.read_text(), read_listen(prod.home.balancer)
    port = prod.url.rpartition(":")[2]
    prod.home.environment_toml.write_text(written.replace(f":{port}", f":{free_port()}"))
    try:
        said = prod.typed("up")
    finally:
        prod.home.environment_toml.write_text(written)
    assert "`dayfly down` and `dayfly up` apply it" in said
    assert f"The environment is up: {prod.url}" in said
    assert read_listen(prod.home.balancer) == listen
    assert "apply it" not in prod.typed("up")
    assert_serving(prod, kinds.app, serving)
