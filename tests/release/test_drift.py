"""What counts as drift, and what the journal knows of it."""

import pytest

from dayfly.config.app import Process
from dayfly.config.units import Size
from dayfly.events import Event
from dayfly.images.contents import Contents
from dayfly.images.differences import Difference
from dayfly.machines.machine import Fingerprint
from dayfly.release.drift import DRIFTED, Drift, bounded, compared, history, unusual, why_kept

NOW = 100_000.0
A, B = {"user": "10001"}, {"user": "0"}


@pytest.mark.parametrize(
    ("own", "equals", "names"),
    [
        (A, [A], []),
        (A, [A, A, B], []),
        (B, [A, A, B], ["user"]),
        (B, [A, B], []),  # nobody knows which of the two has drifted
        ({}, [A, A, {}], []),  # it runs no process at this moment
        (A, [], []),
    ],
)
def test_rights_that_most_machines_do_not_have(
    own: dict[str, str], equals: list[dict[str, str]], names: list[str]
) -> None:
    assert [each.name for each in unusual(own, equals)] == names


MEMORY, NONE = str(128 * 1024**2), str(2**63 - 4096)
LIMITED = Process(run="./serve", memory=Size(128 * 1024**2 + 5), cpus=0.5)
FREE = Process(run="./serve")


@pytest.mark.parametrize(
    ("process", "memory", "processors", "processes", "told"),
    [
        (LIMITED, MEMORY, "50000 100000", "4096", {}),
        (LIMITED, MEMORY, "50000", "4096", {}),  # the first version of cgroups
        (LIMITED, MEMORY, "25000 50000", "4096", {}),
        (LIMITED, "943718400", "50000", "4096", {"memory": (MEMORY, "943718400")}),
        (LIMITED, "max", "80000 100000", "4096", {
            "memory": (MEMORY, "unlimited"), "processors": ("0.5", "0.8"),
        }),
        (FREE, NONE, "-1", "4096", {}),
        (FREE, "max", "max 100000", "4096", {}),
        (FREE, "943718400", "max 100000", "max", {
            "memory": ("unlimited", "943718400"), "processes": ("4096", "unlimited"),
        }),
    ],
)  # fmt: skip
def test_a_lone_machine_has_the_limits_that_are_declared(
    process: Process,
    memory: str,
    processors: str,
    processes: str,
    told: dict[str, tuple[str, str]],
) -> None:
    bounds = {"memory": memory, "processors": processors, "processes": processes}
    found = Fingerprint(contents=Contents(), bounds=bounds, outside=())

    changed = bounded(
        found, process, [bounds, {**bounds, "memory": "1"}, {**bounds, "memory": "1"}]
    )
    assert {each.name: (each.one, each.other) for each in changed} == told


def test_limits_that_a_host_does_not_keep_are_no_drift() -> None:
    found = Fingerprint(contents=Contents(), bounds={"user": "0"}, outside=())

    assert bounded(found, LIMITED, [found.bounds]) == ()


def test_rights_that_no_machine_has_are_drift_of_a_lone_one() -> None:
    bounds = {"capabilities": "00000000a80425fb"}
    given = {"capabilities": 16 * "0", "no new privileges": "1"}
    found = Fingerprint(contents=Contents(), bounds=bounds, outside=(), given=given)

    assert [each.name for each in bounded(found, LIMITED, [bounds])] == ["capabilities"]


def test_what_is_a_machines_own_is_no_drift() -> None:
    built = Contents(files={"app/a": "file 1", "app/log": "folder"})
    files = {"app/a": "file 2", "app/log/x.log": "file", "app/new": "file"}
    found = Fingerprint(contents=Contents(files=files), bounds={}, outside=("app/log",))

    assert [each.name for each in compared(built, found)] == ["/app/a", "/app/new"]


def drift(count: int = 1) -> Drift:
    files = [Difference(kind="file", name=f"/app/{n}", one=None, other="") for n in range(count)]
    return Drift(machine="orders-2-web-9", process="web", differences=tuple(files))


def told(machine: str, deed: str, *, release: int = 2, ago: float = 60.0) -> Event:
    data = {"machine": machine, "process": "web", "deed": deed}
    return Event(time=NOW - ago, kind=DRIFTED, release=release, app="orders", data=data)


def test_replacements_of_a_day_count_towards_the_limit() -> None:
    events = [
        told("orders-2-web-1", "replaced", ago=90_000),
        told("orders-2-web-2", "replaced"),
        told("orders-2-web-3", "kept"),
        told("orders-1-web-1", "replaced", release=1),
    ]
    past = history(events, 2, NOW)

    assert past.renewed == {"web": 1}
    assert past.replaced == {"orders-2-web-1", "orders-2-web-2"}
    assert past.kept == {"orders-2-web-3"}
    assert why_kept(drift(), past, 1, heal=True) == ""
    more = [*events, told("orders-2-web-4", "replaced")]
    assert "`writable`" in why_kept(drift(), history(more, 2, NOW), 1, heal=True)
    assert why_kept(drift(), history(more, 2, NOW), 2, heal=True) == ""


def test_a_sentence_names_the_first_of_many() -> None:
    assert drift().summary == "file /app/0"
    assert drift(1203).summary == "file /app/0, file /app/1, file /app/2, 1,200 more"
