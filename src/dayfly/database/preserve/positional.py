"""Statements that give values by the place of a column, as INSERT INTO t VALUES (…) does."""

from collections.abc import Collection, Iterable, Iterator

from dayfly.database.sqltext import Token, significant

_QUERIES = {"select", "with", "values", "table"}


def positional(statements: Iterable[str], tables: Collection[str]) -> tuple[str, ...]:
    """Those that write into one of these tables; a table is told as schema.name."""
    return tuple(
        dict.fromkeys(text for text in statements if set(_written(significant(text))) & {*tables})
    )


def _written(words: list[Token]) -> Iterator[str]:
    for place, token in enumerate(words):
        after = words[place + 1 :]
        if token.word == "copy":
            yield from _copied(after)
        elif token.word == "into" and place and words[place - 1].word == "insert":
            yield from _inserted(after)


def _inserted(words: list[Token]) -> Iterator[str]:
    name, rest = _name(words)
    if rest and rest[0].word == "as":
        rest = rest[2:]
    listed = len(rest) > 1 and rest[0].text == "(" and rest[1].word not in _QUERIES
    if rest and not listed and rest[0].word != "default":
        yield name


def _copied(words: list[Token]) -> Iterator[str]:
    name, rest = _name(words)
    if rest and rest[0].word == "from":
        yield name


def _name(words: list[Token]) -> tuple[str, list[Token]]:
    """With its schema: public where none is written."""
    if len(words) > 2 and words[1].text == ".":  # noqa: PLR2004 - schema, point, name
        return f"{words[0].word}.{words[2].word}", words[3:]
    return f"public.{words[0].word}" if words else "", words[1:]
