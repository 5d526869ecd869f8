"""Which words a row group may hold: a Bloom filter of the tokens of its texts.

polars hashes; it promises the same hash only for its own version. So a filter keeps what a few
known texts hash to, and is not asked where these hash to something else.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import tokens

TOKEN = r"[\p{L}\p{N}_]+"  # noqa: S105 - of a message
BITS_EACH, PROBES = 12, 8  # about 0.3 % false answers
_SEED = 7
_KNOWN = [
    "",
    "a",
    "word",
    "trace_4bf92f3577b34da6",
    "ein längeres Wort, das über 64 Bytes geht " * 3,
]


def hashes(texts: Sequence[str]) -> list[int]:
    return pl.Series(texts, dtype=pl.String).hash(_SEED).to_list()


@lru_cache(maxsize=4096)
def hash_of(token: str) -> int:
    return hashes([token])[0]


def probe() -> list[int]:
    """What tells whether two filters were made in the same way."""
    return [PROBES, *hashes(_KNOWN)]


def built(columns: Sequence[pl.Series]) -> bytes:
    """The filter of the tokens of some texts."""
    found = [_hashed(column) for column in columns]
    if not found:
        return b""
    unique = pl.concat(found).unique().to_numpy()
    size = (len(unique) * BITS_EACH + 7) // 8 * 8
    bits = np.zeros(size, dtype=bool)
    first, second = unique & np.uint64(0xFFFFFFFF), unique >> np.uint64(32)
    for number in range(PROBES):
        bits[(first + np.uint64(number) * second) % np.uint64(max(size, 1))] = True
    return np.packbits(bits, bitorder="little").tobytes()


def _hashed(column: pl.Series) -> pl.Series:
    texts = column.drop_nulls().unique()
    found = texts.str.to_lowercase().str.extract_all(TOKEN).explode().drop_nulls()
    return found.hash(_SEED).unique()


def holds(bits: memoryview, hashed: int) -> bool:
    """Whether a token may be in it."""
    size = len(bits) * 8
    if not size:
        return False
    at, step = hashed & 0xFFFFFFFF, hashed >> 32
    for number in range(PROBES):
        bit = (at + number * step) % size
        if not bits[bit >> 3] >> (bit & 7) & 1:
            return False
    return True


def may(node: tree.Node, has: Callable[[str], bool], text_only: Callable[[str], bool]) -> bool:
    """Whether a match is possible where only the words of texts are known.

    `text_only` tells whether a field never came as anything else: only texts are filtered.
    """
    match node:
        case tree.And(parts):
            return all(may(part, has, text_only) for part in parts)
        case tree.Or(parts):
            return any(may(part, has, text_only) for part in parts)
        case tree.Word(text):
            return not text.isascii() or has(text.lower())
        case tree.Phrase(text):
            return all(map(has, _inner(text)))
        case tree.Compare(name, "=", str(value)) if text_only(name):
            return all(has(token) for token in tokens(value) if token.isascii())
        case _:
            return True


def _inner(phrase: str) -> list[str]:
    """The tokens that a phrase holds whole: those at its ends may go on beyond it."""
    if not phrase.isascii():
        return []
    padded = "x" + phrase.lower() + "x"
    return tokens(padded)[1:-1]


def words_of(node: tree.Node) -> set[str]:
    """The tokens that `may` can ask about."""
    match node:
        case tree.And(parts) | tree.Or(parts):
            return set().union(*map(words_of, parts))
        case _:
            asked: set[str] = set()
            may(node, lambda token: not asked.add(token), lambda _: True)  # type: ignore[func-returns-value]
            return asked
