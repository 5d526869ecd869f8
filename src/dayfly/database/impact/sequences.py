"""Whether sequences go on counting as the outgoing release expects."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.catalogue import Column, Relation, Sequence
from dayfly.database.impact.comparison import Comparison
from dayfly.database.impact.effects import Effect, Observed
from dayfly.database.impact.finding import STAGED, Finding, breaks
from dayfly.database.impact.names import quoted, shown
from dayfly.database.impact.words import mentions

DUPLICATE, EXHAUSTED = "23505", "2200H"

_FORWARD = ("max", "nextval", "last_value")  # what is set is worked out from what is there


def sequences(what: Comparison, observed: Observed) -> Iterator[Finding]:
    for old in what.before.of(Sequence):
        now = what.after.things.get(old.key)
        if isinstance(now, Sequence):
            for message, state in _differences(old, now):
                name = shown(what.before, old.oid)
                yield breaks(old.oid, f"{name} {message}", state, remedies.CONTRACT, old)
    for step in observed.steps:
        yield from _set_back(what, step.effect)


def _differences(old: Sequence, now: Sequence) -> Iterator[tuple[str, str]]:
    if old.increment != now.increment:
        told = f"counts by {now.increment}, not {old.increment}: keys that programs keep collide"
        yield told, DUPLICATE
    if now.most < old.most or now.least > old.least:
        yield f"ends at {now.most}, not {old.most}", EXHAUSTED
    if now.cycles != old.cycles:
        yield "begins anew at its end" if now.cycles else "no longer begins anew", DUPLICATE


def _set_back(what: Comparison, effect: Effect) -> Iterator[Finding]:
    """Where it stands in production is not known here, so each new start counts as one back."""
    text = effect.statement.text
    if mentions(text, "RESTART"):
        restarted = effect.counting
    elif mentions(text, "setval") and not any(mentions(text, word) for word in _FORWARD):
        restarted = frozenset(o.oid for o in what.before.of(Sequence) if _named(what, text, o))
    else:
        return
    for oid in sorted(restarted):
        sequence = what.before.relation(oid)
        if sequence and _numbers_rows(what, sequence):
            yield Finding(
                verdict=STAGED,
                kind="breaks",
                message=f"{shown(what.before, oid)} starts again: what it has given may come twice",
                migration=effect.statement.migration,
                statement=text,
                relation=oid,
                sqlstate=DUPLICATE,
                remedy=_continued(what, sequence),
            )


def _continued(what: Comparison, sequence: Relation) -> str:
    """From the largest key of the column that draws from it, where there is one."""
    name = shown(what.before, sequence.oid)
    for column in what.before.of(Column):
        identity = column.identity != "" and column.table == sequence.parent
        if identity or ("nextval" in column.default and mentions(column.default, sequence.name)):
            table = shown(what.before, column.table)
            return remedies.continues(name, table, quoted(column.name))
    return remedies.KEEP_COUNTING


def _named(what: Comparison, text: str, old: Sequence) -> bool:
    sequence = what.before.relation(old.oid)
    table = what.before.relation(sequence.parent) if sequence else None
    by_table = table is not None and mentions(text, table.name)
    return mentions(text, old.name) or (by_table and mentions(text, "pg_get_serial_sequence"))


def _numbers_rows(what: Comparison, sequence: Relation) -> bool:
    return not sequence.parent or what.has_rows(sequence.parent)
