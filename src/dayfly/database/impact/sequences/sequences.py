"""Whether sequences go on counting as the outgoing release expects."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import STAGED, Finding, breaks
from dayfly.database.impact.questions import Ask
from dayfly.database.impact.replay.effects import Observed, Step
from dayfly.database.impact.schema.catalogue import Column, Relation, Sequence
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.sequences.counted import Next, source, told
from dayfly.database.impact.sequences.numbering import DUPLICATE, free, numbering
from dayfly.database.impact.words import mentions

EXHAUSTED = "2200H"


def sequences(what: Comparison, observed: Observed, ask: Ask | None) -> Iterator[Finding]:
    yield from counting(what)
    for step in observed.steps:
        yield from _set_back(what, step, ask)
    yield from _replaced(what)
    yield from numbering(what, observed, ask)


def counting(what: Comparison) -> Iterator[Finding]:
    """By other steps, or to another end."""
    for old in what.before.of(Sequence):
        now = what.after.things.get(old.key)
        if isinstance(now, Sequence):
            for message, state in _differences(old, now):
                name = shown(what.before, old.oid)
                yield breaks(old.oid, f"{name} {message}", state, remedies.CONTRACT, old)


def _differences(old: Sequence, now: Sequence) -> Iterator[tuple[str, str]]:
    if old.increment != now.increment:
        told = f"counts by {now.increment}, not {old.increment}: keys that programs keep collide"
        yield told, DUPLICATE
    if now.most < old.most or now.least > old.least:
        yield f"ends at {now.most}, not {old.most}", EXHAUSTED
    if now.cycles != old.cycles:
        yield "begins anew at its end" if now.cycles else "no longer begins anew", DUPLICATE


def _replaced(what: Comparison) -> Iterator[Finding]:
    """One of its own, which programs ask by its name; those of columns follow their default."""
    for old in what.tables:
        now = what.standing(old)
        alone = now is not None and old.kind == now.kind == "S" and not (old.parent or now.parent)
        if now is not None and alone and now.oid != old.oid:
            name = shown(what.before, old.oid)
            message = f"another sequence stands under the name {name}: what it gave may come twice"
            yield breaks(old.oid, message, DUPLICATE, remedies.KEEP_COUNTING, old, now)


def _set_back(what: Comparison, step: Step, ask: Ask | None) -> Iterator[Finding]:
    """Where it stands in production is not known here, so each new start counts as one back."""
    effect, text = step.effect, step.effect.statement.text
    if mentions(text, "RESTART"):
        restarted = effect.counting
    elif mentions(text, "setval"):
        restarted = frozenset(o.oid for o in what.before.of(Sequence) if _named(what, text, o))
    else:
        return
    for oid in sorted(restarted):
        sequence = what.before.relation(oid)
        if sequence and _numbers_rows(what, sequence):
            column = _drawing(what, sequence)
            start = told(text, step.after, sequence, column) or Next()
            if start.forward or (column and free(what, column, start, ask)):
                continue
            yield Finding(
                verdict=STAGED,
                kind="breaks",
                message=f"{shown(what.before, oid)} starts again: what it has given may come twice",
                migration=effect.statement.migration,
                statement=text,
                relation=oid,
                sqlstate=DUPLICATE,
                remedy=_continued(what, sequence, column),
            )


def _drawing(what: Comparison, sequence: Relation) -> Column | None:
    """The column that draws from it, where there is one."""
    drawing = (c for c in what.before.of(Column) if source(what.before, c, (sequence,)))
    return next(drawing, None)


def _continued(what: Comparison, sequence: Relation, column: Column | None) -> str:
    """From the largest key."""
    if column is None:
        return remedies.KEEP_COUNTING
    name, table = shown(what.before, sequence.oid), shown(what.before, column.table)
    return remedies.continues(name, table, quoted(column.name))


def _named(what: Comparison, text: str, old: Sequence) -> bool:
    sequence = what.before.relation(old.oid)
    table = what.before.relation(sequence.parent) if sequence else None
    by_table = table is not None and mentions(text, table.name)
    return mentions(text, old.name) or (by_table and mentions(text, "pg_get_serial_sequence"))


def _numbers_rows(what: Comparison, sequence: Relation) -> bool:
    return not sequence.parent or what.has_rows(sequence.parent)
