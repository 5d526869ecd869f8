"""What HAProxy counted of the strict client's requests, out of its access log."""

from collections.abc import Iterator
from dataclasses import dataclass

from cutovers.assets import PREFIX
from dayfly.balancer import accesslog
from dayfly.balancer.accesslog import Line
from production import Production

OWN = ("/version",)  # asked by the checks, not by the client


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Of all requests that ended in a range of time; streams are requests too."""

    requests: int
    lost: int
    aborted: int
    retried: int
    streams: int
    streams_cut: int
    lines: tuple[str, ...]  # of the first that were lost


def counted(prod: Production, since: float, until: float = float("inf")) -> Counted:
    """Times are seconds since the epoch."""
    found = list(of_the_client(prod, since, until))
    told = accesslog.summary(found)
    return Counted(
        requests=told.requests + told.streams,
        lost=told.lost,
        aborted=told.aborted,
        retried=told.retried,
        streams=told.streams,
        streams_cut=told.streams_cut,
        lines=tuple(str(line) for line in found if line.lost)[:10],
    )


def of_the_client(prod: Production, since: float, until: float = float("inf")) -> Iterator[Line]:
    for line in accesslog.lines(prod.home.balancer, since=since):
        theirs = line.path.startswith(PREFIX) or line.path in OWN
        if not theirs and line.time <= until * 1000:
            yield line
