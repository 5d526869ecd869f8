"""Rows that a program writes back whole: which of the values were others before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg

from dayfly.database.impact.replay.marks import Connection
from dayfly.database.impact.schema.names import quoted
from dayfly.database.impact.words import set_columns
from dayfly.database.sqltext import Token, significant

_CONSTANTS = frozenset({"null", "true", "false"})
_MOST = 100_000  # characters of a statement that is looked at

Values = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """An UPDATE that sets constants only, as SQL that reads what it writes."""

    columns: tuple[str, ...]
    sql: str

    def values(self, connection: Connection) -> Values | None:
        """Of the one row that it names; None where there is none, or more."""
        connection.execute("SAVEPOINT dayfly_values")
        try:
            rows = connection.execute(self.sql.encode()).fetchall()
        except psycopg.Error:
            return None
        finally:
            connection.execute("ROLLBACK TO SAVEPOINT dayfly_values")
            connection.execute("RELEASE SAVEPOINT dayfly_values")
        return rows[0] if len(rows) == 1 else None

    def changed(self, before: Values | None, after: Values | None) -> frozenset[str] | None:
        """Columns with another value; None where that is not known."""
        if before is None or after is None:
            return None
        pairs = zip(self.columns, before, after, strict=True)
        return frozenset(name for name, old, new in pairs if old != new)


def write_back(text: str) -> WriteBack | None:
    """None for an UPDATE that computes, and for anything else."""
    found = significant(text[:_MOST])
    words = [token.word for token in found]
    columns = set_columns(text)
    if words[:1] != ["update"] or not columns or "where" not in words or "set" not in words:
        return None
    place, where = words.index("set"), words.index("where")
    if "from" in words[place:where] or not all(
        map(constant, assigned_values(found[place + 1 : where]))
    ):
        return None
    end = words.index("returning") if "returning" in words else len(words)
    after = found[end].start if end < len(found) else len(text)
    target = text[found[1].start : found[place].start]
    named = ", ".join(f"{quoted(name)}::text" for name in columns)
    sql = f"SELECT {named} FROM {target} {text[found[where].start : after]}"  # noqa: S608 - the statement's own
    return WriteBack(columns=columns, sql=sql)


def assigned_values(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What stands right of each `=`, and at last what is no assignment: that is no constant."""
    part: list[Token] = []
    depth, waiting = 0, True
    for token in tokens:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if depth == 0 and token.text == "=" and waiting:
            part, waiting = [], False
        elif depth == 0 and token.text == "," and not waiting:
            yield part
            part, waiting = [], True
        elif not waiting:
            part.append(token)
    yield [] if waiting else part


def constant(value: Sequence[Token]) -> bool:
    """A literal, perhaps with a sign and a cast."""
    signed = value[1:] if value and value[0].text in "+-" else value
    if not signed:
        return False
    first, cast = signed[0], signed[1:]
    plain = first.kind in ("string", "number", "dollar") or first.text.lower() in _CONSTANTS
    spelled = [token.text for token in cast[:2]]
    return plain and (not cast or (spelled == [":", ":"] and all(map(_of_type, cast[2:]))))


def _of_type(token: Token) -> bool:
    return token.kind in ("word", "name", "number") or token.text in "()[].,"
