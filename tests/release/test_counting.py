"""What HAProxy counted while a release was under way, added up from look to look."""

from dayfly.balancer.observed import Counters
from dayfly.balancer.routing import Server, Slot
from dayfly.release.traffic import Counting


def counters(requests: int, *, errors: int = 0, pid: int = 1) -> Counters:
    return Counters(pid=pid, requests=requests, status_5xx=errors)


def slot(app: str, release: int) -> Slot:
    servers = (Server(name=f"{app}-{release}-web-1", address="127.0.0.1:20000"),)
    return Slot(app=app, release=release, servers=servers)


OLD, NEW, OTHER = slot("orders", 1), slot("orders", 2), slot("shop", 7)


def test_a_fleet_is_counted_from_its_first_request() -> None:
    """It takes a slot that served before, and gets traffic before anybody looks."""
    counting = Counting("orders", {"a": counters(100), "b": counters(1000)})

    first = counting.take({"a": counters(120)}, {"a": OLD})
    second = counting.take({"a": counters(125), "b": counters(1030)}, {"a": OLD, "b": NEW})

    assert [first[1].requests, second[1].requests, second[2].requests] == [20, 5, 30]
    assert counting.sums["requests"] == 55


def test_other_apps_are_not_counted() -> None:
    counting = Counting("orders", {"a": counters(0), "b": counters(0)})

    counting.take({"a": counters(3), "b": counters(50)}, {"a": OLD, "b": OTHER})

    assert counting.sums["requests"] == 3


def test_a_haproxy_that_started_anew_counts_from_nothing() -> None:
    counting = Counting("orders", {"a": counters(100, errors=4)})

    counting.take({"a": counters(110, errors=5)}, {"a": OLD})
    counting.take({}, {"a": OLD})  # it is down
    counting.take({"a": counters(7, errors=2, pid=2)}, {"a": OLD})

    assert (counting.sums["requests"], counting.errors[1]) == (17, 3)
