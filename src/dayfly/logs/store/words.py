"""The words of many texts as numbers, told at once: their bytes are looked at together.

Only words in ASCII count: others are not asked for by a filter. A text in another script is taken
apart by polars first, as there a word may be a letter longer, or its small letter an ASCII one.
"""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

TOKEN = r"[\p{L}\p{N}_]+"  # noqa: S105 - of a message
Hashes = NDArray[np.uint64]
_PIECE = 1 << 17  # bytes of text that are looked at together: as many as a cache has room for
_SAMPLE = 256  # rows that tell whether a column says the same again and again
_WORD = b"0123456789_abcdefghijklmnopqrstuvwxyz"
_SMALL = bytes(
    byte if byte in _WORD else byte + 32 if 65 <= byte <= 90 else 0  # noqa: PLR2004 - A to Z
    for byte in range(256)
)
_EIGHT, _LONG = 8, 256  # bytes: in a number, and in words so rare that they may cost more
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(_EIGHT + 1)], dtype=np.uint64)
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64
)  # of splitmix64
_SLOTS = 1 << 16
_HALF, _SOME = np.uint64(32), np.uint64(29)


def hashes_of(texts: pl.DataFrame) -> pl.Series:
    """The hashes of the words of some columns of texts, each once."""
    pieces = (piece for text in _joined(texts) for piece in _pieces(text))
    found = np.concatenate([hashed(piece) for piece in _together(pieces)])
    return pl.Series(found, dtype=pl.UInt64).unique()


def _joined(texts: pl.DataFrame) -> Iterator[bytes]:
    """The texts of each column as one, each once where the first are few: two looks at them all."""
    told = [pl.col(name).drop_nulls() for name in texts.columns]
    firsts = texts.select(each.head(_SAMPLE).n_unique() for each in told).row(0)
    counts = texts.select(each.len() for each in told).row(0)
    chosen = [
        each.unique() if first < min(count, _SAMPLE) // 2 else each
        for each, first, count in zip(told, firsts, counts, strict=True)
    ]
    joined = texts.select(each.str.join("\n") for each in chosen).row(0)
    for name, text in zip(texts.columns, joined, strict=True):
        yield text.encode() if text.isascii() else _ascii(texts[name].drop_nulls())


def _pieces(text: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(text):
        end = text.find(b"\n", begin + _PIECE)
        yield text[begin:] if end < 0 else text[begin:end]
        begin = len(text) if end < 0 else end


def _together(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces as one."""
    lot, size = list[bytes](), 0
    for piece in pieces:
        lot.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"\n".join(lot)
            lot, size = [], 0
    yield b"\n".join(lot)


def _ascii(texts: pl.Series) -> bytes:
    """Words in ASCII, and something between them, of texts in any script."""
    foreign = texts.str.len_bytes() != texts.str.len_chars()
    found = texts.filter(foreign).str.to_lowercase().str.extract_all(TOKEN).explode().drop_nulls()
    found = found.filter(found.str.len_bytes() == found.str.len_chars())
    parts = (texts.filter(~foreign), found)
    return "\n".join(part.str.join("\n").item() or "" for part in parts).encode()


def hashed(text: bytes) -> Hashes:
    """The hashes of all words in ASCII; the most frequent are not repeated."""
    data = np.frombuffer(b"\0%s%s" % (text.translate(_SMALL), bytes(_EIGHT + 1)), dtype=np.uint8)
    word = data != 0
    edges = np.flatnonzero(word[1:] != word[:-1])
    begins, lengths = edges[0::2] + 1, edges[1::2] - edges[0::2]
    numbers = np.ndarray((len(data) - _EIGHT + 1,), dtype="<u8", buffer=data, strides=(1,))
    found = numbers[begins] & _MASKS[np.minimum(lengths, _EIGHT)]
    found ^= lengths.astype(np.uint64) * _FACTORS[0]
    found *= _FACTORS[1]
    _add_rest(found, numbers, begins, lengths)
    found ^= found >> _SOME
    found *= _FACTORS[2]
    found ^= found >> _HALF
    for place in np.flatnonzero(lengths > _LONG).tolist():
        whole = data[begins[place] : begins[place] + lengths[place]].tobytes()
        found[place] = int.from_bytes(hashlib.blake2b(whole, digest_size=_EIGHT).digest(), "little")
    return _fewer(found)


def _add_rest(
    found: Hashes, numbers: Hashes, begins: NDArray[np.intp], lengths: NDArray[np.intp]
) -> None:
    """What words have after their first eight bytes."""
    places = np.flatnonzero((lengths > _EIGHT) & (lengths <= _LONG))
    begins, left = begins[places], lengths[places]
    while len(places):
        begins, left = begins + _EIGHT, left - _EIGHT
        mixed = found[places]
        mixed ^= mixed >> _HALF
        mixed ^= numbers[begins] & _MASKS[np.minimum(left, _EIGHT)]
        mixed *= _FACTORS[1]
        found[places] = mixed
        more = left > _EIGHT
        places, begins, left = places[more], begins[more], left[more]


def _fewer(found: Hashes) -> Hashes:
    """Most of those that come more than once are left out: that is cheaper than all of them."""
    order = np.arange(len(found))
    slots = (found & np.uint64(_SLOTS - 1)).astype(np.intp)
    last = np.empty(_SLOTS, dtype=np.intp)
    last[slots] = order
    of_slot = last[slots]
    kept: Hashes = found[(of_slot == order) | (found[of_slot] != found)]
    return kept
