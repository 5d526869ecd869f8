"""The times of many texts at once, where they are written alike: `times.told` of each, in UTC."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dayfly.clock import SECOND
from dayfly.logs.parsing import times
from dayfly.logs.parsing.parsed import UTC

MOST_LENGTHS = 16  # of texts: fractions differ in their digits, and zones in how they are written
_ZERO, _NINE, _DIGITS = ord("0"), 9, 9
_FIRST_YEAR, _LAST_YEAR = 1700, 2250  # what nanoseconds in 64 bits have room for in any zone
_MOST_HOURS, _MOST_MINUTES, _MONTHS, _HOURS_ONLY = 23, 59, 12, 3
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


def told(texts: Sequence[str]) -> list[int | None]:
    found: list[int | None] = [None] * len(texts)
    for places in _alike(texts):
        some = [texts[place] for place in places]
        moments, right = _of_alike(some)
        for place, text, moment, is_right in zip(
            places, some, moments.tolist(), right.tolist(), strict=True
        ):
            found[place] = moment if is_right else times.told(text, UTC)
    return found


def _alike(texts: Sequence[str]) -> list[list[int]]:
    """The places of texts of one length."""
    lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
    each = np.unique(lengths)[:MOST_LENGTHS]
    rest = np.flatnonzero(~np.isin(lengths, each)).tolist()
    return [np.flatnonzero(lengths == length).tolist() for length in each] + (
        [rest] if rest else []
    )


def _of_alike(texts: Sequence[str]) -> tuple[Numbers, Mask]:
    """Moments, and which of them are right: those written as the first is."""
    size, first = len(texts), texts[0]
    nothing = np.zeros(size, dtype=np.int64)
    found = times.ISO_TEXT.fullmatch(first)
    if not found or not first.isascii():
        return nothing, np.zeros(size, dtype=bool)
    data = np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)
    if data.size != size * len(first):
        return nothing, np.zeros(size, dtype=bool)
    table = data.reshape(size, len(first))
    model = table[0]
    digit = (model >= _ZERO) & (model <= _ZERO + _NINE)
    digits = table - np.uint8(_ZERO)
    right = (table[:, ~digit] == model[~digit]).all(axis=1) & (digits[:, digit] <= _NINE).all(
        axis=1
    )
    clock = [_number(digits, found.start(2) + at, 2) for at in (0, 3, 6)]
    date = [_number(digits, at, length) for at, length in ((0, 4), (5, 2), (8, 2))]
    days, is_day = _days(*date)
    right &= is_day & (clock[0] <= _MOST_HOURS)
    right &= (clock[1] <= _MOST_MINUTES) & (clock[2] <= _MOST_MINUTES)
    seconds = days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    seconds -= _offset(digits, found[4] or "", found.start(4))
    length = min(_DIGITS, len(found[3] or ""))
    fraction = _number(digits, found.start(3), length) * 10 ** (_DIGITS - length)
    return seconds * SECOND + fraction, right


def _number(digits: NDArray[np.uint8], at: int, length: int) -> Numbers:
    found = np.zeros(len(digits), dtype=np.int64)
    for place in range(at, at + length):
        found = found * 10 + digits[:, place]
    return found


def _days(year: Numbers, month: Numbers, day: Numbers) -> tuple[Numbers, Mask]:
    """Since 1970, and whether there is such a day."""
    months = np.asarray((year - 1970) * 12 + month - 1, dtype="M8[M]")
    begin, end = (each.astype("M8[D]").astype(np.int64) for each in (months, months + 1))
    days = begin + day - 1
    right: Mask = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= _MONTHS)
    return days, right & (day >= 1) & (days < end)


def _offset(digits: NDArray[np.uint8], zone: str, at: int) -> Numbers | int:
    """Seconds; names of zones are those of UTC, or of nobody knows which."""
    if zone[:1] not in {"+", "-"}:
        return 0
    seconds = _number(digits, at + 1, 2) * 3600
    if len(zone) > _HOURS_ONLY:
        seconds = seconds + _number(digits, at + len(zone) - 2, 2) * 60
    return -seconds if zone[0] == "-" else seconds
