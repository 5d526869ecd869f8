"""Values of the journal: what a release is, and how far it came."""

from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal[
    "running", "serving", "warm", "retired", "failed", "refused", "rolled-back",
    "assessed",  # nobody wanted more than the answer
    "waiting",  # for its window
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody allows that is not done by itself."""

    despite: str = ""  # why it is released although its verdict forbids it
    window: str = ""  # in which downtime is allowed, as `release/window.py` reads it
    now: bool = False  # downtime is allowed now
    accept_loss: str = ""  # why a rollback may give up what it cannot bring back


NOTHING = Wish()


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asked for: this commit of this app into production."""

    app: str
    commit: str
    subject: str
    who: str
    wish: Wish = NOTHING
    question: bool = False  # only what it would do to the database


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord:
    """One release as the journal knows it. Times are seconds since the epoch."""

    number: int
    app: str
    commit: str
    subject: str
    who: str
    outcome: Outcome
    reason: str = ""
    started: float
    finished: float | None = None
    left_at: float | None = None  # when the traffic went to another release
    warm_until: float | None = None  # set while its fleet is kept for a rollback
    image: str = ""  # the key of what it runs, once built
    receipt: dict[str, Any] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.outcome == "running"


@dataclass(frozen=True, kw_only=True)
class MachineRecord:
    """A machine that was ever wanted; its name is never used again."""

    name: str
    app: str
    release: int
    process: str
    kind: Literal["process", "job"]
    launched: float
    removed: float | None = None
    status: int | None = None
    reason: str = ""
