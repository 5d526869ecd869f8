"""What the outgoing release misses only between two transactions of a migration."""

from collections.abc import Iterator
from dataclasses import replace

from dayfly.database.impact.breaking import UNDEFINED_COLUMN, UNDEFINED_TABLE, breaking
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.effects import Observed, Step
from dayfly.database.impact.finding import Finding
from dayfly.database.impact.words import tokens

_REMOVE = {"DROP", "RENAME", "SCHEMA"}
TOGETHER = "-- In one transaction, so that nobody sees the state between."


def between(what: Comparison, observed: Observed) -> Iterator[Finding]:
    """Tables and columns that are gone after one transaction, and there again at the end."""
    removing = [each for each in observed.transactions[:-1] if _removes(each)]
    told = {finding.keys for finding in breaking(what)} if removing else set()
    for transaction in removing:
        for finding in breaking(replace(what, after=transaction[-1].after)):
            gone = finding.sqlstate in (UNDEFINED_TABLE, UNDEFINED_COLUMN)
            if gone and finding.keys not in told:
                told.add(finding.keys)
                message = f"for a moment between two transactions: {finding.message}"
                yield replace(finding, message=message, remedy=TOGETHER)


def _removes(transaction: tuple[Step, ...]) -> bool:
    return any(_REMOVE & set(tokens(step.effect.statement.text)) for step in transaction)
