"""What is asked about a database, and the answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.database.impact.assess import OPEN, PROVEN, Impact
from dayfly.database.preserve.proof import Restoration
from dayfly.database.wayback import Releases, Tried


def _nobody(_: str) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Of which database, with what in mind."""

    url: str  # as the role that migrates
    folder: Path  # keeps restored schemas for the next question; PostgreSQL's user enters it
    budget: float  # seconds that a change may block others and still be online
    statements: Sequence[str] = ()  # that the app sends, besides those the server has counted
    builds: bool = False  # whoever asks will build the bridges, so they are tried on a copy
    postgresql: str | None = None  # folder of PostgreSQL's programs; None: found
    app_url: str = ""  # as the role of the app's machines, where that is another one
    releases: Releases | None = None  # to try on the migrated copy
    serving: Releases | None = None  # to try when what is left out has run as well
    drift: bool = False  # compare production with what its migrations make, if that takes long too
    returns: bool = False  # try to bring schema and rows back, where the way back is closed
    replica: str = ""  # the URL of one, which is read instead of production
    texts: Mapping[str, str] = field(default_factory=dict)  # of migrations that are programs
    scratch_url: str = ""  # of a server for the copies; empty: one of our own
    tell: Callable[[str], None] = _nobody  # given what is done now, while it takes long


@dataclass(frozen=True, kw_only=True)
class Later:
    """What will come of what is left out now, asked of a copy on which all else has run."""

    impact: Impact | None = None
    why: str = ""  # nobody knows

    def as_json(self) -> dict[str, object]:
        found = self.impact
        return {
            "verdict": found.verdict if found else None,
            "findings": [each.as_json() | {"bridge": None} for each in found.findings]
            if found
            else [],
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """With what was looked at, so that nobody takes silence for safety."""

    impact: Impact
    seconds: float
    pending: tuple[str, ...] | None = ()  # names of migrations; None where nobody tells
    unfilled: tuple[str, ...] = ()  # tables in which no row could be made up
    tried: Tried | None = None  # both releases on the migrated copy
    migrating: float = 0.0  # seconds that the command took on a copy, which has hardly any rows
    whole: bool = True  # all of it can be ended at any moment without a trace
    restoration: Restoration | None = None  # where the way back is closed, and it was tried
    notes: tuple[str, ...] = ()  # what was not done as it was wanted, and why
    later: Later | None = None  # where something is left out

    @property
    def rollback(self) -> dict[str, object]:
        """Whether the outgoing release can serve again, and what that is known from."""
        state, tried = self.impact.rollback, self.tried if self.impact.rollback == OPEN else None
        doubts = "; ".join(self.impact.doubts) if state == OPEN else ""
        return {
            "state": PROVEN if tried and tried.proven and not doubts else state,
            "loses": list(self.impact.loses),
            "covered": list(tried.covered) if tried else [],
            "why": doubts or (tried.why if tried else ""),
        }

    @property
    def _lasts(self) -> float | None:
        """Seconds of the whole command on production's rows; None where nobody counted them."""
        more = self.impact.timeline.more_ms
        return None if more is None else round(self.migrating + more / 1000, 2)

    def as_json(self) -> dict[str, object]:
        return {
            **self.impact.as_json(),
            "rollback": self.rollback,
            "pending": None if self.pending is None else list(self.pending),
            "statements": self.impact.checked.as_json(),
            "restoration": self.restoration.as_json() if self.restoration else None,
            "unfilled": list(self.unfilled),
            "migrating": {"seconds": self._lasts, "whole": self.whole},
            "notes": list(self.notes),
            "later": self.later.as_json() if self.later else None,
            "seconds": round(self.seconds, 2),
        }
