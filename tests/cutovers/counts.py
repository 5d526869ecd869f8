"""What HAProxy counted of the strict client's requests, out of its access log."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import traffic
from cutovers.assets import PREFIX
from dayfly.balancer import accesslog
from dayfly.balancer.accesslog import Line
from dayfly.balancer.observed import read_info
from dayfly.balancer.runtime import command
from dayfly.clock import DeadlineError, wait_until
from production import Production

SETTLED_SECONDS = 10.0
OWN = ("/version",)  # asked by the checks, not by the client


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Of all requests; streams are requests too."""

    requests: int
    lost: int
    aborted: int
    retried: int
    streams: int
    streams_cut: int
    unlogged: int  # lines that HAProxy could not write at once and dropped, since it started
    lines: tuple[str, ...]  # of the first that were lost

    def is_all_of(self, sent: int) -> bool:
        """Whether it is what a client sent, but for what HAProxy says it did not write down."""
        return 0 <= sent - self.requests <= self.unlogged


def counted_of(prod: Production, tally: traffic.Tally) -> Counted:
    """All that a client's run was for HAProxy, which notices its last good-byes when it gets to."""
    with suppress(DeadlineError):  # whoever compares tells the difference
        wait_until(
            lambda: counted(prod, tally.started).requests >= tally.sent,
            seconds=SETTLED_SECONDS,
            what="HAProxy's count",
            poll=0.2,
        )
    return counted(prod, tally.started)


def counted(prod: Production, since: float) -> Counted:
    """What ended since then (seconds since the epoch)."""
    found = list(of_the_client(prod, since))
    told = accesslog.summary(found)
    info = read_info(command(prod.home.balancer, "show info"))
    return Counted(
        requests=told.requests + told.streams,
        lost=told.lost,
        aborted=told.aborted,
        retried=told.retried,
        streams=told.streams,
        streams_cut=told.streams_cut,
        unlogged=int(info["DroppedLogs"]),
        lines=tuple(str(line) for line in found if line.lost)[:10],
    )


def of_the_client(prod: Production, since: float) -> Iterator[Line]:
    for line in accesslog.lines(prod.home.balancer, since=since):
        if not line.path.startswith(PREFIX) and line.path not in OWN:
            yield line
