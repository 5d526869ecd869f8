"""Where records lie, and how the wanted ones are read: in memory, or in a segment."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import matches
from dayfly.logs.store import bloom
from dayfly.logs.store.frame import records
from dayfly.logs.store.segment import GROUP_ROWS, Group, Index, Segment
from dayfly.logs.store.summary import COLUMNS, MINUTE
from dayfly.logs.store.wanted import EARLIEST, LATEST, Wanted
from dayfly.logs.store.where import Filter

RARE_ROWS = 4 * GROUP_ROWS  # what a rare word leaves: read at once, without a look at the times


class Part(Protocol):
    """Some records; `first` and `last` are the times between which they lie."""

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def columns(self) -> AbstractSet[str]: ...

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:
        """The wanted records, whole; where there are more than `limit`, at least those first."""
        ...

    def scan(self, wanted: Wanted, needed: "Needed") -> pl.DataFrame:
        """Some expressions of all wanted records."""
        ...

    def summary(self, wanted: Wanted) -> pl.DataFrame | None:
        """How many by minute, app and level; None where only the records themselves tell it."""
        ...


Needed = Callable[[AbstractSet[str]], list[pl.Expr]]  # of the columns that a part has


@dataclass(frozen=True)
class Hot:
    """Records that are not sealed yet, as they came."""

    frame: pl.DataFrame
    first: int
    last: int

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Hot":
        first, last = frame.select(pl.col("time").min(), pl.col("time").max().alias("last")).row(0)
        return cls(frame, first, last)

    @property
    def columns(self) -> AbstractSet[str]:
        return set(self.frame.columns)

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:  # noqa: ARG002 - it costs nothing here
        found = wanted.filter(self.columns)
        return _kept(self.frame.filter(found.expr), wanted, found)

    def scan(self, wanted: Wanted, needed: Needed) -> pl.DataFrame:
        return self.select(wanted, self.frame.height).select(needed(self.columns))

    def summary(self, wanted: Wanted) -> pl.DataFrame | None:  # noqa: ARG002 - counting is quick
        return None


def _kept(frame: pl.DataFrame, wanted: Wanted, found: Filter) -> pl.DataFrame:
    if found.exact or not frame.height:
        return frame
    return frame.filter(_matched(frame, wanted))


def _matched(frame: pl.DataFrame, wanted: Wanted) -> pl.Series:
    mask = [matches(wanted.where, record) for record in records(frame)]
    return pl.Series(mask, dtype=pl.Boolean)


@dataclass(frozen=True)
class Sealed:
    segment: Segment
    path: Path
    index: Index
    probe: list[int]

    @property
    def first(self) -> int:
        return self.segment.first

    @property
    def last(self) -> int:
        return self.segment.last

    @cached_property
    def columns(self) -> AbstractSet[str]:
        return self.index.columns

    def select(self, wanted: Wanted, limit: int) -> pl.DataFrame:
        groups = self._groups(wanted)
        if not groups:
            return pl.DataFrame()
        found = wanted.filter(self.columns)
        expr = found.expr
        rows = sum(group.rows for group in groups)
        few = RARE_ROWS if bloom.words_of(wanted.where) else 0
        if found.exact and rows > max(limit, few):
            edge, groups = self._edge(groups, expr, wanted, limit)
            expr = expr & edge
        return _kept(self._lazy(groups).filter(expr).collect(), wanted, found)

    def scan(self, wanted: Wanted, needed: Needed) -> pl.DataFrame:
        found = wanted.filter(self.columns)
        if not found.exact:
            whole = self.select(wanted, self.segment.rows)
            return whole.select(needed(self.columns)) if whole.height else whole
        chosen = self._lazy(self._groups(wanted)).filter(found.expr)
        return chosen.select(needed(self.columns)).collect()

    def summary(self, wanted: Wanted) -> pl.DataFrame | None:
        """Where the wanted time begins and ends with whole minutes, or beyond its records."""
        begins = wanted.since <= self.first or not wanted.since % MINUTE
        ends = wanted.until > self.last or not wanted.until % MINUTE
        short = self.index.summary if begins and ends else None
        if short is None:
            return None
        since, until = wanted.since, wanted.until
        if since <= self.first:
            since = EARLIEST
        if until > self.last:
            until = LATEST
        return short.filter(replace(wanted, since=since, until=until).filter(COLUMNS).expr)

    def whole(self) -> pl.DataFrame:
        return pl.read_parquet(self.path)

    def without(self, wanted: Wanted) -> pl.DataFrame:
        """All records but the wanted ones."""
        frame, found = self.whole(), wanted.filter(self.columns)
        mask = frame.select(found.expr.fill_null(value=False).alias("m"))["m"]
        if mask.len() != frame.height:  # a filter of one value, which stands for all
            mask = pl.Series([mask[0]] * frame.height, dtype=pl.Boolean)
        if not found.exact:
            mask &= _matched(frame, wanted)
        return frame.filter(~mask)

    def _edge(
        self, groups: Sequence[Group], expr: pl.Expr, wanted: Wanted, limit: int
    ) -> tuple[pl.Expr, list[Group]]:
        """How far the first `limit` matches reach, and the groups that hold them."""
        times = self._lazy(groups).filter(expr).select("time").collect()["time"]
        if len(times) <= limit:
            return pl.lit(value=True), list(groups)
        if wanted.newest_first:
            edge: int = times.top_k(limit).min()  # type: ignore[assignment]
            return pl.col("time") >= edge, [group for group in groups if group.last >= edge]
        edge = times.bottom_k(limit).max()  # type: ignore[assignment]
        return pl.col("time") <= edge, [group for group in groups if group.first <= edge]

    def _groups(self, wanted: Wanted) -> list[Group]:
        """The row groups that may hold a match."""
        span, index = wanted.narrowed(), self.index
        words = bloom.words_of(wanted.where) if index.table.probe == self.probe else set()
        found = np.ones(len(index.table.groups), dtype=bool)
        if words:
            held = {word: index.blooms.hold(bloom.hash_of(word)) for word in words}
            found = bloom.may(wanted.where, held.__getitem__, index.text_only, found)
        return [
            group
            for group, may in zip(index.table.groups, found.tolist(), strict=True)
            if may and span.overlaps(group.first, group.last) and _app_may(wanted.where, group)
        ]

    def _lazy(self, groups: Sequence[Group]) -> pl.LazyFrame:
        if len(groups) == len(self.index.table.groups):
            return pl.scan_parquet(self.path)
        parts = [pl.scan_parquet(self.path).slice(row, rows) for row, rows in runs(groups)]
        return pl.concat(parts) if parts else pl.scan_parquet(self.path).head(0)


def _app_may(node: tree.Node, group: Group) -> bool:
    match node:
        case tree.And(parts):
            return all(_app_may(part, group) for part in parts)
        case tree.Or(parts):
            return any(_app_may(part, group) for part in parts)
        case tree.Compare("app", "=", str(value)):
            return group.low <= value <= group.high
        case _:
            return True


def runs(groups: Sequence[Group]) -> Iterator[tuple[int, int]]:
    """Neighbouring groups as one: where it begins, and its rows."""
    begin = end = -1
    for group in groups:
        if group.row != end:
            if end > begin:
                yield begin, end - begin
            begin = group.row
        end = group.row + group.rows
    if end > begin:
        yield begin, end - begin
