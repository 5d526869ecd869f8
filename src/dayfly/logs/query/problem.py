"""What is wrong with a query, and at which column."""

import unicodedata

from dayfly.errors import DayflyError

PAGE = "docs/reference/logs-query.md of Dayfly has the whole language."
_SHOWN = 30  # characters of what was found
_AROUND = 50  # characters of the query on either side of the column
_ZERO_WIDTH = {"Mn", "Me", "Cf"}


class QueryError(DayflyError):
    """A query is refused. `column` counts from 1; the message ends with a line and a caret."""

    def __init__(self, query: str, column: int, says: str, *, hint: str = PAGE) -> None:
        super().__init__(
            "\n".join([f"column {column}: {says}", *pointed(query, column)]), hint=hint
        )
        self.query = query
        self.column = column
        self.says = says


def pointed(query: str, column: int) -> tuple[str, str]:
    """The part of a query around a column, and a caret under it."""
    begin = max(0, column - 1 - _AROUND)
    line = "".join(c if c.isprintable() else " " for c in query[begin : column + _AROUND])
    before = line[: column - 1 - begin]
    return line, " " * sum(map(_width, before)) + "^"


def found_at(query: str, at: int) -> str:
    """What stands at an offset, for a message."""
    words = query[at : at + _SHOWN + 1].split(maxsplit=1)
    if not words:
        return "the end"
    if query[at].isspace():
        return "a blank"
    return f"`{words[0]}`" if len(words[0]) <= _SHOWN else f"`{words[0][:_SHOWN]}…`"


def _width(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
