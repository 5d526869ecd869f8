"""From the shape of a message back to the records that have it."""

import re
from dataclasses import replace

from dayfly.logs.query import patterns, tree
from dayfly.logs.query.parse import parse
from dayfly.logs.query.written import text

_MARK = re.compile("(<uuid>|<time>|<ip>|<hex>|<n>)")
_STANDS_FOR = {"<n>": "[0-9A-Za-zµ]*[0-9][0-9A-Za-zµ.]*", "<time>": "[0-9T:.,Z +-]+"}
_ANY = r"\S+"


def of_shape(query: str, shape: str) -> str:
    """The conditions of a query and this shape; its longest part where the shape is too long."""
    where = parse(query).where
    parts = () if isinstance(where, tree.Everything) else (where,)
    node = _node(shape)
    if node is None:
        return text(tree.Query(where))
    narrowed = tree.And((*parts, node)) if parts else node
    return text(replace(tree.Query(), where=narrowed))


def _node(shape: str) -> tree.Node | None:
    pieces = _MARK.split(shape)
    written = "".join(_pattern(piece) for piece in pieces)
    whole = f"^{written}$"
    if patterns.problem_of(whole) is None:
        return tree.Regex(whole)
    literal = max((piece for piece in pieces if not _MARK.fullmatch(piece)), key=len)
    return tree.Phrase(literal[: patterns.LONGEST]) if literal.strip() else None


def _pattern(piece: str) -> str:
    if _MARK.fullmatch(piece):
        return _STANDS_FOR.get(piece, _ANY)
    return re.escape(piece).replace("\\\n", "\\n")
