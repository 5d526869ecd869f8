"""What a file without a transaction leaves behind when one of its statements fails."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from dayfly.database.sqlindexes import index_of, invalid, removed_by
from dayfly.database.sqltext import Piece, significant

# They may commit on their way, and fail after that.
_COMMITTING = frozenset({"call", "cluster", "concurrently", "do", "reindex", "vacuum"})


def left_by(connection: Connection[Any], pieces: Sequence[Piece], done: int) -> str:
    """`done`: how many of its statements had gone well before."""
    index = "" if connection.closed else invalid(connection, index_of(pieces[done].text))
    return stays(pieces, done, index)


def stays(pieces: Sequence[Piece], done: int, index: str = "") -> str:
    """In words; `index` was left invalid."""
    left = f"An invalid index stays: {removed_by(index)}" if index else ""
    if done:
        state = (
            f"It runs without a transaction: the first {done} of its {len(pieces)} statements "
            "stay. Undo them, or make the file able to run again."
        )
        return f"{state} {left}".strip()
    if left:
        return left
    commits = _COMMITTING & {token.word for token in significant(pieces[0].text[:2000])}
    return f"Nothing of it stays{', but what it has committed on its way' if commits else ''}."
