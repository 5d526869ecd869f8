"""Whatever is killed, the routing stays and no connection is refused."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import pytest

from balancing import SOURCE, World, eventually
from dayfly.balancer.observed import Observed
from dayfly.balancer.routing import BalancerError, served_by
from dayfly.balancer.runtime import NoAnswerError, command
from dayfly.balancer.state import write_routing


class Knocking:
    """Opens connections all the time and remembers refusals."""

    def __init__(self, world: World) -> None:
        self.refused: list[str] = []
        self.count = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._knock, args=(world.port,))

    def _knock(self, port: int) -> None:
        while not self._over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10):
                    self.count += 1
            except OSError as error:
                self.refused.append(repr(error))
            time.sleep(0.002)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def replaced(world: World, pid: int) -> bool:
    return world.answers() and world.haproxy().pid != pid


def same(world: World, before: Observed) -> bool:
    now = world.haproxy()
    return (now.serving, set(now.servers)) == (before.serving, set(before.servers))


def test_a_killed_haproxy_comes_back_with_the_same_routing(world: World) -> None:
    world.serving(1)
    world.balancer.cut_over("orders", world.release(2, machines=2))
    before = world.haproxy()

    with Knocking(world) as knocking:
        for _ in range(3):
            pid = world.kill_haproxy()
            assert world.who() == "2"  # it waited in the keeper's socket
            eventually(lambda pid=pid: replaced(world, pid), "HAProxy is back")

    assert (knocking.refused, knocking.count > 10) == ([], True)
    assert same(world, before)


def test_haproxy_outlives_its_keeper_and_the_next_one_adopts_it(world: World) -> None:
    world.serving(1)
    pid = world.haproxy().pid

    with Knocking(world) as knocking:
        world.kill_keeper()
        assert world.who() == "1"
        world.start_keeper()
        eventually(lambda: b"keeping it" in (world.home / "keeper.out").read_bytes(), "adopted")
        assert world.haproxy().pid == pid

        world.kill_haproxy()
        assert world.who() == "1"
        eventually(lambda: replaced(world, pid), "HAProxy is back")

    assert knocking.refused == []


def test_a_haproxy_that_hangs_is_replaced_by_the_next_keeper(world: World) -> None:
    world.serving(1)
    pid = world.haproxy().pid
    world.kill_keeper()
    os.kill(pid, signal.SIGSTOP)

    world.start_keeper()

    assert world.haproxy().pid != pid
    assert world.who() == "1"


def test_a_crash_between_the_file_and_the_socket_is_finished_later(world: World) -> None:
    """What is on disk counts: at the next opening, and at HAProxy's next start."""
    first = world.serving(1)
    second = world.release(2)
    intended = served_by(world.balancer.routing(), "orders", second)

    write_routing(world.balancer.folder, intended)
    assert world.who() == "1"
    world.balancer.open()
    assert world.who() == "2"

    write_routing(world.balancer.folder, served_by(intended, "orders", first))
    world.kill_haproxy()
    assert world.who() == "1"


def test_what_a_crash_left_in_haproxy_is_removed(world: World) -> None:
    world.serving(1)
    before = world.haproxy()
    for order in ("add server slot-200/left 127.0.0.1:9", "add map maps/serving.map x slot-200"):
        command(world.balancer.folder, order)
    assert not same(world, before)

    world.balancer.open()

    assert same(world, before)


def test_a_change_waits_for_a_haproxy_that_is_coming_back(world: World) -> None:
    world.serving(1)
    second = world.release(2)
    world.kill_haproxy()

    world.balancer.cut_over("orders", second)

    assert world.who() == "2"


def test_without_haproxy_a_cutover_fails_and_leaves_no_trace(world: World) -> None:
    first = world.serving(1)
    second = world.release(2)
    world.kill_keeper()
    world.kill_haproxy()

    with pytest.raises(NoAnswerError):
        world.balancer.cut_over("orders", second)

    assert world.balancer.routing().serving == {"orders": first}
    world.start_keeper()
    assert world.who() == "1"


def test_a_change_that_haproxy_refuses_is_taken_back(world: World) -> None:
    """A path that our check lets through and a map can't hold: HAProxy is asked, and says no."""
    world.serving(1)
    before = world.balancer.routing()
    machine = world.machine("orders-2-web-1")

    with pytest.raises(BalancerError, match="HAProxy"):
        world.balancer.place("orders", 2, [machine], path="/" + "x" * 20_000)

    assert world.balancer.routing() == before
    assert world.who() == "1"


def test_a_second_keeper_is_refused(world: World) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "dayfly.balancer.keeper", str(world.home)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (second.returncode, "another keeper runs" in second.stdout) == (1, True)


def test_a_stopped_keeper_stops_haproxy_softly(world: World) -> None:
    world.serving(1)
    pid = world.haproxy().pid
    with world.connection("GET /slow?1 HTTP/1.1\r\nHost: localhost\r\n\r\n") as slow:
        eventually(lambda: world.balancer.sessions("slot-000").requests == 1, "open")
        assert world.keeper
        world.keeper.terminate()

        assert b"orders-1-web-1" in slow.recv(10000)
    assert world.keeper.wait(15) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_another_environments_haproxy_is_not_touched(world: World) -> None:
    other = type(world.balancer)(
        world.balancer.folder,
        type(world.balancer.listen)(environment="another1", http="127.0.0.1:1"),
    )

    with pytest.raises(BalancerError, match="another environment"):
        other.observed()


def test_the_log_is_cut_while_haproxy_writes_it(world: World) -> None:
    world.serving(1)
    log = world.balancer.folder / "access.log"
    world.who()
    pid = world.haproxy().pid
    number = next(
        link.name
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.exists() and link.samefile(log)
    )

    def appends() -> bool:
        shown = Path(f"/proc/{pid}/fdinfo/{number}").read_text()
        return int(shown.split("flags:")[1].split()[0], 8) & os.O_APPEND != 0

    eventually(appends, "the keeper set O_APPEND again", seconds=10)
    os.truncate(log, 0)
    world.who()
    eventually(lambda: log.read_bytes().count(b"\n") == 1, "the request is in the log")
    assert log.read_bytes().count(b"\0") == 0
