"""What could not be seen: never none, never online."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from dayfly.database.impact import remedies
from dayfly.database.impact.breaking.breaking import NOT_NULL
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import DOWNTIME, ONLINE, STAGED, Finding
from dayfly.database.impact.losing.carried import Carried, every
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Column
from dayfly.database.impact.schema.names import shown
from dayfly.database.impact.unseen.filled import filled_by
from dayfly.database.impact.unseen.reading import Program
from dayfly.database.impact.unseen.running import Ran, Unseen
from dayfly.database.impact.unseen.strange import run_by, strange
from dayfly.database.impact.unseen.undecided import Undecided
from dayfly.database.loss import Loss


def unassessed(
    what: Comparison, observed: Observed, told: Iterable[Finding] = ()
) -> Iterator[Finding]:
    """`told`: losses of which nobody needs to hear twice."""
    for step in observed.steps:
        yield from _failed(observed, step.effect)
        yield from _refused(what, step.effect)
        yield from _strange(step.effect)
    for _, effect, along in every(observed):
        for tag in dict.fromkeys(run_by(along.body, effect.statement.text) if along.body else ()):
            yield _unknown(effect, f"{tag}, which its code runs,")
    yield from _undecided(what, observed)
    yield from _unobserved(what, observed, [each for each in told if each.kind == "loses"])


def _failed(observed: Observed, effect: Effect) -> Iterator[Finding]:
    if effect.failure is not None:
        rest = f"; {observed.skipped} statements after it were not assessed"
        yield Finding(
            verdict=DOWNTIME,
            kind="fails",
            message=f"fails on a copy of the schema: {effect.failure.message}"
            + (rest if observed.skipped else ""),
            migration=effect.statement.migration,
            statement=effect.statement.text,
            sqlstate=effect.failure.sqlstate,
        )


def _refused(what: Comparison, effect: Effect) -> Iterator[Finding]:
    """Rows of the copy were in the way; those of production may be, or must be."""
    if effect.refused is None:
        return
    certain = False
    for old in what.tables:
        if old.name == effect.refused.table and effect.refused.sqlstate == NOT_NULL:
            names = {column.name for column in what.before.of(Column, old.oid)}
            certain = effect.refused.column not in names and bool(what.rows(old.oid))
    will = "will fail on" if certain else "may fail on production's rows, as on"
    rows = "the rows that are there" if certain else "invented ones"
    yield Finding(
        verdict=STAGED if certain else ONLINE,
        kind="fails",
        message=f"{will} {rows}: {effect.refused.message}",
        migration=effect.statement.migration,
        statement=effect.statement.text,
    )


def _strange(effect: Effect) -> Iterator[Finding]:
    writes_unseen = effect.outside and effect.tag in ("CALL", "DO")
    if strange(effect.tag, effect.statement.text) or writes_unseen:
        yield _unknown(effect, effect.tag)


def _unknown(effect: Effect, does: str) -> Finding:
    return Finding(
        verdict=DOWNTIME,
        kind="unknown",
        message=f"what {does} does to a live database cannot be assessed",
        migration=effect.statement.migration,
        statement=effect.statement.text,
    )


def _undecided(what: Comparison, observed: Observed) -> Iterator[Finding]:
    """What code would do to production's schema, and did not to that of the copy."""
    for (before, effect, along), step in zip(every(observed), observed.steps, strict=True):
        if along.body is not None:
            code = Undecided(what, effect, before, step.after, along.body)
            for table, text in code.changes():
                yield Finding(
                    verdict=DOWNTIME,
                    kind="unknown",
                    message="may do what it did not on the copy, as it asks for "
                    f"{', '.join(code.hangs_on)}: {text}",
                    migration=effect.statement.migration,
                    statement=effect.statement.text,
                    relation=table,
                )


def _unobserved(
    what: Comparison, observed: Observed, losses: Collection[Finding]
) -> Iterator[Finding]:
    """What a migration would write for production's rows, and did not for those of the copy."""
    migrations: dict[str, list[Effect]] = {}
    told: set[tuple[str, int]] = set()
    everything: list[tuple[str, Effect, Carried]] = []
    seen = zip(_migrations(observed), every(observed), observed.steps, strict=True)
    for name, (before, effect, along), step in seen:
        migrations.setdefault(name, []).append(effect)
        everything.append((name, effect, along))
        for unseen in Ran(what, effect, before, step.after, along).unseen():
            if (name, unseen.table) not in told:
                told.add((name, unseen.table))
                if not _told(losses, effect, unseen):
                    found = _finding(effect, unseen.table, unseen.says)
                    yield _with_rows(what, found) if unseen.losing else found
    for name, effects in migrations.items() if what.sender.decides else ():
        program = Program(what, effects, filled_by(what, name, everything))
        for effect, table in program.unseen():
            if (name, table) not in told:
                told.add((name, table))
                yield _finding(effect, table, f"reads {what.before.shown(table)}")
        yield from _missing(what, program, {table for whose, table in told if whose == name})


def _missing(what: Comparison, program: Program, told: Collection[int]) -> Iterator[Finding]:
    """What its text would do to other rows than those that we made up."""
    found = program.missing()
    if found is not None and found[1] not in told:
        effect, table, does = found
        says = f"its program {does} by what it reads of {what.before.shown(table)}"
        yield _finding(effect, table, says)


def decided(what: Comparison, observed: Observed) -> Iterator[str]:
    """Of each migration that chose by rows what to write: no others than those were there."""
    migrations: dict[str, list[Effect]] = {}
    for name, step in zip(_migrations(observed), observed.steps, strict=True):
        migrations.setdefault(name, []).append(step.effect)
    for effects in migrations.values() if what.sender.decides else ():
        tables = sorted(what.before.shown(oid) for oid in Program(what, effects).decides())
        if tables:
            name = effects[0].statement.migration or "the migration"
            yield (
                f"{name} decides in its own program by rows of {' and '.join(tables)}: "
                "what it does was seen on made-up rows only"
            )


def _told(losses: Collection[Finding], effect: Effect, unseen: Unseen) -> bool:
    """That it may write this table; by more than what its text says only where all rows are."""
    statement = effect.statement.text
    return not unseen.decides and any(
        (loss.statement, loss.relation) == (statement, unseen.table)
        and (unseen.losing or any(lost.columns is None for lost in loss.lost))
        for loss in losses
    )


def _migrations(observed: Observed) -> Iterator[str]:
    """Of each statement; the number of its transaction, where nobody tells the migration."""
    for number, transaction in enumerate(observed.transactions):
        for step in transaction:
            yield step.effect.statement.migration or f"transaction {number}"


def _finding(effect: Effect, table: int, says: str) -> Finding:
    return Finding(
        verdict=DOWNTIME,
        kind="unknown",
        message=f"{says}, which has rows in production; what it would write for them was not seen",
        migration=effect.statement.migration,
        statement=effect.statement.text,
        relation=table,
    )


def _with_rows(what: Comparison, finding: Finding) -> Finding:
    """Nothing about them is unknown: the text names them, and they can be kept before."""
    [table] = [each for each in (what.before.relation(finding.relation),) if each]
    name = shown(what.before, table.oid)
    lost = Loss(schema=table.schema, table=table.name)
    return replace(
        finding,
        kind="loses",
        remedy=remedies.undo(table.schema, table.name),
        loses=(f"{name} (rows)",),
        lost=(lost,),
    )
