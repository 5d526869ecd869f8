"""Replay a migration on a copy of the database, and see what each statement does."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import psycopg
from psycopg import sql

from dayfly.database.captured import Statement, Transaction
from dayfly.database.connection import connect
from dayfly.database.impact.replay.acting import Actor
from dayfly.database.impact.replay.effects import Observed, Step
from dayfly.database.impact.replay.marks import Connection
from dayfly.database.impact.replay.player import Player
from dayfly.database.impact.schema.catalogue import Catalogue, Relation
from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.impact.words import first_word
from dayfly.database.programs import DatabaseError
from dayfly.database.sqltext import split
from dayfly.database.statements import control

# So that what must read a whole table can be told from what merely happens to on a small copy.
_SETTINGS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "max_parallel_maintenance_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "statement_timeout": "120s",
}
_COUNTED = 100  # tables at once
_CONTROL = ("BEGIN", "START", "COMMIT", "END", "SAVEPOINT", "RELEASE", "ROLLBACK", "ABORT")


def replay(
    url: str,
    transactions: Iterable[Transaction],
    *,
    role: str = "",
    between: Callable[[], object] = lambda: None,
) -> Observed:
    """Run the transactions on the copy, which is changed by it; stops at the first that fails.

    As `role`, where that is given; `between` is called after each of them.
    """
    with _opened(url) as connection:
        with connection.transaction():
            before = snapshot(connection)
            rows = _rows(connection, before)
        player = Player(connection, before, current=before, actor=Actor(connection, role))
        waiting = list(_singly(transactions))
        done: list[tuple[Step, ...]] = []
        while waiting and not (done and done[-1][-1].effect.failure):
            steps = player.play(waiting.pop(0))
            if steps:
                done.append(steps)
                between()
        skipped = sum(len(transaction.statements) for transaction in waiting)
        return Observed(before=before, rows=rows, transactions=tuple(done), skipped=skipped)


@contextmanager
def _opened(url: str) -> Iterator[Connection]:
    try:
        with connect(url, autocommit=True) as connection:
            for name, value in _SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            yield connection
    except psycopg.OperationalError as error:
        raise DatabaseError(f"the copy of the database failed: {error}") from error


def _singly(transactions: Iterable[Transaction]) -> Iterator[Transaction]:
    """Without what only opens and closes; statements that stood alone as one transaction each."""
    for transaction in transactions:
        parts = [_parts(statement) for statement in transaction.statements]
        if transaction.block:
            yield Transaction(statements=_done(chain.from_iterable(parts)))
        else:
            for part in filter(None, map(_done, parts)):
                yield Transaction(statements=part, block=len(part) > 1)


def _parts(statement: Statement) -> tuple[Statement, ...]:
    return tuple(replace(statement, text=piece.text) for piece in split(statement.text))


def _done(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Without what only opens and closes, and without what a savepoint took back."""
    found: list[Statement] = []
    savepoints: dict[str, int] = {}
    for statement in statements:
        order = control(statement.text)
        if order and order.verb == "savepoint":
            savepoints[order.name] = len(found)
        elif order and order.verb == "rollback to":
            del found[savepoints.get(order.name, len(found)) :]
        elif first_word(statement.text) not in _CONTROL:
            found.append(statement)
    return tuple(found)


def _rows(connection: Connection, catalogue: Catalogue) -> dict[int, int]:
    tables = [relation for relation in catalogue.of(Relation) if relation.kind in "rp"]
    found: dict[int, int] = {}
    for at in range(0, len(tables), _COUNTED):  # hundreds of tables would be hundreds of questions
        asked = sql.SQL(" UNION ALL ").join(map(_count_of, tables[at : at + _COUNTED]))
        found |= dict(connection.execute(asked).fetchall())
    return found


def _count_of(table: Relation) -> sql.Composed:
    name = sql.Identifier(table.schema, table.name)
    return sql.SQL("SELECT {}::int8, count(*) FROM {}").format(table.oid, name)
