"""SQL split as the server splits it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.sqltext import Piece, split, tokens

FUNCTION = """CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC
  SELECT CASE WHEN true THEN 1 END;
  SELECT 2;
END"""
RULE = "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)"

PARTS = [
    "SELECT 1", "SELECT ';'", "SELECT 'it''s;'", "SELECT E'\\';'", "SELECT $$;$$",
    "SELECT $a$;$$;$a$", 'SELECT 1 AS ";"', "SELECT /* ; /* ; */ ; */ 1", "SELECT U&'\\0041;'",
    "SELECT 1 -- ; '\n + 1", "SELECT a$1, b$2$ FROM t", "SELECT $1", FUNCTION, RULE,
    "DO $$ BEGIN PERFORM 1; END $$", "BEGIN", "COMMIT", "SELECT 'end', \"begin\"",
    "SELECT CASE WHEN a THEN 1 END FROM t", "SELECT 1_000, 0x1F, 1e5", "SELECT 'ü;€'",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.sampled_from([";", " ;\n", ";;\n-- x\n;"]))
def test_statements_come_back_whole(parts: list[str], between: str) -> None:
    text = between.join(parts)
    assert [piece.text for piece in split(text)] == parts


@given(st.text(alphabet=st.sampled_from("aE$'\"/*-;()\\\n \u00fc1_U&begin")))
def test_no_character_is_lost(text: str) -> None:
    assert "".join(token.text for token in tokens(text)) == text
    assert all(piece.text in text for piece in split(text))


def test_each_statement_knows_its_line() -> None:
    text = "-- head\n\nSELECT 1;\n\nSELECT\n2; SELECT 3"
    assert split(text) == (
        Piece("SELECT 1", 3),
        Piece("SELECT\n2", 5),
        Piece("SELECT 3", 6),
    )


@pytest.mark.parametrize("text", ["SELECT 'open", 'SELECT "open', "SELECT $$ open", "/* open"])
def test_what_is_not_closed_reaches_to_the_end(text: str) -> None:
    assert [piece.text for piece in split(text + "; x")] == (
        [] if text.startswith("/*") else [text + "; x"]
    )
