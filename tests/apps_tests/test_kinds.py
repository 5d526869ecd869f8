import signal
import threading
import time
from pathlib import Path

import pytest

import apps
import traffic
from apps.running import kinds
from dayfly.clock import wait_until
from traffic import Kind, Plan


def quick(address: str, *chosen: Kind, seconds: float = 3) -> Plan:
    return Plan(
        target=address,
        kinds=chosen,
        seconds=seconds,
        slow=1,
        upload=0.5,
        idle=(0.1, 0.5),
        hold=(0.5, 1),
    )


def test_every_kind_of_traffic_is_answered() -> None:
    plain = [kind for kind in traffic.kinds() if kind.name != "h2"]

    with kinds(release="7") as app:
        tally = traffic.run(quick(app.address, *plain))

    assert tally.failed == 0, tally.told()
    assert all(kind.ok == kind.sent > 0 for kind in tally.kinds), tally.told()
    assert set(tally.releases) == {"7"}


def test_told_to_stop_it_finishes_what_is_open() -> None:
    """A request that takes three seconds is answered, then the process ends with 0."""
    answers: list[int] = []
    with kinds() as app:
        asking = threading.Thread(target=lambda: answers.append(app.get("/slow?seconds=3")[0]))
        asking.start()
        time.sleep(1)
        app.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not app.answers(), seconds=10, what="no new connections")
        asking.join()

        assert answers == [200]
        assert app.process.wait(5) == 0


def test_open_streams_end_cleanly_when_it_stops() -> None:
    with kinds() as app, traffic.steady(quick(app.address, Kind(name="websocket"))) as load:
        wait_until(lambda: load.so_far().sent >= 1, seconds=5, what="a websocket")
        time.sleep(0.2)
        app.process.send_signal(signal.SIGTERM)
        app.process.wait(5)
        tally = load.stop()

    assert tally.of("websocket").ended == 1
    assert {failure.what for failure in tally.failures} <= {"refused"}


def test_unhealthy_it_says_so_and_works() -> None:
    with kinds("never-healthy") as app:
        assert app.get("/healthz")[0] == 503
        assert app.get("/version")[0] == 200


def test_errors_come_at_their_rate() -> None:
    with kinds("errors=0.25") as app:
        statuses = [app.get("/version")[0] for _ in range(40)]

    assert statuses.count(500) == 10


def test_latency_is_added_to_answers_but_not_to_health() -> None:
    with kinds("latency=1") as app:
        began = time.monotonic()
        app.get("/healthz")
        healthy = time.monotonic() - began
        app.get("/version")

    assert healthy < 1 < time.monotonic() - began


def test_the_wrong_port_is_one_further() -> None:
    with kinds("wrong-port", wait=False) as app:
        wait_until(type(app)(app.process, app.port + 1).answers, seconds=10, what="the neighbour")

        assert not app.answers()


@pytest.mark.parametrize(
    ("word", "status"), [("exits", 3), ("dies-after=0.2", -signal.SIGKILL), ("flies", 1)]
)
def test_it_ends_on_its_own(word: str, status: int) -> None:
    with kinds(word, wait=False) as app:
        assert app.process.wait(10) == status


def test_a_slow_start_takes_its_time() -> None:
    began = time.monotonic()

    with kinds("starts-after=1"):
        assert time.monotonic() - began > 1


def test_it_can_ignore_being_told_to_stop() -> None:
    with kinds("ignores-term") as app:
        app.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)

        assert app.answers()


def test_it_can_eat_memory() -> None:
    with kinds("eats=200") as app:

        def megabytes() -> float:
            pages = Path(f"/proc/{app.process.pid}/statm").read_text().split()[1]
            return int(pages) * 4096 / 1024**2

        wait_until(lambda: megabytes() > 150, seconds=10, what="150 MB")


def test_its_commits_are_versions_that_can_misbehave(tmp_path: Path) -> None:
    repository = apps.repository(tmp_path / "kinds")

    first = apps.commit(repository, machines=3)
    second = apps.commit(
        repository, misbehave="never-healthy", more='\n[process.idle]\nrun = "true"\n'
    )

    assert first != second
    assert (
        'run      = "exec python3 app.py never-healthy"' in (repository / "dayfly.toml").read_text()
    )
    assert (repository / "VERSION").read_text() == "2\n"
