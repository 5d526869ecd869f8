"""What code does to the schema, and what it asks for to know whether: as its text tells."""

from collections.abc import Iterator, Sequence

from dayfly.database.impact.words import plain, tokens

OTHERS = "others"  # stands for any error that rows, rights or a moment may cause
_DEFINES = ("ALTER", "CLUSTER", "CREATE", "DROP", "LOCK", "REFRESH", "REINDEX", "REVOKE")
_DOES = (
    *_DEFINES, "COMMENT", "COPY", "DELETE", "EXECUTE", "GRANT", "INSERT", "MERGE", "RAISE", "SET",
    "TRUNCATE", "UPDATE",
)  # fmt: skip
_TAKES = ("DELETE", "MERGE", "TRUNCATE", "UPDATE")
_OPENS = ("BEGIN", "THEN", "ELSE", "LOOP")
_BRANCHES = frozenset({"THEN", "LOOP", "WHERE", "EXCEPTION"})
_OF_CATALOGUE = (  # errors, by their begin: the copy has them too
    "duplicate_", "undefined_", "invalid_schema_name", "invalid_table_def", "invalid_object_def",
    "dependent_objects_", "feature_not_", "wrong_object_", "'42P", "'427",
)  # fmt: skip
_SYNTAX = frozenset({"exception", "when", "or", "then", "sqlstate"})
_HERE = ["current_database", "(", ")"]


def branches(words: Sequence[str]) -> bool:
    return not _BRANCHES.isdisjoint(words)


def defined(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for clause in _clauses(words):
        if clause[0] in _DEFINES:
            yield tuple(word for word in clause if word != ";")


def built(words: Sequence[str], gap: str) -> Iterator[tuple[str, ...]]:
    """What EXECUTE makes of strings, with a gap for all that is put between, or of anything else.

    Not what only asks, or puts rows in.
    """
    said = (word[1:-1].replace("''", "'") for word in words if word.startswith("'"))
    text = tuple(tokens(f" {gap} ".join(said)))
    if not text or text[0] in (*_DEFINES, *_TAKES):
        yield (*text, gap)


def asked(words: Sequence[str]) -> Iterator[str]:
    """Names in what is no deed but a condition, or a value that one may rest on."""
    catches = False
    for clause in _clauses(words):
        catches |= clause[0] == "EXCEPTION"
        if catches and clause[0] in ("EXCEPTION", "WHEN"):
            errors = {plain(word) for word in clause} - _SYNTAX
            yield from (OTHERS for error in errors if not error.startswith(_OF_CATALOGUE))
        elif clause[0] == "EXECUTE":
            yield from () if _whole(clause) or not any(built(clause, "")) else named(clause)
        elif clause[0] not in _DOES and not (clause[0] == "PERFORM" and "FROM" not in clause):
            yield from named(clause)


def _whole(words: Sequence[str]) -> bool:
    """EXECUTE of one string: what USING gives are values."""
    return "".join(words[1:2]).startswith("'") and "|" not in words


def named(words: Sequence[str]) -> Iterator[str]:
    """Those of functions with `()`, others in quotes where they are written so.

    But for the database's own, where information_schema is asked for what it has of that.
    """
    names = [word if word.startswith('"') else plain(word) for word in words]
    place = 0
    while place < len(names):
        if end := _own_catalogue(names, place):
            place = end
            continue
        if not names[place].startswith("'"):
            yield names[place] + ("()" if names[place + 1 : place + 2] == ["("] else "")
        place += 1


def _own_catalogue(names: Sequence[str], place: int) -> int:
    """Where `table_catalog = current_database()` ends, if it begins here; either way round."""
    if names[place].endswith("_catalog") and names[place + 1 : place + 5] == ["=", *_HERE]:
        return place + 5
    if [*names[place : place + 4]] == [*_HERE, "="]:
        end = place + (7 if names[place + 5 : place + 6] == ["."] else 5)
        return end if names[end - 1 : end] and names[end - 1].endswith("_catalog") else 0
    return 0


def _clauses(words: Sequence[str]) -> Iterator[list[str]]:
    """Statements, and what leads to others; a deed reaches to its semicolon."""
    clause: list[str] = []
    for word in words:
        clause.append(word)
        if word == ";" or (word in _OPENS and clause[0] not in _DOES):
            yield clause
            clause = []
    if clause:
        yield clause
