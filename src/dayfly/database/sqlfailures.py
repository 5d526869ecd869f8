"""How an SQL file failed: in which line and statement, with what right or sign missing."""

import psycopg
from psycopg import Connection

from dayfly.database.encoding import lacking
from dayfly.database.problems import missing_right
from dayfly.database.sqlbooks import done_by_hand
from dayfly.database.sqlnames import SqlFile, SqlFileError
from dayfly.database.sqltext import Piece, split

NOTHING = "Nothing of it stays."


def failed(
    file: SqlFile,
    error: psycopg.Error,
    state: str,
    *,
    piece: Piece | None = None,
    how: type[SqlFileError] = SqlFileError,
) -> SqlFileError:
    """In `piece` of it, where its statements run one by one; `state`: what stays of it."""
    text = piece.text if piece else file.text
    at = _place(text, error)
    ended = isinstance(error, psycopg.errors.AdminShutdown)
    words = "it was ended" if ended else str(error).strip().splitlines()[0]
    if refused := lacking(words):
        at = text.find(refused.sign)
        words, state = str(refused), f"{refused.remedy}\n{state}"
    first = piece.line if piece else 1 if at is not None else None
    line = "" if first is None else f", line {first + text.count(chr(10), 0, at or 0)}"
    found = how(f"{file.name}{line}: {words}", hint=state)
    found.migration, found.statement = file.name, _statement(text, at)
    return found


def unwritten(file: SqlFile) -> str:
    flyways = file.version is not None or file.repeatable
    how = "flyway baseline" if flyways else done_by_hand(file)
    return (
        f"{NOTHING}\n"
        f"If {file.name} has run already, by hand or by another tool, write that down: {how}"
    )


def with_right(connection: Connection, error: psycopg.Error, state: str) -> str:
    if not isinstance(error, psycopg.errors.InsufficientPrivilege):
        return state
    return f"{missing_right(str(error), connection.info.user)}\n{state}".strip()


def _place(text: str, error: psycopg.Error) -> int | None:
    position = error.diag.statement_position
    return min(int(position) - 1, len(text)) if position else None


def _statement(text: str, at: int | None) -> str:
    """The one there; nothing where it may be any of several."""
    pieces = split(text)
    if at is None:
        return pieces[0].text if len(pieces) == 1 else ""
    begun = len(split(text[: at + 1]))
    return pieces[max(begun, 1) - 1].text if pieces else ""
