"""What the machines of one process took over time: looks become intervals, intervals a summary."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dayfly.machines.machine import Usage

BUCKET_SECONDS = 600.0
SHORTEST_SECONDS = 1.0  # between two looks: the kernel counts in hundredths
BUCKETS = 144  # a day of them


@dataclass(frozen=True, kw_only=True)
class Look:
    """At the machines of one process, at one moment."""

    at: float  # seconds of any clock that only goes on
    usage: Mapping[str, Usage]  # by machine


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Between two looks. Memory and CPUs are of one machine."""

    at: float
    seconds: float
    memory: float  # bytes, on average of the machines
    memory_most: int  # of the largest
    cpus: float  # on average of the machines
    requests: int = 0  # that the whole fleet got


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Of intervals; those without a request are added up as `rest` too."""

    at: float
    seconds: float = 0.0
    memory: float = 0.0  # byte-seconds
    memory_most: int = 0
    cpu: float = 0.0  # seconds
    cpus_most: float = 0.0
    rest_seconds: float = 0.0
    rest_cpu: float = 0.0
    requests: int = 0
    rate_most: float = 0.0  # requests a second

    def plus(self, more: Interval) -> "Sums":
        calm = more.requests == 0
        return replace(
            self,
            seconds=self.seconds + more.seconds,
            memory=self.memory + more.memory * more.seconds,
            memory_most=max(self.memory_most, more.memory_most),
            cpu=self.cpu + more.cpus * more.seconds,
            cpus_most=max(self.cpus_most, more.cpus),
            rest_seconds=self.rest_seconds + calm * more.seconds,
            rest_cpu=self.rest_cpu + calm * more.cpus * more.seconds,
            requests=self.requests + more.requests,
            rate_most=max(self.rate_most, more.requests / more.seconds),
        )


@dataclass
class Course:
    """Of one process of one release, over the last day."""

    last: Look | None = None
    requests: int = 0  # since then
    buckets: deque[Sums] = field(default_factory=lambda: deque(maxlen=BUCKETS))

    def take(self, look: Look, requests: int) -> None:
        """`requests`: what the fleet got since the look before."""
        self.requests += requests
        if self.last and look.at - self.last.at < SHORTEST_SECONDS:
            return
        found = between(self.last, look, self.requests) if self.last else None
        self.last, self.requests = look, 0
        if found is None:
            return
        if not self.buckets or found.at - self.buckets[-1].at >= BUCKET_SECONDS:
            self.buckets.append(Sums(at=found.at))
        self.buckets.append(self.buckets.pop().plus(found))

    def summary(self, machines: int) -> "Summary | None":
        return summary([*self.buckets], machines)


def between(before: Look, now: Look, requests: int) -> Interval | None:
    """Of the machines that were there at both looks; None where there was none.

    Time that a machine's ended processes took goes missing, so it may seem to have taken less
    than nothing.
    """
    seconds = now.at - before.at
    both = [(before.usage[name], used) for name, used in now.usage.items() if name in before.usage]
    if seconds <= 0 or not both:
        return None
    took = sum(max(0.0, used.cpu - earlier.cpu) for earlier, used in both)
    return Interval(
        at=now.at,
        seconds=seconds,
        memory=sum(used.memory for _, used in both) / len(both),
        memory_most=max(used.memory for _, used in both),
        cpus=took / seconds / len(both),
        requests=requests,
    )


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Memory in bytes and CPUs of one machine; requests a second of the whole fleet."""

    seconds: float  # that were measured
    memory: int
    memory_most: int
    cpus: float
    cpus_most: float  # between two looks
    cpus_rest: float | None  # without requests; None where there was no such time
    rate: float
    rate_most: float
    cpu_of_request: float | None  # seconds of the fleet; None where it is not to be told


def summary(sums: Sequence[Sums], machines: int) -> Summary | None:
    """None where nothing is measured yet."""
    seconds = sum(each.seconds for each in sums)
    if not seconds:
        return None
    cpu = sum(each.cpu for each in sums)
    rest_seconds = sum(each.rest_seconds for each in sums)
    rest = sum(each.rest_cpu for each in sums) / rest_seconds if rest_seconds else None
    requests = sum(each.requests for each in sums)
    busy = cpu - (rest or 0.0) * seconds
    return Summary(
        seconds=seconds,
        memory=int(sum(each.memory for each in sums) / seconds),
        memory_most=max(each.memory_most for each in sums),
        cpus=cpu / seconds,
        cpus_most=max(each.cpus_most for each in sums),
        cpus_rest=rest,
        rate=requests / seconds,
        rate_most=max(each.rate_most for each in sums),
        cpu_of_request=max(0.0, busy) * machines / requests if requests else None,
    )
