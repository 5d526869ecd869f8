"""What machines take over time: rows of data, and a machine that takes what is known."""

from collections.abc import Callable

import pytest

from dayfly.clock import wait_until
from dayfly.machines.capacity import MB
from dayfly.machines.machine import Runtime, Spec, Usage
from dayfly.machines.measured import BUCKETS, Course, Interval, Look, between


def look(at: float, **machines: tuple[int, float]) -> Look:
    """Each with its megabytes and the seconds of CPU that it took."""
    usage = {name: Usage(memory=mb * MB, cpu=cpu) for name, (mb, cpu) in machines.items()}
    return Look(at=at, usage=usage)


def interval(memory: float, most: int, cpus: float, seconds: float = 10.0) -> Interval:
    return Interval(
        at=seconds, seconds=seconds, memory=memory * MB, memory_most=most * MB, cpus=cpus
    )


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (look(0, a=(50, 1.0)), look(10, a=(60, 6.0)), interval(60, 60, 0.5)),
        (look(0, a=(50, 1), b=(50, 1)), look(10, a=(60, 6), b=(80, 1)), interval(70, 80, 0.25)),
        (look(0, a=(50, 1.0)), look(10, a=(60, 3.0), new=(900, 9.0)), interval(60, 60, 0.2)),
        (look(0, a=(50, 5.0)), look(10, a=(60, 1.0)), interval(60, 60, 0.0)),  # a part of it ended
        (look(0, a=(50, 1.0)), look(10, other=(60, 1.0)), None),
        (look(0), look(10), None),
    ],
)
def test_two_looks_make_an_interval_of_the_machines_of_both(
    before: Look, now: Look, expected: Interval | None
) -> None:
    assert between(before, now, 0) == expected


def test_rest_and_traffic_are_told_apart() -> None:
    """Two machines take a hundredth each at rest, and 20 ms of a CPU for a request."""
    course, asked = Course(), 0
    for at, requests in [(0, 0), (10, 0), (10.5, 60), (20, 40), (30, 0), (40, 300)]:
        cpu = 0.01 * at + 0.02 * (asked := asked + requests) / 2
        course.take(look(at, a=(40 + int(at), cpu), b=(40, cpu)), requests)
    found = course.summary(machines=2)
    assert found
    assert (found.seconds, found.memory_most) == (40, 80 * MB)
    assert found.cpus_rest == pytest.approx(0.01)
    assert (found.rate, found.rate_most) == (10, 30)
    assert found.cpus_most == pytest.approx(0.31)
    assert found.cpu_of_request == pytest.approx(0.02)


def test_a_day_is_remembered_in_little_room() -> None:
    course = Course()
    for at in range(0, 2 * 86_400, 15):
        course.take(look(at, a=(90 if at < 3600 else 50, at / 10)), 1)
    found = course.summary(machines=1)
    assert found
    assert len(course.buckets) == BUCKETS
    assert 86_000 < found.seconds <= 86_400
    assert found.memory_most == 50 * MB, "what was yesterday is forgotten"
    assert found.cpus_rest is None, "there was always a request"
    assert Course().summary(machines=1) is None


# Holds 64 MB, takes 0.8 s of a CPU, and waits.
TAKES = """exec /usr/bin/python3 -c '
import time
held = bytearray(b"x" * 2**26)
while time.process_time() < 0.8: pass
time.sleep(600)'
"""


def test_a_machine_that_takes_what_is_known_is_measured_so(
    runtime: Runtime, spec: Callable[..., Spec]
) -> None:
    machine, course = runtime.launch(spec(TAKES)), Course()
    course.take(look(0, **{machine.name: (0, 0.0)}), 0)  # it was born

    def whole() -> bool:
        used = runtime.usage(machine.name)
        return used is not None and used.cpu >= 0.6

    wait_until(whole, seconds=30, what="0.6 s of CPU")
    used = runtime.usage(machine.name)
    assert used
    course.take(Look(at=10, usage={machine.name: used}), 0)
    found = course.summary(machines=1)
    assert found
    assert 64 * MB <= found.memory_most < 128 * MB
    assert 0.06 <= found.cpus < 0.2
