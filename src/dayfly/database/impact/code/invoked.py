"""The code that a statement runs: a DO block, functions it calls, what was prepared before it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from dayfly.database.impact.code.bodies import ANYTHING, Body, read_body
from dayfly.database.impact.code.calling import with_called
from dayfly.database.impact.code.steering import branches, named
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.replay.plan import PLANNED
from dayfly.database.impact.schema.catalogue import Catalogue, Relation, Routine
from dayfly.database.impact.words import first_word, plain, tokens

_CODE = ("DO", "CALL", "EXECUTE", "EXPLAIN")
_QUERIES = (*PLANNED, *_CODE, "VALUES", "TABLE", "DECLARE", "COPY", "REFRESH")
_FROM = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE", "(")
_DOLLARS = re.compile(r"\$\w*\$")
_ELSEWHERE = Body(unread=("runs what was prepared elsewhere",))
# Schema is no loss of rows: the copy has the same one, so whatever changes it was seen there.
_SCHEMA = re.compile(
    r"changes the schema: |puts its SQL together when it runs: EXECUTE (\( )*(FORMAT \( )?"
    r"[eE]?'\s*(ALTER|ANALYZE|COMMENT|CREATE|DROP|GRANT|REINDEX|REVOKE|SET)\b"
)


def invoked(catalogue: Catalogue, effect: Effect, prepared: Iterable[str] = ()) -> Body | None:
    """None where it runs none; `prepared` are the statements before it that began with PREPARE."""
    text = effect.statement.text
    own = _own(catalogue, list(tokens(text)), effect, prepared)
    found = with_called(catalogue, own)
    return found if first_word(text) in _CODE or found != own else None


def dark(body: Body) -> tuple[str, ...]:
    """What of a body may change rows that its text does not name."""
    found = [reason for reason in body.unread if not _SCHEMA.match(reason)]
    if any(ANYTHING in write.table and write.verb != "INSERT" for write in body.writes):
        found.append("puts the name of a table together when it runs")
    return tuple(found)


def _own(catalogue: Catalogue, words: list[str], effect: Effect, prepared: Iterable[str]) -> Body:
    """Without the functions that it calls."""
    text = effect.statement.text
    if words[:1] == ["DO"]:
        return _block(words)
    if words[:1] == ["EXECUTE"]:
        known = [body for one in prepared if (body := _prepared(catalogue, one, words[1:2]))]
        return known[-1] if known else _ELSEWHERE
    if words[:1] == ["EXPLAIN"] and "ANALYZE" in words:
        return _query(catalogue, text)
    asks = any(catalogue.of(Routine)) and _asks(words, effect)
    if not asks:
        return Body()
    names = frozenset(named(words))
    return Body(calls=_calls(catalogue, text), asks=names, branches=branches(words))


def _asks(words: list[str], effect: Effect) -> bool:
    """Whether it computes values: for rows that there are, not for later ones."""
    if words[:1] == ["CREATE"]:
        made = bool({"TABLE", "MATERIALIZED"} & set(words[:4]))
        return made and any(a == "AS" and b in _FROM for a, b in pairwise(words))
    if words[:1] in (["ALTER"], ["CLUSTER"]) and (effect.rewritten or effect.scanned):
        return True
    if words[:2] == ["ALTER", "TABLE"]:  # of a new table it is not noted what was rewritten
        return ("SET", "DEFAULT") not in pairwise(words)
    return words[0] in _QUERIES if words else False


def _block(words: list[str]) -> Body:
    """Of DO: its code may come before its language or after."""
    language, code = "plpgsql", ""
    for before, word in pairwise(words):
        if before == "LANGUAGE":
            language = plain(word).strip("'")
        elif opening := _DOLLARS.match(word):
            code = word.removeprefix(opening[0]).removesuffix(opening[0])
        elif word[:2].upper().startswith(("'", "E'")):
            code = word.partition("'")[2][:-1].replace("''", "'")
    return read_body(code, language) if code else Body(unread=("has no body that can be read",))


def _prepared(catalogue: Catalogue, text: str, name: list[str]) -> Body | None:
    """What PREPARE name (…) AS names, where that is its name."""
    words = list(tokens(text))
    if words[1:2] != name or "AS" not in words:
        return None
    return _query(catalogue, " ".join(words[words.index("AS") + 1 :]))


def _query(catalogue: Catalogue, text: str) -> Body:
    """Read as code, with what its views call."""
    return replace(read_body(text, "sql"), calls=_calls(catalogue, text))


def _calls(catalogue: Catalogue, text: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """Functions that it calls itself, or by way of a view."""
    found = read_body(text, "sql").calls
    names = {plain(word) for word in tokens(text)} - seen
    for view in catalogue.of(Relation):
        if view.definition and view.name in names:
            found |= _calls(catalogue, view.definition, seen | names)
    return found
