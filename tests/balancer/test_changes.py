"""Which commands lead HAProxy from what it does to what is intended."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.balancer.changes import Changes, Maps, changes
from dayfly.balancer.observed import Observed, ObservedServer
from dayfly.balancer.render import CHECKS, CLOSED, HOLDS, NAMES, ROUTES, SERVER, SERVING, maps
from dayfly.balancer.routing import Routing, Server, Slot

SERVERS = (Server(name="orders-2-web-1", address="127.0.0.1:20001"),)
INTENDED = Routing(
    slots={"slot-001": Slot(app="orders", release=2, servers=SERVERS, path="/healthz")},
    serving={"orders": "slot-001"},
    routes={"*/": "orders"},
)
THERE = ObservedServer(name="orders-2-web-1", address="127.0.0.1:20001", up=True, ready=True)
DONE = Observed(
    pid=1,
    servers={"slot-001": (THERE,)},
    maps={
        CHECKS: {"slot-001": "/healthz"},
        NAMES: {"slot-001": "localhost"},
        ROUTES: {"*/": "orders"},
        SERVING: {"orders": "slot-001"},
    },
)
OLD = ObservedServer(name="orders-1-web-1", address="127.0.0.1:20000", up=False, ready=True)

ADD = f"add server slot-001/orders-2-web-1 127.0.0.1:20001 {SERVER}"
ENABLE = ["enable health slot-001/orders-2-web-1", "enable server slot-001/orders-2-web-1"]

ROWS = [
    pytest.param(DONE, [], id="nothing to do"),
    pytest.param(
        replace(DONE, maps={**DONE.maps, SERVING: {"orders": "slot-000"}}),
        [f"set map {SERVING} orders slot-001"],
        id="a cutover is one map entry",
    ),
    pytest.param(
        Observed(pid=1, servers={}, maps={}),
        [
            f"add map {CHECKS} slot-001 /healthz",
            f"add map {NAMES} slot-001 localhost",
            ADD,
            *ENABLE,
            f"add map {ROUTES} */ orders",
            f"add map {SERVING} orders slot-001",
        ],
        id="servers come before the map that names them",
    ),
    pytest.param(
        replace(DONE, servers={"slot-000": (OLD,), "slot-001": (THERE,)}),
        ["remove slot-000/orders-1-web-1"],
        id="what is not intended goes",
    ),
    pytest.param(
        replace(DONE, servers={"slot-001": (replace(THERE, address="127.0.0.1:9"),)}),
        ["remove slot-001/orders-2-web-1", ADD, *ENABLE],
        id="a name with another address is another server",
    ),
    pytest.param(
        replace(DONE, servers={"slot-001": (replace(THERE, ready=False),)}),
        ENABLE,
        id="a server half added is enabled",
    ),
    pytest.param(
        replace(DONE, maps={**DONE.maps, SERVING: {"orders": "slot-001", "gone": "slot-009"}}),
        [f"del map {SERVING} gone"],
        id="an app that is gone has no entry",
    ),
    pytest.param(
        replace(DONE, servers={"slot-001": (replace(THERE, up=False),)}),
        [],
        id="a dead machine is not the balancer's to replace",
    ),
]


APPS = some.sampled_from(["orders", "shop", "desk"])
SLOTS = some.sampled_from(["slot-000", "slot-001", "slot-002"])
ANY_ROUTING = some.builds(
    Routing,
    serving=some.dictionaries(APPS, SLOTS),
    routes=some.dictionaries(some.sampled_from(["*/", "a.example/", "*/x/"]), APPS),
    assets=some.dictionaries(some.sampled_from(["orders:/static/", "shop:/"]), SLOTS),
    holds=some.dictionaries(APPS, some.integers(1, 2**42)),
    closed=some.dictionaries(APPS, some.sampled_from(["", "<h1>away</h1>"])),
)


def applied(before: Maps, needed: Changes) -> dict[str, dict[str, str]]:
    """What the maps hold after the commands, each of which HAProxy would take."""
    after = {name: dict(entries) for name, entries in before.items()}
    for each in needed.commands:
        verb, _, name, key, *value = each.text.split(" ")
        assert (key in after[name]) == (verb != "add")
        if verb == "del":
            del after[name][key]
        else:
            (after[name][key],) = value
    return after


@given(ANY_ROUTING, ANY_ROUTING)
def test_the_commands_lead_from_any_maps_to_those_intended(then: Routing, now: Routing) -> None:
    observed = Observed(pid=1, servers={}, maps=maps(then))

    assert applied(observed.maps, changes(now, observed)) == maps(now)


def test_what_keeps_requests_away_comes_first_and_goes_last() -> None:
    routing = replace(INTENDED, holds={"orders": 5}, closed={"shop": "<h1>away</h1>"})
    observed = replace(
        DONE, maps={**DONE.maps, SERVING: {}, HOLDS: {"desk": "4"}, CLOSED: {"desk": "closed.html"}}
    )

    assert [each.text for each in changes(routing, observed).commands] == [
        f"add map {CLOSED} shop pages/shop.html",
        f"add map {HOLDS} orders 5",
        f"add map {SERVING} orders slot-001",
        f"del map {HOLDS} desk",
        f"del map {CLOSED} desk",
    ]


@pytest.mark.parametrize(("observed", "commands"), ROWS)
def test_the_commands_needed(observed: Observed, commands: list[str]) -> None:
    needed = changes(INTENDED, observed)

    assert [
        *(f"remove {server}" for server in needed.before),
        *(each.text for each in needed.commands),
        *(f"remove {server}" for server in needed.after),
    ] == commands
