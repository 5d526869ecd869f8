"""What is decided about slots and routes, without any HAProxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.balancer.doors import (
    PAGE_BYTES,
    closing,
    holding,
    lasting,
    let_go,
    milliseconds,
    reopened,
)
from dayfly.balancer.routing import (
    SLOTS,
    BalancerError,
    Routing,
    Server,
    Slot,
    claimed,
    cleared,
    placed,
    served_by,
    withdrawn,
)
from dayfly.config.environment import Route


def fleet(release: int, app: str = "orders", port: int = 20000) -> Slot:
    server = Server(name=f"{app}-{release}-web-1", address=f"127.0.0.1:{port}")
    return Slot(app=app, release=release, servers=(server,), path="/healthz")


def test_a_release_keeps_its_slot_when_its_machines_change() -> None:
    routing, first = placed(Routing(), fleet(1))
    routing, again = placed(routing, fleet(1, port=20001))

    assert first == again == "slot-000"
    assert routing.slots[first].servers[0].address == "127.0.0.1:20001"


def test_a_slot_that_was_freed_is_given_out_last() -> None:
    routing, first = placed(Routing(), fleet(1))
    routing, second = placed(cleared(routing, first), fleet(2))

    assert second == "slot-001"


def test_slots_run_out_with_words() -> None:
    routing = Routing()
    for release in range(SLOTS):
        routing, _ = placed(routing, fleet(release))

    with pytest.raises(BalancerError, match="all 256 slots"):
        placed(routing, fleet(SLOTS))


def test_an_empty_slot_gets_no_traffic() -> None:
    routing, _ = placed(Routing(), fleet(1))

    with pytest.raises(BalancerError, match="slot-007 is empty; slots with a fleet: slot-000"):
        served_by(routing, "orders", "slot-007")


def test_a_fleet_of_another_app_gets_no_traffic() -> None:
    routing, slot = placed(Routing(), fleet(1, app="shop"))

    with pytest.raises(BalancerError, match="holds shop"):
        served_by(routing, "orders", slot)


def test_a_serving_slot_is_not_cleared_until_the_app_is_withdrawn() -> None:
    routing, slot = placed(Routing(), fleet(1))
    routing = served_by(routing, "orders", slot)

    with pytest.raises(BalancerError, match="serves orders"):
        cleared(routing, slot)
    assert cleared(withdrawn(routing, "orders"), slot).slots == {}


def test_a_withdrawn_app_leaves_its_hosts_to_others() -> None:
    routing = claimed(Routing(), "orders", Route())
    with pytest.raises(BalancerError, match="belongs to the app 'orders'"):
        claimed(routing, "shop", Route())

    routing = claimed(withdrawn(routing, "orders"), "shop", Route())

    assert set(routing.routes.values()) == {"shop"}


def test_the_next_cutover_forgets_the_assets_of_the_one_before() -> None:
    routing, first = placed(Routing(), fleet(1))
    routing, second = placed(routing, fleet(2))
    routing = served_by(routing, "orders", second, assets=("/static/", first))
    assert routing.assets == {"orders:/static/": first}

    assert served_by(routing, "orders", first).assets == {}
    assert cleared(routing, first).assets == {}


def test_a_host_has_one_app() -> None:
    routing = claimed(Routing(), "orders", Route(hosts=("Shop.Example.",)))
    assert routing.routes == {"shop.example/": "orders"}

    with pytest.raises(BalancerError, match=r"shop\.example/ belongs to the app 'orders'"):
        claimed(routing, "other", Route(hosts=("shop.example",)))


def test_a_claim_replaces_the_ones_that_the_app_had() -> None:
    routing = claimed(Routing(), "orders", Route(hosts=("a.example", "b.example")))
    routing = claimed(routing, "orders", Route(path="/orders"))

    assert routing.routes == {"*/orders/": "orders"}


def test_a_hold_that_is_over_is_forgotten() -> None:
    routing = holding(holding(Routing(), "orders", 1000), "shop", 2000)

    assert lasting(routing, 1000).holds == {"shop": 2000}
    assert let_go(routing, "shop").holds == {"orders": 1000}
    assert let_go(routing, "nobody") == routing


@pytest.mark.parametrize("seconds", [0, -1, 30.1, float("inf"), float("nan")])
def test_nobody_is_held_for_unreasonable_times(seconds: float) -> None:
    with pytest.raises(BalancerError, match="more than 0 and at most 30 s"):
        milliseconds("orders", seconds)


def test_a_closed_app_holds_nobody_and_opens_again() -> None:
    routing = closing(holding(Routing(), "orders", 1000), "orders", "")
    assert (routing.holds, routing.closed) == ({}, {"orders": ""})

    assert reopened(routing, "orders") == Routing()
    assert reopened(routing, "nobody") == routing


def test_a_withdrawn_app_is_neither_held_nor_closed() -> None:
    routing = holding(closing(Routing(), "orders", ""), "orders", 1000)

    assert withdrawn(routing, "orders") == Routing()


def test_a_page_has_a_limit() -> None:
    fits = "ü" * (PAGE_BYTES // 2)
    assert closing(Routing(), "orders", fits).closed == {"orders": fits}

    with pytest.raises(BalancerError, match="131,073 bytes, 131,072 are allowed"):
        closing(Routing(), "orders", fits + "x")


HOSTILE = ["", "a b", "a;b", "a\nshow info", "../x", "-x", "é", "a" * 101, "{x}", "%[src]", '"']


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_machines_and_apps_are_refused(name: str) -> None:
    with pytest.raises(BalancerError):
        Server(name=name, address="127.0.0.1:1")
    with pytest.raises(BalancerError):
        Slot(app=name, release=1, servers=fleet(1).servers)
    with pytest.raises(BalancerError):
        holding(Routing(), name, 1)
    with pytest.raises(BalancerError):
        closing(Routing(), name, "")


@pytest.mark.parametrize(
    "address",
    ["", "localhost:80", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1", "127.0.0.1:8 0"],
)
def test_addresses_without_ip_or_port_are_refused(address: str) -> None:
    with pytest.raises(BalancerError, match="IP address with a port"):
        Server(name="a", address=address)


@pytest.mark.parametrize("path", ["", "x", "/a b", "/a\n", '/"', "/%[src]x{"])
def test_hostile_health_paths_are_refused(path: str) -> None:
    with pytest.raises(BalancerError):
        Slot(app="orders", release=1, servers=fleet(1).servers, path=path)


@pytest.mark.parametrize("route", [Route(hosts=("a b",)), Route(hosts=("a/b",)), Route(path="x")])
def test_hostile_routes_are_refused(route: Route) -> None:
    with pytest.raises(BalancerError):
        claimed(Routing(), "orders", route)


@given(some.lists(some.tuples(some.sampled_from("ab"), some.integers(1, 4), some.booleans())))
def test_whatever_happens_each_app_is_served_by_one_fleet_of_its_own(
    steps: list[tuple[str, int, bool]],
) -> None:
    routing = Routing()
    for app, release, retire in steps:
        routing, slot = placed(routing, fleet(release, app=app))
        before = routing.serving.get(app)
        routing = served_by(routing, app, slot)
        if retire and before and before != slot:
            routing = cleared(routing, before)
    for app, slot in routing.serving.items():
        assert routing.slots[slot].app == app
