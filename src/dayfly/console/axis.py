"""One axis for statements that take a millisecond and others that take an hour."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from dayfly.console.chart import Tick
from dayfly.console.words import MINUTE_MS, milliseconds

_LEAST, _OPEN = 1.5, 10.0  # per cent: of a statement of no time, and of one of unknown time
_SHARE = 40.0  # per cent: all of these together
_TICKS, _APART = 6, 14.0  # at most; per cent between two
_MINUTES = 120_000  # ms from which ticks are told in minutes


@dataclass(frozen=True)
class Axis:
    """Where each statement lies: the shortest are drawn wider than they are, to be seen."""

    edges: tuple[float, ...]  # per cent, one more than there are statements
    times: tuple[float, ...]  # known milliseconds up to there

    def at(self, ms: float) -> float:
        spans = zip(pairwise(self.edges), pairwise(self.times), strict=True)
        for (left, right), (before, after) in spans:
            if before <= ms <= after and after > before:
                return left + (right - left) * (ms - before) / (after - before)
        return self.edges[-1]


def axis(times: Sequence[float | None]) -> Axis:
    """Of statements one after the other, by their milliseconds; None where nobody knows."""
    known = [ms for ms in times if ms is not None]
    unknown, whole = len(times) - len(known), sum(known)
    least = min(_LEAST, _SHARE / len(known)) if whole else 0.0
    wide = min(_OPEN, _SHARE / unknown) if known and unknown else 100 / max(unknown, 1)
    rest = 100 - least * len(known) - (wide * unknown if unknown else 0)
    widths = (
        wide if ms is None else least + rest * (ms / whole if whole else 1 / len(known))
        for ms in times
    )
    return Axis(
        edges=tuple(accumulate(widths, initial=0.0)),
        times=tuple(accumulate((ms or 0.0 for ms in times), initial=0.0)),
    )


def ticks(along: Axis) -> Iterator[Tick]:
    """Round moments, as many as have room."""
    whole, last = along.times[-1], -_APART
    unit = MINUTE_MS if whole >= _MINUTES else 1.0
    for moment in _round(whole / unit):
        at = along.at(moment * unit)
        if at - last >= _APART:
            yield Tick(at, "0" if moment == 0 else milliseconds(moment * unit))
            last = at


def _round(whole: float) -> list[float]:
    """Multiples of 1, 2 or 5 of some size, up to `whole`."""
    if whole <= 0:
        return [0.0]
    scale = 10 ** math.floor(math.log10(whole / _TICKS))
    step = next(scale * n for n in (1, 2, 5, 10) if whole / (scale * n) <= _TICKS)
    return [step * n for n in range(int(whole / step) + 1)]
