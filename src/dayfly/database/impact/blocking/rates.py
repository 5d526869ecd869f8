"""Microseconds per row of what is worked out for each: by index method, width and function.

From measurements on rows of about 300 bytes and of 10 kB, on two busy cores, rounded up, some to
five times what was measured: a server that is slower must not be told too little. What they tell
stands beside what it takes in `scripts/bench impact`.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

from dayfly.database.figures import GUESSED_ROW_BYTES, Figures
from dayfly.database.impact.schema.catalogue import Catalogue, Index, Routine
from dayfly.database.impact.words import plain, tokens

INDEX_US = 2.5
REWRITE_US = 5.0
SCAN_US = 0.5
# Of each byte by which a row is longer than those that the rates above were measured with.
SCAN_BYTE_US, REWRITE_BYTE_US = 0.004, 0.03
# Of a row, and of each of its bytes.
_METHODS = {
    "btree": (INDEX_US, 0.0),
    "hash": (5.0, 0.0),
    "brin": (1.0, 0.0),
    "gin": (INDEX_US, 0.2),
    "gist": (60.0, 0.2),
    "spgist": (60.0, 0.2),
}
_OTHER_METHOD = (100.0, 1.0)
_OF_TEXT = frozenset({"to_tsvector", "ts_headline", "gin_trgm_ops", "gist_trgm_ops", "unaccent"})
_TEXT_US, _OWN_US = (2.5, 0.4), (10.0, 0.15)
POINTER_BYTES = 18  # to a value that is kept outside of the row
_METHOD = re.compile(r" USING (\w+) \(")


def longer_us(known: Figures) -> float:
    """More than reading a row of the usual length."""
    return SCAN_BYTE_US * max(known.width - GUESSED_ROW_BYTES, 0.0)


def rewrite_us(known: Figures) -> float:
    return REWRITE_US + REWRITE_BYTE_US * max(known.bytes - GUESSED_ROW_BYTES, 0.0)


def index_us(catalogue: Catalogue, index: Index, known: Figures) -> float:
    method = _METHOD.search(index.definition)
    rate = _METHODS.get(method[1] if method else "", _OTHER_METHOD)
    used = _bytes(catalogue, index, known)
    return _us(rate, used) + functions_us(catalogue, called([index.definition]), used)


def called(texts: Iterable[str]) -> frozenset[str]:
    """Names that are followed by a parenthesis, and operator classes that cost as much."""
    found: set[str] = set()
    for text in texts:
        words = list(tokens(text))
        found |= {plain(one) for one, following in pairwise(words) if following == "("}
        found |= _OF_TEXT & set(map(plain, words))
    return frozenset(found)


def functions_us(catalogue: Catalogue, names: frozenset[str], used: float) -> float:
    """What is built in costs next to nothing, unless it takes texts to pieces."""
    own = {each.name for each in catalogue.of(Routine)} - _OF_TEXT
    return len(names & _OF_TEXT) * _us(_TEXT_US, used) + len(names & own) * _us(_OWN_US, used)


def _bytes(catalogue: Catalogue, index: Index, known: Figures) -> float:
    """Of what an index takes of a row: all of it, where nobody knows better."""
    names = [column.name for column in catalogue.columns(index.table, index.columns)]
    widths = [known.values[name].width for name in names if name in known.values]
    if len(widths) < len(index.columns):
        return known.bytes
    beside = known.beside if max(widths, default=0) >= POINTER_BYTES else 0.0
    return min(known.bytes, sum(widths) + beside)


def _us(rate: tuple[float, float], used: float) -> float:
    return rate[0] + rate[1] * used
