"""Values that a migration puts into unique columns, and that production has there already."""

from collections.abc import Iterator, Sequence

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import STAGED, Finding
from dayfly.database.impact.questions import Ask, counted
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Index
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.telling.constants import Puts, Row, puts

_MOST = 200  # questions: a program may put in any number of rows, one by one
_AT_ONCE = 1_000  # rows of one statement


def taken(what: Comparison, observed: Observed, ask: Ask | None) -> Iterator[Finding]:
    """Only of tables of which the migration has neither changed nor read rows before."""
    previous, other, asked = observed.before, frozenset[int](), 0
    for step in observed.steps if ask is not None else ():
        effect = step.effect
        for oid in sorted(effect.targets.keys() & what.filled - other):
            for names, query in _questions(what, previous, effect, oid):
                asked += 1
                count = ask(query) if ask is not None and asked <= _MOST else 0
                if count is not None and count > 0:
                    yield _finding(what, effect, oid, names, query, count)
        other |= _others(what, effect)
        previous = step.after


def _others(what: Comparison, effect: Effect) -> frozenset[int]:
    """Tables that have other rows now, or by whose rows its program may decide what to put in."""
    read = effect.read if what.sender.decides and effect.answered is not None else frozenset()
    changed = {oid for oid, rows in effect.written.items() if rows.updated or rows.deleted}
    return read | changed | effect.updates | effect.deletes | effect.emptied


def _questions(
    what: Comparison, then: Catalogue, effect: Effect, oid: int
) -> Iterator[tuple[str, str]]:
    """With the columns, of each unique index that stood there before and stands then."""
    columns = sorted(then.of(Column, oid), key=lambda column: column.number)
    found = puts(effect.statement.text, [column.name for column in columns])
    names = {column.number: column.name for column in columns}
    for index in what.before.of(Index, oid):
        former = what.before.columns(oid, index.columns)
        whole = index.unique and not index.partial and len(former) == len(index.columns)
        if whole and index.key in then.things:
            called = [names.get(column.number, "") for column in former]
            full = [row for row in found.rows[:_AT_ONCE] if row.keys() >= {*called}]
            old = [quoted(column.name) for column in former]
            if full:
                same = " OR ".join(_same(old, called, row) for row in full)
                yield ", ".join(old), counted(_clashing(shown(what.before, oid), found, same))


def _same(old: Sequence[str], called: Sequence[str], row: Row) -> str:
    pairs = zip(old, called, strict=True)
    return f"({' AND '.join(f'{name} = {row[now]}' for name, now in pairs)})"


def _clashing(table: str, found: Puts, same: str) -> str:
    """What is changed clashes with a row that is not, or with another that is."""
    if not found.where:
        return f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608 - names are quoted
    changed = f"SELECT 1 FROM {found.target} WHERE {found.where}"  # noqa: S608 - the statement's own
    return (
        f"SELECT 1 FROM {found.target} WHERE ({same}) AND ({found.where}) IS NOT TRUE "  # noqa: S608 - the statement's own
        f"AND EXISTS ({changed}) UNION ALL ({changed} OFFSET 1)"
    )


def _finding(
    what: Comparison, effect: Effect, oid: int, names: str, query: str, count: int
) -> Finding:
    table = shown(what.before, oid)
    return Finding(
        verdict=STAGED,
        kind="fails",
        message=f"will fail: what it puts into {names} of {table} is there already, "
        f"in {count} rows",
        migration=effect.statement.migration,
        statement=effect.statement.text,
        evidence=query,
        relation=oid,
        remedy="-- Release 1: clean these rows. Release 2: this change.",
    )
