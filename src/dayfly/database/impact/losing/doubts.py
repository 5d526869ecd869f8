"""What a migration may take away without that anybody can name it, so that nothing preserves it."""

from collections.abc import Collection, Iterable, Iterator
from textwrap import shorten

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding
from dayfly.database.impact.losing.carried import Carried, every
from dayfly.database.impact.replay.effects import Effect, Observed

_WIDTH = 60  # of a statement in a sentence


def doubts(what: Comparison, observed: Observed, findings: Iterable[Finding]) -> tuple[str, ...]:
    """Why what is preserved may not be all; empty where it is."""
    if not any(what.has_rows(old.oid) for old in what.tables):
        return ()
    seen = [(effect, along) for _, effect, along in every(observed)]
    found = [*_of_code(seen), *_of_findings(what, observed, findings, seen)]
    return tuple(dict.fromkeys(found))


def _of_code(seen: Iterable[tuple[Effect, Carried]]) -> Iterator[str]:
    for effect, along in seen:
        for reason in along.unknown:
            yield f"which rows `{_short(effect)}` changes is not known: {_line(reason)}"


def _of_findings(
    what: Comparison,
    observed: Observed,
    findings: Iterable[Finding],
    seen: Collection[tuple[Effect, Carried]],
) -> Iterator[str]:
    """What was not understood, unless it is code whose text names all that it writes.

    A table of which all rows are kept may be written as it will.
    """
    whole = {id(effect.statement) for effect, along in seen if along.code and not along.unknown}
    dark = {effect.statement.text for effect, along in seen if along.unknown}
    for finding in findings:
        if finding.kind != "unknown" or finding.lost or finding.statement in dark:
            continue
        together = [*_together(observed, finding)]
        own = [each for each in together if each.statement.text == finding.statement]
        told = all(id(each.statement) in whole or not _reads(what, each) for each in together)
        if not (own and told and all(id(each.statement) in whole for each in own)):
            yield f"what it does to rows is not known: it {_line(finding.message)}"


def _together(observed: Observed, finding: Finding) -> Iterator[Effect]:
    """The statements of its migration; of its transaction, where nobody tells the migration."""
    for transaction in observed.transactions:
        effects = [step.effect for step in transaction]
        texts = {effect.statement.text for effect in effects}
        if finding.migration:
            yield from (e for e in effects if e.statement.migration == finding.migration)
        elif finding.statement in texts:
            yield from effects


def _reads(what: Comparison, effect: Effect) -> bool:
    """Rows, of which a client may make what nobody sees."""
    tables = {old.oid for old in what.tables if what.has_rows(old.oid)}
    return bool(effect.read & tables) and not effect.targets


def _short(effect: Effect) -> str:
    return shorten(effect.statement.text, _WIDTH, placeholder=" …")


def _line(text: str) -> str:
    return " ".join(text.replace("| |", "||").split())
