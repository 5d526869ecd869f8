"""Findings that come from the statements of production, or are proven by them."""

from collections.abc import Sequence
from dataclasses import replace

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.outgoing import Broken, Checked
from dayfly.database.impact.finding import ONLINE, STAGED, Finding

SHOWN = 3  # statements in one finding; the others are counted


def with_statements(found: Sequence[Finding], checked: Checked) -> list[Finding]:
    """Statements of production that fail now are evidence of a finding, or one of their own."""
    findings = list(found)
    groups: dict[tuple[str, bool], list[Broken]] = {}
    for broken in checked.broken:
        groups.setdefault((broken.sqlstate, broken.prepared), []).append(broken)
    for (state, prepared), group in groups.items():
        known = [place for place, finding in enumerate(findings) if finding.sqlstate == state]
        if known and not prepared:
            finding = findings[known[0]]
            said = "; ".join(filter(None, (finding.evidence, _told(group))))
            findings[known[0]] = replace(finding, evidence=said)
        else:
            findings.append(_finding(group, state, prepared=prepared))
    return findings


def _finding(group: Sequence[Broken], state: str, *, prepared: bool) -> Finding:
    if prepared:
        message = (
            "sessions that prepared a statement before the change fail until they prepare it again"
        )
        return Finding(
            verdict=ONLINE,
            kind="touches",
            message=message,
            evidence=_told(group),
            remedy=remedies.PREPARED,
        )
    return Finding(
        verdict=STAGED,
        kind="breaks",
        message=f"statements of the outgoing release fail: {group[0].message}",
        evidence=_told(group),
        sqlstate=state,
    )


def _told(group: Sequence[Broken]) -> str:
    shown = [f"{broken.text}: {broken.message}" for broken in group[:SHOWN]]
    if len(group) > SHOWN:
        shown.append(f"and {len(group) - SHOWN} more statements")
    return "; ".join(shown)
