"""Where the clients enter what happened, while it happens."""

import time
from array import array
from collections import Counter
from dataclasses import dataclass, field

from traffic.tally import Failure, KindTally, Second, Tally

SHOWN_FAILURES = 100
NOBODY = "-"


def percentile(ordered: "array[float] | list[float]", share: float) -> float:
    """The value below which `share` of the ordered values lie; 0 when there is none."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


@dataclass
class _Moment:
    """What one second saw."""

    failed: int = 0
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    releases: Counter[str] = field(default_factory=Counter)

    def as_second(self, number: int) -> Second:
        ordered = sorted(self.latencies)
        return Second(
            second=number,
            ok=self.releases.total(),
            failed=self.failed,
            p50_ms=percentile(ordered, 0.5),
            p99_ms=percentile(ordered, 0.99),
            max_ms=ordered[-1] if ordered else 0.0,
            releases=dict(self.releases),
        )


@dataclass
class _Page:
    """What one kind has."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))

    def as_tally(self, kind: str) -> KindTally:
        ordered = sorted(self.latencies)
        names = ("sent", "ok", "failed", "ended", "aborted", "reconnects", "retried")
        return KindTally(
            kind=kind,
            p50_ms=percentile(ordered, 0.5),
            p99_ms=percentile(ordered, 0.99),
            max_ms=ordered[-1] if ordered else 0.0,
            **{name: self.counts[name] for name in names},
        )


@dataclass
class Book:
    """Used by one event loop only."""

    run: str
    kinds: tuple[str, ...]
    started: float = field(default_factory=time.time)
    sent_in_all: int = 0
    late: float = 0.0
    created: list[str] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)
    _pages: dict[str, _Page] = field(default_factory=dict)
    _moments: dict[int, _Moment] = field(default_factory=dict)
    _failures: list[Failure] = field(default_factory=list)
    _releases: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._pages = {kind: _Page() for kind in self.kinds}

    def count(self, kind: str, what: str) -> None:
        """One more `ended`, `aborted`, `reconnects` or `retried`."""
        self._pages[kind].counts[what] += 1

    def sent(self, kind: str) -> None:
        self.sent_in_all += 1
        self.count(kind, "sent")

    def ok(self, kind: str, release: str, seconds: float | None = None) -> None:
        """A right answer; a stream has no latency."""
        self.count(kind, "ok")
        self._releases[release] += 1
        moment = self._moment()
        moment.releases[release] += 1
        if seconds is not None:
            self._pages[kind].latencies.append(seconds * 1000)
            moment.latencies.append(seconds * 1000)

    def failed(self, kind: str, what: str, release: str = NOBODY) -> None:
        self.count(kind, "failed")
        self._moment().failed += 1
        if len(self._failures) < SHOWN_FAILURES:
            failure = Failure(time=time.time(), kind=kind, what=what, release=release)
            self._failures.append(failure)

    def last_second(self) -> Second:
        """The second that was just completed."""
        number = int(time.monotonic() - self._begun) - 1
        return self._moments.get(number, _Moment()).as_second(number)

    def tally(self) -> Tally:
        passed = time.monotonic() - self._begun
        return Tally(
            run=self.run,
            started=self.started,
            seconds=passed,
            kinds=tuple(page.as_tally(kind) for kind, page in self._pages.items()),
            timeline=tuple(
                self._moments.get(number, _Moment()).as_second(number)
                for number in range(int(passed) + 1)
            ),
            failures=tuple(self._failures),
            releases=dict(self._releases),
            created=tuple(self.created),
            uncertain=tuple(self.uncertain),
            late_ms=self.late * 1000,
        )

    def _moment(self) -> _Moment:
        return self._moments.setdefault(int(time.monotonic() - self._begun), _Moment())
