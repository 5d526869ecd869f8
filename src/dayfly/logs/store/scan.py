"""All wanted records of all parts, one part after the other, the newest first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from dayfly.logs.store.part import Needed, Part
from dayfly.logs.store.search import Limits
from dayfly.logs.store.summary import COLUMNS, COUNT
from dayfly.logs.store.wanted import Wanted

MOST_GROUPS = 100_000
Exprs = Sequence[pl.Expr]
TOGETHER = 100  # summaries, which are small


@dataclass(frozen=True)
class Scan:
    parts: Sequence[Part]
    wanted: Wanted
    limits: Limits

    @classmethod
    def of(cls, parts: Iterable[Part], wanted: Wanted, limits: Limits) -> Self:
        return cls(sorted(parts, key=lambda part: part.last, reverse=True), wanted, limits)

    def each(self, needed: Needed) -> Iterator[pl.DataFrame]:
        for part in self.parts:
            if self.limits.reached():
                return
            found = part.scan(self.wanted, needed)
            if found.height:
                yield found

    def counted(self, needed: Needed, *, summed: bool) -> Iterator[tuple[pl.DataFrame, pl.Expr]]:
        """The same with how to count the rows; `summed`: a summary may stand for the records."""
        together: list[pl.DataFrame] = []
        for part in self.parts:
            if self.limits.reached():
                break
            short = part.summary(self.wanted) if summed else None
            if short is not None and short.height:
                together.append(short)
            elif short is None and (found := part.scan(self.wanted, needed)).height:
                yield found, pl.len().cast(pl.Int64).alias(COUNT)
            if len(together) >= TOGETHER:
                yield _summed(together, needed)
                together.clear()
        if together:
            yield _summed(together, needed)

    def grouped(
        self,
        needed: Needed,
        keys: Sequence[str],
        one: Exprs,
        more: Exprs,
        *,
        summed: bool = False,
    ) -> pl.DataFrame | None:
        """All groups, no more of them than allowed: `one` makes a part's, `more` joins them."""
        table: pl.DataFrame | None = None
        for found, count in self.counted(needed, summed=summed):
            fresh = found.group_by(keys, maintain_order=True).agg(count, *one)
            if table is not None:
                both = pl.concat([table, fresh])
                fresh = both.group_by(keys, maintain_order=True).agg(pl.col(COUNT).sum(), *more)
            if fresh.height > MOST_GROUPS:
                self.limits.tell(f"cut: more than {MOST_GROUPS} groups, the largest are there")
                fresh = fresh.sort(COUNT, descending=True).head(MOST_GROUPS)
            table = fresh
        return table


def _summed(parts: Sequence[pl.DataFrame], needed: Needed) -> tuple[pl.DataFrame, pl.Expr]:
    return pl.concat(parts).select(*needed(COLUMNS), COUNT), pl.col(COUNT).sum()
