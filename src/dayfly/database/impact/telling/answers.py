"""Findings with what production's rows say: whether it will fail, and whether anything is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import ONLINE, STAGED, Finding
from dayfly.database.impact.questions import FAILS, Ask, questions, values
from dayfly.database.impact.schema.catalogue import Column, Key
from dayfly.database.impact.schema.names import quoted, shown


def with_answers(what: Comparison, found: Sequence[Finding], ask: Ask | None) -> Sequence[Finding]:
    """With what production's rows say: whether it will fail, and on how many."""
    if ask is None:
        return found
    findings = _without_values(what, found, ask)
    for question in questions(what):
        if not what.has_rows(question.table):
            continue
        count = ask(question.sql)
        if count is None:
            continue
        evidence = f"production has {_many(count)} {question.what}"
        findings = [_known(finding, question.key, evidence) for finding in findings]
        if count:
            findings.append(
                Finding(
                    verdict=STAGED,
                    kind="fails",
                    message=f"will fail: {evidence}",
                    evidence=question.sql,
                    relation=question.table,
                    keys=(question.key,),
                    remedy="-- Release 1: clean these rows. Release 2: this change.",
                )
            )
    return findings


def _many(count: int) -> str:
    return "some" if count == FAILS else str(count or "no")


def _known(finding: Finding, key: Key, evidence: str) -> Finding:
    if key not in finding.keys:
        return finding
    return replace(finding, evidence="; ".join(filter(None, (finding.evidence, evidence))))


def _without_values(what: Comparison, found: Sequence[Finding], ask: Ask) -> list[Finding]:
    """Nothing is overwritten where production has only NULL, as in a column just added."""
    empty: dict[Key, bool] = {}
    for key in (key for finding in found for key in finding.overwrites):
        column = what.before.things[key]
        if key not in empty and isinstance(column, Column):
            empty[key] = not column.not_null and ask(values(what, column)) == 0
    return [_fills(what, finding, empty) for finding in found]


def _fills(what: Comparison, finding: Finding, empty: Mapping[Key, bool]) -> Finding:
    if not finding.overwrites or not all(empty.get(key) for key in finding.overwrites):
        return finding
    table = shown(what.before, finding.relation)
    columns = (quoted(what.before.things[key].name) for key in finding.overwrites)
    named = ", ".join(f"{table}.{column}" for column in columns)
    return Finding(
        verdict=ONLINE,
        kind="touches",
        message=f"fills {named}",
        evidence=f"production has no values of {named}",
        migration=finding.migration,
        statement=finding.statement,
        relation=finding.relation,
    )
