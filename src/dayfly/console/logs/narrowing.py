"""A query with one condition more, as a click on a value asks for it."""

from dataclasses import replace
from functools import lru_cache

from dayfly.logs.query import tree
from dayfly.logs.query.parse import parse
from dayfly.logs.query.written import text
from dayfly.logs.record import Value
from dayfly.shown import plain

LONGEST = 500  # characters of a value that is clicked


@lru_cache(maxsize=4096, typed=True)  # the same few values stand in most records of a page
def condition(name: str, value: Value | None) -> str:
    """Exactly this value; None for a record without it. Empty where a click would not help."""
    if name in ("time", "message") or not name or len(str(value)) > LONGEST:
        return ""
    node: tree.Node = tree.Not(tree.Exists(name))
    if value is not None and value != "":
        node = tree.Compare(name, "=", value)
    written = text(tree.Query(node))
    return written if plain(written) == written else ""  # a page shows no unseen characters


def included(query: str, wanted: str) -> str:
    """Only records with it; QueryError where either is wrong."""
    return _with(query, parse(wanted).where)


def excluded(query: str, unwanted: str) -> str:
    return _with(query, _opposite(parse(unwanted).where))


def without_pipe(query: str) -> str:
    """Its conditions alone."""
    return text(replace(parse(query), pipes=()))


def piped(query: str, pipe: str) -> str:
    """Its conditions with this pipe."""
    conditions = without_pipe(query)
    return f"| {pipe}" if conditions == "*" else f"{conditions} | {pipe}"


def _with(query: str, node: tree.Node) -> str:
    """The opposite of what is wanted goes: a second click changes one's mind."""
    parsed = parse(query)
    kept = [each for each in _parts(parsed.where) if each not in (node, _opposite(node))]
    parts = (*kept, node)
    return text(replace(parsed, where=parts[0] if len(parts) == 1 else tree.And(parts)))


def _parts(where: tree.Node) -> tuple[tree.Node, ...]:
    match where:
        case tree.Everything():
            return ()
        case tree.And(parts):
            return parts
        case _:
            return (where,)


def _opposite(node: tree.Node) -> tree.Node:
    return node.part if isinstance(node, tree.Not) else tree.Not(node)
