"""A statement executed, and what PostgreSQL says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from dayfly.database.connection import said
from dayfly.database.impact.replay.effects import Failure, Written
from dayfly.database.impact.replay.marks import Connection, Counts
from dayfly.database.impact.words import cursor, first_word, mentions

_EMPTY = (None, b"", b"0", b"f")  # as PostgreSQL spells NULL, '', zero and false


@dataclass(frozen=True, kw_only=True)
class Said:
    tag: str
    answered: bool | None = None  # None: it answers nothing; False: no row, or only zero and NULL


def execute(connection: Connection, text: str) -> Said:
    if first_word(text) == "COPY":
        with connection.cursor() as copying, copying.copy(text.encode()) as copied:
            if mentions(text, "STDOUT"):
                for _ in copied:
                    """Nobody wants them."""
            return Said(tag="COPY")
    done = connection.execute(text.encode())
    if name := cursor(text):  # what a program fetches from it is not replayed
        rows = connection.execute(sql.SQL("FETCH 1 FROM {}").format(sql.Identifier(name)))
        return Said(tag=done.statusmessage or "", answered=_answered(rows))
    return Said(tag=done.statusmessage or "", answered=_answered(done))


def _answered(done: psycopg.Cursor[Any]) -> bool | None:
    found = done.pgresult
    if found is None or done.description is None:
        return None
    values = (found.get_value(0, column) for column in range(found.nfields))
    return found.ntuples > 1 or (found.ntuples == 1 and any(v not in _EMPTY for v in values))


def written_rows(counts: Mapping[int, Counts]) -> dict[int, Written]:
    found = {
        oid: Written(inserted=count.inserted, updated=count.updated, deleted=count.deleted)
        for oid, count in counts.items()
    }
    return {oid: written for oid, written in found.items() if written.rows}


def failure(error: psycopg.Error) -> Failure:
    return Failure(
        sqlstate=error.sqlstate or "",
        message=said(error),
        table=error.diag.table_name or "",
        column=error.diag.column_name or "",
    )
