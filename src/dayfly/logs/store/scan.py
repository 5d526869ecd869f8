"""All wanted records of all parts, one part after the other, the newest first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from dayfly.logs.store.part import Needed, Part
from dayfly.logs.store.search import Limits
from dayfly.logs.store.wanted import Wanted

MOST_GROUPS = 100_000
COUNT = "count"  # a column
Exprs = Sequence[pl.Expr]


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

    def grouped(
        self, needed: Needed, keys: Sequence[str], one: Exprs, more: Exprs
    ) -> pl.DataFrame | None:
        """All groups, no more of them than allowed: `one` makes a part's, `more` joins them."""
        table: pl.DataFrame | None = None
        for found in self.each(needed):
            fresh = found.group_by(keys, maintain_order=True).agg(pl.len().alias(COUNT), *one)
            if table is not None:
                both = pl.concat([table, fresh])
                fresh = both.group_by(keys, maintain_order=True).agg(pl.col(COUNT).sum(), *more)
            if fresh.height > MOST_GROUPS:
                self.limits.tell(f"cut: more than {MOST_GROUPS} groups, the largest are there")
                fresh = fresh.sort(COUNT, descending=True).head(MOST_GROUPS)
            table = fresh
        return table
