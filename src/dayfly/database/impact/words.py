"""The little that must be read off the text of a statement: its words, and what an UPDATE sets."""

import re
from collections.abc import Iterator

from dayfly.database.sqltext import significant

_CAST = r"\?( : : (TEXT|CHARACTER VARYING|BPCHAR|CITEXT))?"
_AFTER = ("LIMIT", "ORDER", "RETURNING")
_ENDS = ("FROM", "WHERE", "RETURNING")


def tokens(text: str) -> Iterator[str]:
    """Words in capitals, quoted names as they are, a string as one token; no comments."""
    for token in significant(text):
        yield token.text.upper() if token.kind == "word" else token.text


def first_word(text: str) -> str:
    return next(tokens(text), "")


def cursor(text: str) -> str:
    """The name of the cursor that a statement declares; empty for anything else."""
    words = list(tokens(text))[:2]
    return plain(words[1]) if words[:1] == ["DECLARE"] and len(words) > 1 else ""


def shape(text: str) -> tuple[str, ...]:
    """What statements share that differ in their constants, and in how many there are."""
    found: list[str] = []
    for token in significant(text):
        constant = token.kind in ("string", "number", "parameter")
        word = "?" if constant else token.text.upper()
        if word == "?" and found[-2:] == ["?", ","]:
            del found[-2:]
        found.append(word)
    return tuple(found)


def mentions(text: str, name: str) -> bool:
    """Whether a name of the catalogue occurs as a word of the statement."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None


def set_columns(text: str) -> tuple[str, ...]:
    """The columns that an UPDATE or ON CONFLICT DO UPDATE sets; () for anything else."""
    words = _main(list(tokens(text)))
    if words[:1] == ["INSERT"] and "CONFLICT" in words:
        words = words[words.index("CONFLICT") :]
    elif words[:1] != ["UPDATE"]:
        return ()
    return assigned(words[words.index("SET") + 1 :]) if "SET" in words else ()


def updated(text: str) -> str:
    """The table of such a statement, without its schema; empty for anything else."""
    words = [word for word in _main(list(tokens(text))) if word not in ("INTO", "ONLY")]
    if words[:1] not in (["UPDATE"], ["INSERT"]):
        return ""
    place = 3 if words[2:3] == ["."] else 1
    return "".join(map(plain, words[place : place + 1]))


def _main(words: list[str]) -> list[str]:
    """What stands after the queries of WITH."""
    depth = 0
    for place, word in enumerate(words if words[:1] == ["WITH"] else ()):
        if depth == 0 and word in ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"):
            return words[place:]
        depth += {"(": 1, ")": -1}.get(word, 0)
    return words


def assigned(words: list[str]) -> tuple[str, ...]:
    """The columns that stand left of `=` after SET."""
    found: list[str] = []
    depth, expected = 0, True
    for word in words:
        if depth == 0 and word in _ENDS:
            break
        if depth == 0 and word in "=,":
            expected = word == ","
        elif expected and re.match(r'["A-Z_]', word):
            found.append(plain(word))
        depth += {"(": 1, ")": -1}.get(word, 0)
    return tuple(found)


def fills_nulls_only(text: str, columns: tuple[str, ...]) -> bool:
    """Whether an UPDATE touches only rows in which all these columns are still NULL."""
    words = [plain(word) for word in tokens(text)]
    if words[:1] == ["with"] or "where" not in words or "set" not in words:
        return False
    place = words.index("where")
    where, called = words[place + 1 :], words[1 : words.index("set")]
    if {"or", "not", "select", "case"} & set(where):
        return False
    conditions = list(
        _conditions(where[: where.index("returning")] if "returning" in where else where)
    )
    return all(
        any(_is_null(condition, name, called) for condition in conditions) for name in columns
    )


def condition(text: str) -> tuple[str, ...]:
    """The words of the only WHERE; empty where there is none."""
    words = list(tokens(text))
    if words.count("WHERE") != 1:
        return ()
    where = words[words.index("WHERE") + 1 :]
    end = next((at for at, word in enumerate(where) if word in _AFTER), len(where))
    return tuple(where[:end])


def asks_for_nulls(text: str, columns: frozenset[str]) -> bool:
    """Whether a query asks for rows in which one of these columns is NULL, and for no others."""
    called, conditions = _asked(text)
    return bool(conditions) and all(
        any(_is_null(condition, name, called) for name in columns) for condition in conditions
    )


def asks_for(text: str, columns: frozenset[str]) -> bool:
    """Whether all rows that a query asks for have a certain value in one of these columns."""
    called, conditions = _asked(text)
    return any(
        condition[-3:-1] == [name, "="] and _is_null([*condition[:-2], "is", "null"], name, called)
        for condition in conditions
        for name in columns
        if condition[-1:] and (condition[-1].startswith("'") or condition[-1].isdigit())
    )


def _asked(text: str) -> tuple[list[str], list[list[str]]]:
    """What a query of one WHERE names before it, and the conditions; none where it has OR."""
    words, where = [[*map(plain, found)] for found in (tokens(text), condition(text))]
    if not where or {"or", "select", "case", "group", "having", "union"} & {*where}:
        return [], []
    return words[: words.index("where")], list(_conditions(where))


def _conditions(words: list[str]) -> Iterator[list[str]]:
    """What AND joins, without the parentheses around."""
    while words[:1] == ["("] and _closing(words) == len(words) - 1:
        words = words[1:-1]
    depth, begin, between = 0, 0, False
    parts: list[list[str]] = []
    for place, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word == "and" and not between:
            parts.append(words[begin:place])
            begin = place + 1
        if depth == 0 and word in ("and", "between"):
            between = word == "between"
    if not parts:
        yield words
    for part in (*parts, words[begin:]) if parts else ():
        yield from _conditions(part)


def _is_null(condition: list[str], name: str, called: list[str]) -> bool:
    """`name IS NULL`, of the table that is updated."""
    owner, bare = condition[:-4], condition[-3:]
    return bare == [name, "is", "null"] and (
        len(condition) == len(bare)
        or (condition[-4:-3] == ["."] and bool(owner) and owner[-1] in called)
    )


def lists(definition: str) -> list[frozenset[str]]:
    """The string constants of each list, in order; one that stands alone is a list of its own."""
    found: list[frozenset[str]] = []
    inside = False
    for word in tokens(definition):
        if word == "[":
            found.append(frozenset())
        inside = (inside or word == "[") and word != "]"
        if word.startswith("'"):
            found = [*found[:-1], found[-1] | {word}] if inside else [*found, frozenset({word})]
    return found


def without_literals(definition: str) -> str:
    """An expression with its lists of constants shrunk to one, to compare what else it says."""
    bare = " ".join("?" if word.startswith("'") else word for word in tokens(definition))
    return re.sub(rf"{_CAST}( , {_CAST})*", "?", bare)


def alternatives(definition: str) -> frozenset[tuple[str, ...]]:
    """What a CHECK joins with OR, each as its words; itself where there is no OR."""
    words = list(tokens(definition))[1:]
    while words[:1] == ["("] and _closing(words) == len(words) - 1:
        words = words[1:-1]
    found: list[tuple[str, ...]] = []
    depth, begin = 0, 0
    for place, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word == "OR":
            found.append(tuple(words[begin:place]))
            begin = place + 1
    return frozenset([*found, tuple(words[begin:])])


def _closing(words: list[str]) -> int:
    """Where the parenthesis closes that opens first."""
    depth = 0
    for place, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0:
            return place
    return -1


def plain(word: str) -> str:
    """A name as the catalogue has it."""
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    return word if word.startswith("'") else word.lower()
