"""Fleets come, get the traffic, drain and go, with a real HAProxy and real machines."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancing import World, eventually, read_until
from balancing.load import Load
from dayfly.balancer.accesslog import Traffic, lines, summary
from dayfly.balancer.observed import Sessions
from dayfly.balancer.routing import BalancerError, Server
from dayfly.clock import DeadlineError
from dayfly.config.environment import Route

WEBSOCKET = (
    "GET /websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
EVENTS = "GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
SLOW = "GET /slow?2 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def logged(world: World, since: float, requests: int) -> Traffic:
    """What the access log tells once it has them all: a line comes after the client's answer."""

    def found() -> Traffic:
        return summary(lines(world.balancer.folder, since=since - 1))

    with contextlib.suppress(DeadlineError):  # the test tells the difference
        eventually(lambda: found().requests >= requests, "logged", seconds=5)
    return found()


def test_an_app_without_a_fleet_gets_a_page_that_says_so(world: World) -> None:
    answer = world.get()

    assert (answer.status, "Not available yet" in answer.body) == (503, True)


def test_a_fleet_gets_traffic_by_cutover_only(world: World) -> None:
    first = world.serving(1, machines=2)
    second = world.release(2, machines=2)
    assert world.who() == "1"

    seconds = world.balancer.cut_over("orders", second)

    assert world.who() == "2"
    assert seconds < 1
    assert world.haproxy().serving == {"orders": second} == dict(world.balancer.routing().serving)
    world.balancer.clear(first)
    assert set(world.haproxy().servers) == {second}


def test_what_is_open_stays_on_the_outgoing_fleet_and_finishes(world: World) -> None:
    first = world.serving(1)
    with (
        world.connection(WEBSOCKET) as websocket,
        world.connection(EVENTS) as events,
        world.connection(SLOW) as slow,
    ):
        read_until(websocket, b"\r\n\r\n")
        read_until(events, b"data:")
        eventually(
            lambda: world.balancer.sessions(first) == Sessions(requests=1, streams=2), "all open"
        )
        world.balancer.cut_over("orders", world.release(2))

        assert world.who() == "2"
        assert b"orders-1-web-1" in read_until(slow, b"web-1")
        websocket.sendall(b"hello")
        assert b"orders-1-web-1 hello" in read_until(websocket, b"hello")
        eventually(
            lambda: world.balancer.sessions(first) == Sessions(requests=0, streams=2), "drained"
        )
        world.balancer.shutdown_sessions(first)
        eventually(
            lambda: world.balancer.sessions(first) == Sessions(requests=0, streams=0), "ended"
        )
        assert read_until(websocket, b"never") == b""


def test_no_request_is_lost_over_cutovers_under_load(world: World) -> None:
    """New and kept connections, reads and writes, and the outgoing machines killed each time."""
    slot = world.serving(1, machines=2)
    started = time.time()
    with Load(world.port) as load:
        for release in (2, 3, 4):
            incoming = world.release(release, machines=2)
            world.balancer.cut_over("orders", incoming)
            outgoing, slot = slot, incoming
            eventually(lambda out=outgoing: world.balancer.sessions(out).requests == 0, "drained")
            for each in (1, 2):
                world.kill_machine(f"orders-{release - 1}-web-{each}")
            world.balancer.clear(outgoing)
        time.sleep(0.5)

    assert load.failures == []
    found = logged(world, started, load.answered)
    assert (found.lost, found.requests) == (0, load.answered)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_dead_machine_costs_no_request_that_it_has_not_seen(world: World, method: str) -> None:
    slot = world.serving(1, machines=2)
    before = world.balancer.counters()[slot]
    world.kill_machine("orders-1-web-1")

    statuses = [world.get(method=method).status for _ in range(20)]

    assert statuses == [200] * 20
    assert world.balancer.counters()[slot].since(before).requests == 20
    assert world.balancer.counters(free=True)[slot].since(before).requests == 20


def test_only_what_may_be_repeated_is_repeated(world: World) -> None:
    """A machine that takes a request and hangs up: a GET is tried again, a POST is not."""
    slot = world.serving(1)
    started = time.time()

    assert world.get("/die").status == 502
    assert world.get("/die", method="POST").status == 502
    counters = world.balancer.counters()[slot]
    assert (counters.retries >= 3, counters.response_errors >= 2) == (True, True)
    found = logged(world, started, 2)
    assert (found.requests, found.lost, found.retried, found.errors) == (2, 2, 1, 0)


def test_an_error_of_the_app_is_the_apps(world: World) -> None:
    world.serving(1)
    started = time.time()

    assert world.get("/error").body == "mine"
    found = logged(world, started, 1)
    assert (found.errors, found.lost, found.p50_ms is not None) == (1, 0, True)


def test_a_slot_is_cleared_while_connections_idle(world: World) -> None:
    first = world.serving(1)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", world.port)) as idle:
        idle.request("GET", "/")
        assert idle.getresponse().read() == b"orders-1-web-1"
        world.balancer.cut_over("orders", world.release(2))

        world.balancer.clear(first)
        world.kill_machine("orders-1-web-1")

        idle.request("POST", "/", body=b"x")
        assert idle.getresponse().read() == b"orders-2-web-1 1"


def test_fifty_machines_are_placed_and_cleared(world: World) -> None:
    """Only some answer; nothing but their number is the matter here."""
    servers = [Server(name=f"orders-1-web-{n}", address=f"127.0.0.1:{n}") for n in range(1, 51)]

    slot = world.balancer.place("orders", 1, servers)

    assert len(world.haproxy().servers[slot]) == 50
    world.balancer.clear(slot)
    assert world.haproxy().servers == {}


def test_a_machine_is_replaced_in_its_slot(world: World) -> None:
    slot = world.serving(1, machines=2)
    kept, lost = world.balancer.routing().slots[slot].servers
    world.kill_machine(lost.name)
    fresh = world.machine("orders-1-web-3")

    assert world.balancer.place("orders", 1, [kept, fresh], path="/healthz") == slot
    assert {each.name for each in world.haproxy().servers[slot]} == {kept.name, fresh.name}
    assert {world.get().body for _ in range(10)} == {kept.name, fresh.name}


def test_a_hanging_machine_is_noticed_by_its_health_path(world: World) -> None:
    slot = world.serving(1, machines=2)
    assert all(server.up for server in world.haproxy().servers[slot])
    world.kill_machine("orders-1-web-1")

    eventually(
        lambda: [server.up for server in world.haproxy().servers[slot]].count(False) == 1, "down"
    )


@pytest.mark.parametrize(
    ("host", "path", "app"),
    [
        ("shop.example", "/", "shop"),
        ("SHOP.example:8080", "/x", "shop"),
        ("shop.example", "/admin", "desk"),
        ("shop.example", "/admin/x?y=1", "desk"),
        ("shop.example", "/administration", "shop"),
        ("other.example", "/", "orders"),
        ("other.example", "/admin", "orders"),
    ],
)
def test_host_and_longest_path_choose_the_app(world: World, host: str, path: str, app: str) -> None:
    for name, route in (
        ("orders", Route()),
        ("shop", Route(hosts=("shop.example",))),
        ("desk", Route(hosts=("shop.example",), path="/admin")),
    ):
        world.balancer.claim(name, route)
        world.balancer.cut_over(name, world.release(1, app=name))

    assert world.get(path, host=host).body == f"{app}-1-web-1"


def test_a_withdrawn_app_answers_with_the_balancers_page(world: World) -> None:
    world.serving(1)
    world.balancer.withdraw("orders")

    assert world.get().status == 503


def test_a_client_can_not_pretend_to_come_from_elsewhere(world: World) -> None:
    world.serving(1)
    request = "GET /headers HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
    with world.connection(request) as connection:
        seen = read_until(connection, b"x-forwarded-proto: http").decode()

    assert "6.6.6.6" not in seen
    assert "x-forwarded-for: 127.0.0.1" in seen
    assert "x-forwarded-host: a.example" in seen


def test_hashed_assets_of_the_outgoing_release_come_from_the_warm_fleet(world: World) -> None:
    first = world.release(1, files="old.css both.css")
    world.balancer.claim("orders", Route())
    world.balancer.cut_over("orders", first)
    second = world.release(2, files="new.css both.css")
    world.balancer.cut_over("orders", second, assets_from=first, assets_prefix="/static/")

    assert [world.who(f"/static/{name}.css") for name in ("old", "new", "both")] == ["1", "2", "2"]
    assert [world.get("/static/none.css").status for _ in range(3)] == [404] * 3
    assert world.get("/static/old.css", method="HEAD").status == 200
    assert world.who("/none") == "2"

    world.kill_machine("orders-1-web-1")
    assert world.get("/static/old.css").status == 404
    assert world.who("/static/new.css") == "2"
    world.balancer.clear(first)
    assert world.get("/static/old.css").status == 404


def test_a_file_asked_of_the_warm_fleet_is_neither_waited_for_nor_cut(world: World) -> None:
    first = world.release(1, files="old.css")
    world.balancer.claim("orders", Route())
    world.balancer.cut_over("orders", first)
    second = world.release(2)
    world.balancer.cut_over("orders", second, assets_from=first, assets_prefix="/static/")
    started = time.time()

    with world.connection("GET /static/old.css?1 HTTP/1.1\r\nHost: a\r\n\r\n") as asked:
        time.sleep(0.5)
        assert world.balancer.sessions(first) == Sessions(requests=0, streams=0)
        world.balancer.shutdown_sessions(first)
        assert b"200 OK" in read_until(asked, b"orders-1-web-1")

    found = logged(world, started, 1)
    assert (found.requests, found.lost, found.retried) == (1, 0, 0)


def test_what_is_open_is_told_however_many_files_are_asked_for(world: World) -> None:
    """A stream that once looked over would be cut with its machine."""
    first = world.release(1, files="old.css")
    world.balancer.claim("orders", Route())
    world.balancer.cut_over("orders", first)
    with world.connection(EVENTS) as events, world.connection(SLOW) as slow:
        read_until(events, b"data:")
        second = world.release(2)
        world.balancer.cut_over("orders", second, assets_from=first, assets_prefix="/static/")
        with asking(world, "/static/old.css", clients=4):
            seen = {world.balancer.sessions(first) for _ in range(400)}
        read_until(slow, b"orders-1-web-1")

    streams = {sessions.streams for sessions in seen}
    assert streams == {1}
    assert {sessions.requests for sessions in seen} <= {0, 1}
    eventually(lambda: world.balancer.sessions(first) == Sessions(requests=0, streams=0), "closed")


@contextlib.contextmanager
def asking(world: World, path: str, *, clients: int) -> Iterator[None]:
    """Clients that ask for a path as fast as they can while the block runs."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            assert world.get(path).status == 200

    with ThreadPoolExecutor(clients) as pool:
        asked = [pool.submit(ask) for _ in range(clients)]
        try:
            yield
        finally:
            over.set()
        for each in asked:
            each.result()


def test_an_empty_slot_changes_nothing(world: World) -> None:
    world.serving(1)

    with pytest.raises(BalancerError, match="is empty"):
        world.balancer.cut_over("orders", "slot-099")
    assert world.who() == "1"
