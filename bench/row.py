"""One line of the table: what was measured, against what, and whether the bar is passed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["yes", "no", "-"]


@dataclass(frozen=True, kw_only=True)
class Row:
    part: str
    what: str
    ours: float
    unit: str
    floor: float | None = None  # the same by hand, or without Dayfly
    ratio: float | None = None  # median of the ratios of each turn
    bar: str = ""
    good: bool | None = None  # None: told, not judged
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        return "-" if self.good is None else "yes" if self.good else "no"


@dataclass(frozen=True)
class Skipped:
    """A part that this machine can't measure."""

    part: str
    why: str


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def at_most(part: str, what: str, ours: float, unit: str, most: float, *, note: str = "") -> Row:
    """A row with an absolute bar."""
    return Row(
        part=part,
        what=what,
        ours=ours,
        unit=unit,
        bar=f"≤ {most:g} {unit}",
        good=ours <= most,
        note=note,
    )


def times(  # noqa: PLR0913 - the columns of a row
    part: str,
    what: str,
    ours: Sequence[float],
    floor: Sequence[float],
    unit: str,
    most: float,
    *,
    note: str = "",
) -> Row:
    """A row whose bar is a multiple of what it takes without Dayfly.

    Both sides took turns, so each turn has a ratio of its own; noise that lasts hits both sides.
    """
    ratio = median([mine / theirs for mine, theirs in zip(ours, floor, strict=True)])
    return Row(
        part=part,
        what=what,
        ours=median(ours),
        unit=unit,
        floor=median(floor),
        ratio=ratio,
        bar=f"≤ {most:g}×",
        good=ratio <= most,
        note=note,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank.

    >>> percentile([4, 1, 3, 2], 0.5)
    2
    """
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))]
