"""Constants that a statement puts into columns, as it writes them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dayfly.database.impact.replay.writeback import assigned_values, constant
from dayfly.database.impact.words import set_columns
from dayfly.database.sqltext import Token, significant

_LONGEST = 1_000_000  # characters of a statement that is looked at

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Puts:
    """What is no constant, or NULL, is left out. `where` is empty for new rows."""

    rows: tuple[Row, ...]
    target: str = ""
    where: str = ""


def puts(text: str, columns: Sequence[str]) -> Puts:
    """`columns` of its table, in their order. What it leaves alone on a conflict is none."""
    if len(text) > _LONGEST:
        return Puts(rows=())
    found = significant(text)
    words = [token.word for token in found]
    if words[:2] == ["insert", "into"] and "conflict" not in words:
        return Puts(rows=tuple(_inserted(text, found, columns)))
    if words[:1] == ["update"] and "set" in words and "where" in words:
        return _updated(text, found, words)
    return Puts(rows=())


def _inserted(text: str, found: Sequence[Token], columns: Sequence[str]) -> Iterator[Row]:
    at = 5 if found[3:4] and found[3].text == "." else 3
    if found[at : at + 1] and found[at].text == "(":
        end = next((place for place in range(at, len(found)) if found[place].text == ")"), at)
        columns = [token.word for token in found[at + 1 : end] if token.word]
        at = end + 1
    if found[at : at + 1] and found[at].word == "overriding":
        at += 3
    if found[at : at + 1] and found[at].word == "values":
        for values in _lists(found[at + 1 :]):
            yield _constants(text, columns, values)


def _lists(tokens: Sequence[Token]) -> Iterator[list[list[Token]]]:
    """Of each pair of outer parentheses what stands between its commas."""
    depth, values = 0, list[list[Token]]()
    for token in tokens:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if depth == 0 and token.text == ")":
            yield values
        elif depth == 0 and token.text != ",":
            return
        elif depth == 1 and token.text == "(":
            values = [[]]
        elif depth == 1 and token.text == ",":
            values.append([])
        elif depth:
            values[-1].append(token)


def _updated(text: str, found: Sequence[Token], words: Sequence[str]) -> Puts:
    place, where = words.index("set"), words.index("where")
    values, columns = [*assigned_values(found[place + 1 : where])], set_columns(text)
    if "from" in words[place:where] or len(values) != len(columns):
        return Puts(rows=())
    end = words.index("returning") if "returning" in words else len(words)
    after = found[end].start if end < len(found) else len(text)
    return Puts(
        rows=(_constants(text, columns, values),),
        target=text[found[1].start : found[place].start],
        where=text[found[where].start + len("where") : after],
    )


def _constants(text: str, columns: Sequence[str], values: Sequence[Sequence[Token]]) -> Row:
    return {
        column: text[value[0].start : value[-1].start + len(value[-1].text)]
        for column, value in zip(columns, values, strict=False)
        if constant(value) and value[0].word != "null"
    }
