"""Which words a row group may hold: a Bloom filter of the words of its texts.

A filter keeps what a few known texts hash to, and is not asked where these hash to something else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import tokens
from dayfly.logs.store.words import hashed, hashes_of

BITS_EACH, PROBES = 14, 10  # about 0.12 % false answers, of hundreds of groups
Mask = NDArray[np.bool_]  # of row groups
_KNOWN = ("a", "word", "trace_4bf92f3577b34da6", "a_longer_word" * 5, "one_that_is_rare" * 20)


@lru_cache(maxsize=4096)
def hash_of(token: str) -> int:
    found = hashed(token.encode())
    return int(found[0]) if len(found) else 0


def probe() -> list[int]:
    """What tells whether two filters were made in the same way."""
    return [PROBES, *map(hash_of, _KNOWN)]


def built(texts: pl.DataFrame) -> bytes:
    """The filter of the tokens of some columns of texts."""
    unique = hashes_of(texts).to_numpy()
    size = (len(unique) * BITS_EACH + 7) // 8 * 8
    bits = np.zeros(size, dtype=bool)
    first, second = unique & np.uint64(0xFFFFFFFF), unique >> np.uint64(32)
    for number in range(PROBES):
        bits[(first + np.uint64(number) * second) % np.uint64(max(size, 1))] = True
    return np.packbits(bits, bitorder="little").tobytes()


@dataclass(frozen=True)
class Filters:
    """Those of many row groups, which are asked together."""

    data: NDArray[np.uint8]
    begins: NDArray[np.uint64]
    sizes: NDArray[np.uint64]  # in bits

    @classmethod
    def of(cls, data: memoryview | bytes, spans: Sequence[tuple[int, int]]) -> "Filters":
        """Where in the data each begins and ends."""
        bounds = np.array(spans, dtype=np.uint64).reshape(-1, 2)
        sizes = (bounds[:, 1] - bounds[:, 0]) * np.uint64(8)
        return cls(np.frombuffer(data, dtype=np.uint8), bounds[:, 0], sizes)

    def hold(self, hashed: int) -> Mask:
        """Which of them may have a token."""
        some = self.sizes > 0
        if not some.any():
            return some
        steps = np.arange(PROBES, dtype=np.uint64) * np.uint64(hashed >> 32)
        places = np.uint64(hashed & 0xFFFFFFFF) + steps
        bits = places % np.maximum(self.sizes, 1)[:, None]
        at = np.minimum(self.begins[:, None] + (bits >> np.uint64(3)), len(self.data) - 1)
        found = self.data[at] >> (bits & np.uint64(7)).astype(np.uint8) & 1
        return found.all(axis=1) & some


def may(
    node: tree.Node, has: Callable[[str], Mask], text_only: Callable[[str], bool], everywhere: Mask
) -> Mask:
    """Where a match is possible, when only the words of texts are known.

    `text_only` tells whether a field never came as anything else: only texts are filtered.
    """
    match node:
        case tree.And(parts):
            return _all(may(part, has, text_only, everywhere) for part in parts)
        case tree.Or(parts):
            return reduce(np.logical_or, (may(part, has, text_only, everywhere) for part in parts))
        case tree.Word(text) if text.isascii():
            return has(text.lower())
        case tree.Phrase(text):
            return _all([everywhere, *map(has, _inner(text))])
        case tree.Compare(name, "=", str(value)) if text_only(name):
            words = [token for token in tokens(value) if token.isascii()]
            return _all([everywhere, *map(has, words)])
        case _:
            return everywhere


def _all(masks: Iterable[Mask]) -> Mask:
    return reduce(np.logical_and, masks)


def _inner(phrase: str) -> list[str]:
    """The tokens that a phrase holds whole: those at its ends may go on beyond it."""
    if not phrase.isascii():
        return []
    padded = "x" + phrase.lower() + "x"
    return tokens(padded)[1:-1]


def words_of(node: tree.Node) -> set[str]:
    """The tokens that `may` can ask about."""
    asked: set[str] = set()
    one = np.ones(1, dtype=bool)

    def note(token: str) -> Mask:
        asked.add(token)
        return one

    may(node, note, lambda _: True, one)
    return asked
