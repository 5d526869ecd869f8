"""One statement about what a migration does to the live database."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from dayfly.database.bridge import Bridge
from dayfly.database.impact.replay.locks import words
from dayfly.database.impact.schema.catalogue import Key, Thing
from dayfly.database.loss import Loss

NONE, ONLINE, STAGED, DOWNTIME = VERDICTS = ("none", "online", "staged", "downtime")  # least first
# Told first to last.
KINDS = ("fails", "unknown", "loses", "breaks", "blocks", "widens", "drift", "touches")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found; `verdict` is the least that it allows."""

    verdict: str
    kind: str
    message: str
    migration: str = ""
    statement: str = ""
    table: str = ""
    rows: int | None = None
    lock: str = ""
    blocks: str = ""
    blocked_ms: int | None = 0  # None: it grows with rows that nobody counted
    evidence: str = ""
    remedy: str = ""
    sqlstate: str = ""  # with which statements of the outgoing release will fail
    loses: tuple[str, ...] = ()
    lost: tuple[Loss, ...] = ()  # the same, for whoever exports it
    bridge: Bridge | None = None
    relation: int = 0  # before the migration
    keys: tuple[Key, ...] = ()  # what changed
    overwrites: tuple[Key, ...] = ()  # columns in whose place other values are written

    def with_words(self, of: Callable[[str], str]) -> "Finding":
        """The same, told in other words: without secrets."""
        message, statement, remedy = map(of, (self.message, self.statement, self.remedy))
        return replace(self, message=message, statement=statement, remedy=remedy)

    def as_json(self) -> dict[str, object]:
        return {
            "verdict": self.verdict,
            "kind": self.kind,
            "migration": self.migration,
            "statement": self.statement,
            "table": self.table,
            "rows": self.rows,
            "lock": words(self.lock),
            "blocks": self.blocks,
            "blocked_ms": self.blocked_ms,
            "evidence": self.evidence,
            "message": self.message,
            "remedy": self.remedy,
            "bridge": self.bridge.as_json() if self.bridge else None,
        }


def worst(verdicts: tuple[str, ...]) -> str:
    return max(verdicts, key=VERDICTS.index, default=NONE)


def unassessable(why: str, details: str) -> Finding:
    """Nobody knows what a migration does: that counts as downtime."""
    message = f"it can't be assessed: {why}"
    return Finding(verdict=DOWNTIME, kind="unknown", message=message, remedy=details)


def breaks(table: int, message: str, state: str, remedy: str, *things: Thing) -> Finding:
    """The outgoing release fails on what became of these things; two releases avoid it."""
    return Finding(
        verdict=STAGED,
        kind="breaks",
        message=message,
        relation=table,
        sqlstate=state,
        remedy=remedy,
        keys=tuple(thing.key for thing in things),
    )
