"""Statements that an app sends, from a file of its repository."""

from pathlib import Path

import pytest

from dayfly.database.recorded import recorded_statements, statements_in
from dayfly.errors import DayflyError

TEXTS = [
    ("SELECT 1\nSELECT 2\n", ("SELECT 1", "SELECT 2")),
    ("SELECT 1;\nSELECT 2;\n", ("SELECT 1", "SELECT 2")),
    ("SELECT 1; SELECT 2", ("SELECT 1", "SELECT 2")),
    ("SELECT a,\n  b\nFROM t;\n", ("SELECT a,\n  b\nFROM t",)),
    ("-- of the shop\nSELECT 1\n\n-- again\nSELECT 2", ("SELECT 1", "SELECT 2")),
    ("SELECT ';'\r\nSELECT $1\r\n", ("SELECT ';'", "SELECT $1")),
    ("SELECT 1\nSELECT 1", ("SELECT 1",)),
    ("\ufeffSELECT 1", ("SELECT 1",)),
    ("-- nothing\n;;\n", ()),
    ("", ()),
]


@pytest.mark.parametrize(("text", "found"), TEXTS)
def test_a_line_or_a_semicolon_ends_a_statement(text: str, found: tuple[str, ...]) -> None:
    assert statements_in(text) == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "statements = 'x.sql': No such file or directory"),
        (b"SELECT 'caf\xe9'", "statements = 'x.sql': byte 11 is not UTF-8"),
        (b" \n-- none\n", "statements = 'x.sql': there is no statement in it"),
    ],
)
def test_a_file_that_says_nothing(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "x.sql"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DayflyError) as caught:
        recorded_statements(file, "statements = 'x.sql'")
    assert caught.value.message == message
