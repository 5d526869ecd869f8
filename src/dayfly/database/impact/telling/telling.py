"""Findings with all that was seen around them: statement, table, rows, and whom a lock stops."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import ONLINE, Finding
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Catalogue
from dayfly.database.impact.words import shape

_WITHOUT_TRACE = ("ALTER DEFAULT", "ALTER FUNCTION", "ALTER PROCEDURE", "ALTER ROUTINE")


def placed(what: Comparison, observed: Observed, finding: Finding) -> Finding:
    """With the statement that caused it, its table and rows."""
    cause = observed.cause(*finding.keys) if finding.keys and not finding.statement else None
    placed = finding
    if cause is not None:
        lock = cause.locks.get(finding.relation, "")
        placed = replace(
            placed,
            statement=cause.statement.text,
            migration=cause.statement.migration,
            lock=finding.lock or lock,
        )
    if finding.relation:
        table = what.before.shown(finding.relation)
        placed = replace(placed, table=table, rows=what.rows(finding.relation))
    return placed


def told_whole(findings: Sequence[Finding]) -> list[Finding]:
    """Each finding also says whom the lock on its table makes wait, and for how long."""
    waits = {finding.relation: finding for finding in findings if finding.kind == "blocks"}
    told: list[Finding] = []
    for finding in findings:
        wait = waits.get(finding.relation)
        if finding.lock and wait and not finding.blocks and finding.kind != "touches":
            told.append(replace(finding, blocks=wait.blocks, blocked_ms=wait.blocked_ms))
        else:
            told.append(finding)
    return told


def untold(what: Comparison, observed: Observed, told: Sequence[Finding]) -> Iterator[Finding]:
    """What exists was changed without a finding: it is touched, that is all."""
    covered = {finding.statement for finding in told}
    changed = [
        old.key
        for old in what.before.things.values()
        if old != what.after.things.get(old.key) and not _bookkeeping(what, what.before, old.table)
    ]
    causes = {key: observed.cause(key) for key in changed}
    for key, cause in causes.items():
        if cause is not None and cause.statement.text not in covered:
            covered.add(cause.statement.text)
            thing = what.before.things[key]
            yield _touches(cause, f"changes the {key[0].lower()} {thing.name}")
    for step in observed.steps:
        text = step.effect.statement.text
        if step.effect.tag.startswith(_WITHOUT_TRACE) and text not in covered:
            covered.add(text)
            yield _touches(step.effect, "changes what the catalogue of the copy does not show")


def folded(findings: Sequence[Finding]) -> list[Finding]:
    """What a program did row by row is told once, with the constants of one of these statements."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for place, finding in enumerate(findings):
        groups.setdefault(_same(finding) or (place,), []).append(finding)
    return [_fold(group) for group in groups.values()]


def _same(finding: Finding) -> tuple[object, ...]:
    """What findings share of which one is enough."""
    if not finding.statement or finding.keys or finding.kind not in ("loses", "blocks", "touches"):
        return ()
    told = "" if finding.kind == "blocks" else finding.message  # how long differs
    who = (finding.verdict, finding.kind, finding.migration, finding.relation, told)
    return (*who, finding.lock, finding.blocks, shape(finding.statement))


def _fold(group: Sequence[Finding]) -> Finding:
    """The one that makes others wait longest; None is longer than anybody has counted."""
    worst = max(group, key=lambda f: float("inf") if f.blocked_ms is None else f.blocked_ms)
    statements = {finding.statement for finding in group} - {worst.statement}
    if not statements:
        return worst
    others = "1 more statement" if len(statements) == 1 else f"{len(statements)} more statements"
    told = f"and {others} of this shape"
    return replace(worst, evidence="; ".join(filter(None, (worst.evidence, told))))


def _touches(effect: Effect, message: str) -> Finding:
    return Finding(
        verdict=ONLINE,
        kind="touches",
        message=message,
        statement=effect.statement.text,
        migration=effect.statement.migration,
    )


def _bookkeeping(what: Comparison, catalogue: Catalogue, table: int) -> bool:
    relation = catalogue.relation(table)
    return relation is not None and relation.name in what.bookkeeping
