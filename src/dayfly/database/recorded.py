"""A list of statements that an app sends, written down in a file."""

from pathlib import Path

from dayfly.database.sqltext import significant, split
from dayfly.errors import DayflyError


def recorded_statements(file: Path, named: str) -> tuple[str, ...]:
    """In their order, each once; DayflyError names the file as it is `named` to people."""
    try:
        text = file.read_bytes().decode()
    except OSError as unread:
        raise DayflyError(f"{named}: {unread.strerror or unread}") from unread
    except UnicodeDecodeError as unread:
        raise DayflyError(
            f"{named}: byte {unread.start} is not UTF-8", hint="Save the file as UTF-8."
        ) from unread
    found = statements_in(text)
    if not found:
        raise DayflyError(
            f"{named}: there is no statement in it",
            hint="It holds one SQL statement a line, or statements that end with a semicolon.",
        )
    return found


def statements_in(text: str) -> tuple[str, ...]:
    r"""Separated by semicolons; one a line where there is none.

    >>> statements_in("SELECT 1\nSELECT 2")
    ('SELECT 1', 'SELECT 2')
    >>> statements_in("SELECT a FROM t; -- twice\nSELECT ';'")
    ('SELECT a FROM t', "SELECT ';'")
    """
    text = text.removeprefix("\ufeff")
    pieces = [piece.text for piece in split(text)]
    if len(pieces) == 1 and not text.rstrip().endswith(";"):
        pieces = text.splitlines()
    return tuple(dict.fromkeys(piece.strip() for piece in pieces if significant(piece)))
