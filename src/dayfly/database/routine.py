"""What a migrate command reads each time it runs: the app starts, whatever is pending.

A read of rows counts as a migration that might write, unless three things say that it is none.
It stands outside of what the tool wrote down as a migration; it was done by the session that
looked into the tool's books, so not by another command beside the tool; and the same command
does it again when nothing is pending any more.
"""

from collections.abc import Callable, Iterable, Sequence

from dayfly.database.capture import CaptureError
from dayfly.database.captured import Transaction
from dayfly.database.sqltext import significant

_VALUES = ("string", "number", "parameter")
_Shapes = tuple[str, ...]  # of a transaction's statements


def without_routine(
    done: Sequence[Transaction], again: Callable[[], Iterable[Transaction]]
) -> tuple[Transaction, ...]:
    """What belongs to migrations; `again` runs the command once more, if that has to be known."""
    if not any(map(_aside, done)):
        return tuple(done)
    try:
        routine = {_shapes(one) for one in again() if _aside(one)}
    except CaptureError:
        return tuple(done)
    return tuple(one for one in done if not (_aside(one) and _shapes(one) in routine))


def _aside(transaction: Transaction) -> bool:
    """Only reads, and no migration has it."""
    return transaction.reads and not any(one.migration for one in transaction.statements)


def _shapes(transaction: Transaction) -> _Shapes:
    """Whatever the values: the time of day may be one."""
    return tuple(_shape(statement.text) for statement in transaction.statements)


def _shape(text: str) -> str:
    return " ".join("?" if token.kind in _VALUES else token.text for token in significant(text))
