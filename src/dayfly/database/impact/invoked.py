"""The code that a statement runs: a DO block, functions it calls, what was prepared before it."""

import re
from collections.abc import Iterable, Iterator

from dayfly.database.impact.bodies import ANYTHING, Body, read_body, together
from dayfly.database.impact.catalogue import Catalogue, Relation, Routine
from dayfly.database.impact.triggers import whole
from dayfly.database.impact.words import first_word, plain, tokens

_CALLS = {
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE", "CALL", "DECLARE",
    "COPY", "EXPLAIN", "REFRESH",
}  # fmt: skip
_DOLLARS = re.compile(r"\$\w*\$")
# Schema is no loss of rows: the copy has the same one, so whatever changes it was seen there.
_SCHEMA = re.compile(
    r"changes the schema: |puts its SQL together when it runs: EXECUTE (\( )*(FORMAT \( )?"
    r"[eE]?'\s*(ALTER|ANALYZE|COMMENT|CREATE|DROP|GRANT|REINDEX|REVOKE|SET)\b"
)


def invoked(catalogue: Catalogue, text: str, prepared: Iterable[str] = ()) -> Body | None:
    """None where it runs none; `prepared` are the statements before it that began with PREPARE."""
    words = list(tokens(text))
    if words[:1] == ["DO"]:
        return _with_calls(catalogue, _block(words))
    if words[:1] == ["EXECUTE"]:
        found = [_prepared(one, words[1:2]) for one in prepared]
        known = [body for body in found if body]
        dark = Body(unread=("runs what was prepared elsewhere",))
        return _with_calls(catalogue, known[-1] if known else dark)
    own = read_body(text, "sql")
    made = words[:1] == ["CREATE"] and "AS" in words and {"TABLE", "MATERIALIZED"} & {*words[1:4]}
    if first_word(text) not in _CALLS and not made and words[:2] != ["ALTER", "TABLE"]:
        return None
    called = Body(calls=own.calls.union(*_of_views(catalogue, words)))
    return _with_calls(catalogue, called) if _routines(catalogue, called) else None


def dark(body: Body) -> tuple[str, ...]:
    """What of a body may change rows that its text does not name."""
    found = [reason for reason in body.unread if not _SCHEMA.match(reason)]
    if any(ANYTHING in write.table and write.verb != "INSERT" for write in body.writes):
        found.append("puts the name of a table together when it runs")
    return tuple(found)


def _block(words: list[str]) -> Body:
    language = "plpgsql"
    if "LANGUAGE" in words[:-1]:
        language = plain(words[words.index("LANGUAGE") + 1])
    for word in words:
        if opening := _DOLLARS.match(word):
            return read_body(word.removeprefix(opening[0]).removesuffix(opening[0]), language)
        if word.startswith(("'", "E'")):
            return read_body(word.partition("'")[2][:-1].replace("''", "'"), language)
    return Body(unread=("has no body that can be read",))


def _prepared(text: str, name: list[str]) -> Body | None:
    """What PREPARE name (…) AS names, where that is its name."""
    words = list(tokens(text))
    if words[1:2] != name or "AS" not in words:
        return None
    return read_body(" ".join(words[words.index("AS") + 1 :]), "sql")


def _of_views(catalogue: Catalogue, words: list[str]) -> Iterator[frozenset[str]]:
    named = {plain(word) for word in words}
    for view in catalogue.of(Relation):
        if view.kind in "vm" and view.name in named:
            yield read_body(view.definition, "sql").calls


def _routines(catalogue: Catalogue, body: Body) -> list[Routine]:
    return [routine for routine in catalogue.of(Routine) if routine.name in body.calls]


def _with_calls(catalogue: Catalogue, body: Body) -> Body:
    return together([whole(catalogue, routine) for routine in _routines(catalogue, body)], body)
