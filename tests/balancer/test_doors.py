"""Requests that wait for a while, and apps that answer with a page, with a real HAProxy."""

import contextlib
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import h2.connection
import h2.events
import pytest

from balancing import Answer, World, eventually, read_until
from dayfly.balancer.accesslog import Traffic, lines, summary
from dayfly.balancer.observed import Sessions
from dayfly.balancer.runtime import command
from dayfly.config.environment import Route

SLOW = "GET /slow?2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
OURS, APPS = "Back soon", "<h1>Grüße, wir bauen um</h1>" + " " * 100_000


@dataclass
class Waiting:
    """Clients that each send one request at once, and what they got when."""

    world: World
    clients: int
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.clients)
        self._asked = [self._pool.submit(self._ask, number) for number in range(self.clients)]
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for each in self._asked:
            each.result()

    def _ask(self, number: int) -> None:
        self.answers.append(self.world.get("/", method="POST" if number % 2 else "GET"))


@dataclass
class Kept:
    """Kept connections that ask again and again: when each question began and ended, its status."""

    world: World
    clients: int = 4
    seen: list[tuple[float, float, int]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(self.clients)
        self._asked = [self._pool.submit(self._ask) for _ in range(self.clients)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()
        for each in self._asked:
            each.result()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=20)
        with contextlib.closing(connection):
            for number in itertools.count():
                began = time.time()
                connection.request("GET", "/") if number % 2 else connection.request(
                    "POST", "/", body=b"x" * 2000
                )
                answer = connection.getresponse()
                answer.read()
                self.seen.append((began, time.time(), answer.status))
                if self._over.wait(0.005):
                    return

    def between(self, earlier: float, later: float) -> set[int]:
        return {status for began, ended, status in self.seen if earlier < began and ended < later}


def timed(ask: Callable[[], Answer]) -> tuple[float, Answer]:
    started = time.monotonic()
    answer = ask()
    return time.monotonic() - started, answer


def logged(world: World, since: float, requests: int) -> Traffic:
    def found() -> Traffic:
        return summary(lines(world.balancer.folder, since=since - 0.1))

    eventually(lambda: found().requests + found().closed >= requests, "all is logged", seconds=5)
    return found()


@pytest.mark.parametrize("clients", [40, 300])
def test_held_clients_are_answered_by_the_fleet_that_serves_when_they_are_let_go(
    world: World, clients: int
) -> None:
    first = world.serving(1)
    second = world.release(2)
    started = time.time()
    world.balancer.hold("orders", 20)
    with Waiting(world, clients) as waiting:
        time.sleep(1.5)
        assert world.balancer.sessions(first) == Sessions(requests=0, streams=0)
        world.balancer.cut_over("orders", second)
        time.sleep(1.5)
        assert waiting.answers == []
        assert world.haproxy().holds == world.balancer.routing().holds != {}
        world.balancer.let_go("orders")

    assert {(answer.status, answer.body.split(" ")[0]) for answer in waiting.answers} == {
        (200, "orders-2-web-1")
    }
    assert world.haproxy().holds == world.balancer.routing().holds == {}
    found = logged(world, started, clients)
    assert (found.requests, found.lost, found.aborted) == (clients, 0, 0)


def test_a_hold_that_nobody_ends_ends_by_itself_and_is_forgotten(world: World) -> None:
    world.serving(1)
    world.balancer.hold("orders", 2)

    seconds, answer = timed(world.get)

    assert (answer.status, 1 < seconds < 10) == (200, True)
    assert timed(world.get)[0] < 1
    world.balancer.open()
    assert world.balancer.routing().holds == world.haproxy().holds == {}


def test_a_hold_outlives_haproxy(world: World) -> None:
    """What was waiting in it is lost with it; what comes then waits for the rest of the time."""
    world.serving(1)
    world.balancer.hold("orders", 3)
    began = time.monotonic()
    with world.connection("GET / HTTP/1.1\r\nHost: a\r\n\r\n") as waiting:
        world.kill_haproxy()
        with contextlib.suppress(ConnectionResetError):
            assert waiting.recv(100) == b""

    assert world.get().status == 200
    assert 2.5 < time.monotonic() - began < 15


def test_a_clock_that_was_set_back_holds_nobody(world: World) -> None:
    world.serving(1)
    world.balancer.hold("orders", 20)
    until = world.haproxy().holds["orders"] + 3_600_000

    command(world.balancer.folder, f"set map maps/holds.map orders {until}")

    assert timed(world.get)[0] < 5


def test_held_clients_that_go_away_are_let_go(world: World) -> None:
    """HAProxy 2.8 does not notice all of them; those wait on as any client would."""
    slot = world.serving(1)
    started = time.time()
    before = world.balancer.counters()[slot]
    world.balancer.hold("orders", 20)
    for _ in range(10):
        with world.connection("GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
            time.sleep(0.05)

    eventually(lambda: logged(world, started, 1).aborted > 0, "let go")
    assert world.balancer.counters()[slot].since(before).requests == 0
    world.balancer.let_go("orders")
    assert logged(world, started, 10).lost == 0


def test_an_upload_is_held_and_arrives_whole(world: World) -> None:
    world.serving(1)
    world.balancer.hold("orders", 1)
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", "/", body=b"x" * 3_000_000, headers={"Expect": "100-continue"})
        assert connection.getresponse().read() == b"orders-1-web-1 3000000"


def test_streams_of_one_http2_connection_are_held_and_one_that_is_reset_is_let_go(
    world: World,
) -> None:
    """A client that gives up one of its requests loses no other."""
    slot = world.serving(1)
    before = world.balancer.counters()[slot]
    world.balancer.hold("orders", 20)
    client = h2.connection.H2Connection()
    client.initiate_connection()
    numbers = range(1, 101, 2)
    head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    for number in numbers:
        client.send_headers(number, head, end_stream=True)
    statuses: dict[int, str] = {}
    with socket.create_connection(("127.0.0.1", world.port), timeout=15) as connection:
        connection.sendall(client.data_to_send())
        time.sleep(0.3)
        client.reset_stream(1)
        connection.sendall(client.data_to_send())
        time.sleep(0.3)
        world.balancer.let_go("orders")
        while len(statuses) < len(numbers) - 1 and (data := connection.recv(65536)):
            for event in client.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses[event.stream_id] = str(dict(event.headers)[b":status"], "ascii")
            connection.sendall(client.data_to_send())

    assert statuses == dict.fromkeys(numbers[1:], "200")
    assert world.balancer.counters()[slot].since(before).requests == len(numbers) - 1


def test_another_app_is_served_while_one_is_held_and_one_is_closed(world: World) -> None:
    for app in ("orders", "shop", "desk"):
        world.balancer.claim(app, Route(hosts=(f"{app}.example",)))
        world.balancer.cut_over(app, world.release(1, app=app))
    world.balancer.hold("orders", 2)
    world.balancer.close("desk")
    with ThreadPoolExecutor(20) as pool:
        held = [pool.submit(world.get, "/", host="orders.example") for _ in range(20)]
        asked = [timed(lambda: world.get("/", host="shop.example")) for _ in range(100)]
        assert world.get("/", host="desk.example").status == 503
        assert not any(each.done() for each in held)

    assert {answer.body for _, answer in asked} == {"shop-1-web-1"}
    assert sorted(seconds for seconds, _ in asked)[50] < 0.1
    assert {each.result().status for each in held} == {200}


def test_a_closed_app_gives_its_fleet_no_request_until_it_is_open_again(world: World) -> None:
    """Kept connections, reads and writes, and HAProxy's own counters."""
    slot = world.serving(1)
    started = time.time()
    with Kept(world) as kept:
        time.sleep(0.5)
        world.balancer.close("orders")
        closed = time.time()
        eventually(lambda: world.balancer.sessions(slot).requests == 0, "drained")
        counted = world.balancer.counters()[slot]
        time.sleep(1)
        assert world.balancer.counters()[slot].since(counted).requests == 0
        assert world.haproxy().closed == {"orders"}
        reopening = time.time()
        world.balancer.reopen("orders")
        opened = time.time()
        time.sleep(0.5)

    assert kept.between(0, closed - 0.2) == {200}
    assert kept.between(closed, reopening) == {503}
    assert kept.between(opened, time.time()) == {200}
    statuses = [status for _, _, status in kept.seen]
    found = logged(world, started, len(statuses))
    assert (found.closed, found.lost, found.errors) == (statuses.count(503), 0, 0)
    assert found.requests == statuses.count(200)


def test_what_is_open_goes_on_when_the_app_is_closed(world: World) -> None:
    slot = world.serving(1)
    with world.connection(SLOW) as slow:
        eventually(lambda: world.balancer.sessions(slot).requests == 1, "open")
        world.balancer.close("orders")

        assert world.get().status == 503
        assert b"orders-1-web-1" in read_until(slow, b"web-1")


def test_the_page_says_when_to_come_back(world: World) -> None:
    world.serving(1)
    world.balancer.close("orders")

    answer = world.get("/x?y")

    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert (answer.status, OURS in answer.body) == (503, True)
    assert headers["retry-after"] == "30"
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert world.get(method="HEAD").body == ""


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/html,application/json;q=0.9", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
def test_a_program_that_wants_json_gets_json(world: World, accept: str, kind: str) -> None:
    world.serving(1)
    world.balancer.close("orders")
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", "/", body=b"x" * 500_000, headers={"Accept": accept})
        answer = connection.getresponse()
        answer.read()

    assert (answer.status, answer.getheader("Content-Type")) == (503, kind)


def test_an_app_has_a_page_of_its_own(world: World) -> None:
    world.serving(1)
    world.balancer.close("orders", page=APPS)
    assert world.get().body == APPS

    world.kill_haproxy()
    assert world.get().body == APPS

    world.balancer.close("orders", page="<h1>anders</h1>")
    assert world.get().body == "<h1>anders</h1>"
    world.balancer.close("orders")
    assert OURS in world.get().body


def test_a_closed_app_stays_closed_whatever_happens(world: World) -> None:
    world.serving(1)
    world.balancer.close("orders")

    world.kill_haproxy()
    assert world.get().status == 503
    world.balancer.cut_over("orders", world.release(2))
    world.balancer.open()
    assert OURS in world.get().body

    world.balancer.reopen("orders")
    assert world.who() == "2"


def test_those_who_wait_get_the_page_when_the_app_is_closed(world: World) -> None:
    world.serving(1)
    world.balancer.hold("orders", 20)
    with Waiting(world, 20) as waiting:
        time.sleep(0.5)
        world.balancer.close("orders")

    assert {answer.status for answer in waiting.answers} == {503}
    assert all(OURS in answer.body for answer in waiting.answers)
    assert world.haproxy().holds == {}


def test_a_withdrawn_app_is_neither_held_nor_closed(world: World) -> None:
    world.serving(1)
    world.balancer.hold("orders", 20)
    world.balancer.close("orders")
    world.balancer.hold("orders", 20)
    with Waiting(world, 2) as waiting:
        pass
    assert {answer.status for answer in waiting.answers} == {503}

    world.balancer.withdraw("orders")

    assert (world.haproxy().holds, world.haproxy().closed) == ({}, frozenset())
    assert "Not available yet" in world.get().body
