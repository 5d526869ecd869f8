"""What the client counted: frozen values, and the words to tell them in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Failure:
    time: float  # seconds since the epoch
    kind: str
    what: str  # "refused", "reset", "timeout", "truncated", "status 502", "gap …", …
    release: str  # that answered, "-" when none did


@dataclass(frozen=True, kw_only=True)
class KindTally:
    """sent = ok + failed + ended + aborted."""

    kind: str
    sent: int
    ok: int
    failed: int
    ended: int  # streams that the server ended by the rules (clean, or after their budget)
    aborted: int  # given up by this client, at the end of its run
    reconnects: int  # idle connections the server had closed before anything was sent
    retried: int  # HTTP/2 streams the server said it had not touched
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, kw_only=True)
class Second:
    """One second of the run, for a time line; streams count when they are over."""

    second: int
    ok: int
    failed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    releases: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Tally:
    run: str  # begins every reference of this run
    started: float  # seconds since the epoch
    seconds: float
    kinds: tuple[KindTally, ...]
    timeline: tuple[Second, ...]
    failures: tuple[Failure, ...]  # the first of them
    releases: Mapping[str, int]  # which release gave how many good answers
    created: tuple[str, ...]  # references whose POST was confirmed
    uncertain: tuple[str, ...]  # references whose POST failed: stored or not
    late_ms: float  # the most this client was behind its own pace

    @property
    def sent(self) -> int:
        return sum(kind.sent for kind in self.kinds)

    @property
    def requests(self) -> int:
        """How many HTTP requests a proxy may have seen."""
        return sum(kind.sent + kind.retried for kind in self.kinds)

    @property
    def ok(self) -> int:
        return sum(kind.ok for kind in self.kinds)

    @property
    def failed(self) -> int:
        return sum(kind.failed for kind in self.kinds)

    def of(self, kind: str) -> KindTally:
        return next(tally for tally in self.kinds if tally.kind == kind)

    def told(self) -> str:
        """A few lines for a person: counts for each kind, the first failures."""
        heads = ("sent", "ok", "failed", "ended", "aborted", "reconnects", "retried")
        lines = [f"{'':10}" + "".join(f"{head:>11}" for head in (*heads, "p50 ms", "p99 ms"))]
        for kind in self.kinds:
            numbers = [f"{getattr(kind, head):>11}" for head in heads]
            numbers += [f"{kind.p50_ms:>11.1f}", f"{kind.p99_ms:>11.1f}"]
            lines.append(f"{kind.kind:10}" + "".join(numbers))
        for failure in self.failures[:10]:
            after = failure.time - self.started
            lines.append(
                f"{after:8.2f} s  {failure.kind}: {failure.what} (release {failure.release})"
            )
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """JSON for a report; references only as counts, `run` finds them in the database."""
        plain = asdict(self)
        totals = {"requests": self.requests, "sent": self.sent, "ok": self.ok}
        counts = {"created": len(self.created), "uncertain": len(self.uncertain)}
        return {**plain, **totals, "failed": self.failed, **counts}
