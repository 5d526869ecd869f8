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
    bar: str = ""
    good: bool | None = None  # None: told, not judged
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def verdict(self) -> Verdict:
        return "-" if self.good is None else "yes" if self.good else "no"


@dataclass(frozen=True, kw_only=True)
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
    part: str, what: str, ours: float, floor: float, unit: str, most: float, *, note: str = ""
) -> Row:
    """A row whose bar is a multiple of what it takes without Dayfly."""
    return Row(
        part=part,
        what=what,
        ours=ours,
        unit=unit,
        floor=floor,
        bar=f"≤ {most:g}×",
        good=ours <= floor * most,
        note=note,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank.

    >>> percentile([4, 1, 3, 2], 0.5)
    2
    """
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))]
