"""Which records are wanted, and in which order."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import matches
from dayfly.logs.record import Record
from dayfly.logs.store.where import Filter, filter_of

EARLIEST, LATEST = -(2**63), 2**63 - 1  # LATEST as an end is no end: it is inside


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Times are nanoseconds, from `since` on and before `until`."""

    where: tree.Node
    since: int = EARLIEST
    until: int = LATEST
    newest_first: bool = True

    def overlaps(self, first: int, last: int) -> bool:
        return self.since <= last and (first < self.until or self.until >= LATEST)

    def has(self, record: Record) -> bool:
        return self.overlaps(record.time, record.time) and matches(self.where, record)

    def filter(self, columns: AbstractSet[str]) -> Filter:
        found = filter_of(self.where, columns)
        expr = found.expr
        if self.since > EARLIEST:
            expr &= pl.col("time") >= pl.lit(min(self.since, LATEST), dtype=pl.Int64)
        if self.until < LATEST:
            expr &= pl.col("time") < pl.lit(max(self.until, EARLIEST), dtype=pl.Int64)
        return Filter(expr, found.exact)

    def narrowed(self) -> "Wanted":
        """The same records, with the times that the query itself demands."""
        wanted = self
        for part in _demanded(self.where):
            match part:
                case tree.Compare("time", op, int(value)) if not isinstance(value, bool):
                    wanted = wanted.with_time(op, value)
                case _:
                    pass
        return wanted

    def with_time(self, op: tree.Operator, value: int) -> "Wanted":
        since = {">=": value, "=": value, ">": value + 1}.get(op, self.since)
        until = {"<": value, "=": value + 1, "<=": value + 1}.get(op, self.until)
        return replace(self, since=max(self.since, since), until=min(self.until, until))


def _demanded(node: tree.Node) -> Iterator[tree.Node]:
    """All that must hold, also of a range within other conditions."""
    if isinstance(node, tree.And):
        for part in node.parts:
            yield from _demanded(part)
    else:
        yield node
