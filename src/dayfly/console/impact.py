"""What a release does to the database, in words for a person and in the order of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dayfly.console.lanes import Drawing, drawing
from dayfly.console.state import Json
from dayfly.progress import Progress
from dayfly.shown import duration, later

UNASSESSED, ONLINE = "unassessed", "online"
_OPENED = 12  # findings that are shown whole without a click: the worst
_HEADLINES = {
    "none": ("Nothing that exists is touched", "The release goes straight through."),
    ONLINE: (
        "The running release goes on working",
        "Nothing is lost, and nobody waits longer than {budget} while it migrates.",
    ),
    "staged": (
        "This takes two releases",
        "In one, the outgoing release would break or something be lost: the findings say how.",
    ),
    "downtime": (
        "This takes downtime",
        "It makes others wait longer than {budget}, can't be undone, or can't be assessed.",
    ),
    UNASSESSED: (
        "Nobody looked",
        "Either dayfly.toml names no migrations, or the release ended before its turn came.",
    ),
}
_COURSES = {  # what became of it says more than what it would have taken
    "held": ("This held requests for {seconds}", "New requests waited at the balancer meanwhile."),
    "window": (
        "This took downtime of {seconds}",
        "Meanwhile requests got the page of a closed app.",
    ),
}
_WAYS = {
    "proven": "Open. Both releases were tried on a migrated copy, and the outgoing one left the"
    " rows of the new one alone in: {covered}.",
    "catalogue only": "Open, as far as the catalogue tells: the outgoing release finds what it"
    " needs in the new schema. It was not tried with rows.",
    "closed": "Closed: on the new schema the outgoing release would break or lose something, or"
    " nobody can tell.",
}


@dataclass(frozen=True, kw_only=True)
class Touched:
    """One table with what all findings say of it together."""

    table: str
    rows: int | None
    lock: str
    blocks: str
    blocked_ms: float | None  # the longest; None: it grows with rows that nobody counted
    findings: int


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was preserved under one name; rows and bytes of each table where they are known."""

    name: str
    tables: Sequence[Json]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the page shows of one assessment."""

    verdict: str
    headline: str
    consequence: str
    way: str
    found: Json
    drawing: Drawing | None  # None: of a release before there was a time line
    tables: tuple[Touched, ...]
    bridge: str  # "", "built" or "gone"
    preserved: Sequence[Export]

    @property
    def findings(self) -> Sequence[Json]:
        return self.found.get("findings") or ()

    @property
    def bridged(self) -> bool:
        """Whether its bridges are built, not only possible."""
        return self.verdict == ONLINE or bool(self.bridge)

    @property
    def bridges(self) -> int:
        return sum(bool(f.get("bridge")) for f in self.findings) if self.bridged else 0

    def opens(self, place: int, finding: Json) -> bool:
        """Whether a finding is shown whole at once; what is merely told is not."""
        return place < _OPENED and bool(finding.get("remedy") or finding.get("bridge"))

    def exceeds(self, finding: Json) -> bool:
        """Whether it makes somebody wait longer than the budget."""
        ms, budget = finding.get("blocked_ms"), self.found.get("budget")
        return ms is None or (budget is not None and ms > budget * 1000)

    @property
    def waiting(self) -> bool:
        return any(table.blocks for table in self.tables)

    @property
    def longest(self) -> float | None:
        """That anybody waits; None: nobody knows."""
        waits = [table.blocked_ms for table in self.tables if table.blocks]
        known = [ms for ms in waits if ms is not None]
        return max(known, default=0.0) if len(known) == len(waits) else None

    @property
    def later(self) -> str:
        """What will come of the migrations that it leaves out."""
        return later(self.found)

    @property
    def rows(self) -> Mapping[str, int | None]:
        return {table.table: table.rows for table in self.tables}


def page(receipt: Json, told: Progress) -> Page | None:
    """Of the receipt, or of what the journal says while there is none; None: not yet assessed."""
    facts = {kind: event.data for kind, event in told.facts.items()}
    if receipt.get("outcome") == "running" and "assessed" not in facts:
        return None
    # Its contract migrations are assessed later, and that is not what the page tells.
    told_by = receipt if receipt.get("impact") else facts.get("assessed", receipt)
    verdict = told_by.get("verdict") or UNASSESSED
    found = dict(receipt.get("impact") or facts.get("assessed", {}))
    found.pop("verdict", None)
    headline, consequence = _done(receipt, facts) or _HEADLINES.get(verdict, (verdict, ""))
    return Page(
        verdict=verdict,
        headline=headline,
        consequence=consequence.format(budget=_budget(found.get("budget"))),
        way=_way(found.get("rollback") or {}),
        found=found,
        drawing=drawing(found["timeline"], found.get("budget")) if "timeline" in found else None,
        tables=tables(found.get("findings") or ()),
        bridge=told.facts["bridge"].kind.partition(".")[2] if "bridge" in facts else "",
        preserved=exports(receipt, facts.get("preserved")),
    )


def _done(receipt: Json, facts: Mapping[str, Json]) -> tuple[str, str] | None:
    """How it went on, where that is over and somebody had to wait."""
    course = receipt.get("course") or facts.get("course", {}).get("course")
    seconds = {
        "held": receipt.get("held_seconds") or facts.get("held", {}).get("seconds"),
        "window": receipt.get("closed_seconds"),
    }.get(course or "")
    if seconds is None:
        return None
    headline, consequence = _COURSES[str(course)]
    return headline.format(seconds=duration(seconds)), consequence


def exports(receipt: Json, newest: Json | None) -> tuple[Export, ...]:
    """Of the release and of its contract migrations; while it is under way, `newest`."""
    runs = (receipt.get("contract") or {}).get("runs") or ()
    made = [each["preserved"] for each in (receipt, *runs) if each.get("preserved")]
    return tuple(_export(receipt, each) for each in made or filter(None, [newest]))


def _export(receipt: Json, made: Json) -> Export:
    """One that was written down before each table had its figures has the names alone."""
    each = made.get("each") or [{"table": name} for name in made["tables"]]
    return Export(name=str(made.get("preserved") or receipt["release"]), tables=each)


def tables(findings: Sequence[Json]) -> tuple[Touched, ...]:
    """Those that findings name; in front those of which somebody waits longest."""
    named: dict[str, list[Json]] = {}
    for finding in findings:
        if finding.get("table"):
            named.setdefault(finding["table"], []).append(finding)
    touched = [_touched(table, about) for table, about in named.items()]
    return tuple(sorted(touched, key=lambda one: -_wait(one.blocks, one.blocked_ms)))


def _touched(table: str, about: Sequence[Json]) -> Touched:
    worst = max(about, key=lambda one: _wait(one.get("blocks", ""), one.get("blocked_ms")))
    return Touched(
        table=table,
        rows=worst.get("rows"),
        lock=worst.get("lock", ""),
        blocks=worst.get("blocks", ""),
        blocked_ms=worst.get("blocked_ms"),
        findings=len(about),
    )


def _wait(blocks: str, ms: float | None) -> float:
    if not blocks:
        return -1.0
    return float("inf") if ms is None else ms


def _budget(seconds: float | None) -> str:
    return "the budget" if seconds is None else f"the budget of {seconds:g} s"


def _way(rollback: Mapping[str, Any]) -> str:
    told = _WAYS.get(rollback.get("state", ""), "")
    return told.format(covered=", ".join(rollback.get("covered") or ()))
