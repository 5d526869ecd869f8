"""Counts, tops, percentiles and patterns over parts, one part after the other.

The rows are those of `dayfly.logs.query.rows`, made without holding the records.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from dayfly.clock import SECOND
from dayfly.logs.query import instants, tree
from dayfly.logs.query.rows import Row, title
from dayfly.logs.query.shape import SHAPES
from dayfly.logs.store.part import Part
from dayfly.logs.store.problems import StoreError
from dayfly.logs.store.scan import Scan
from dayfly.logs.store.search import Limits
from dayfly.logs.store.summary import COUNT, suffices
from dayfly.logs.store.values import read_as, value_kind, value_number, value_text
from dayfly.logs.store.wanted import Wanted

MOST_VALUES = 5_000_000  # numbers that a percentile is made of
TIME, NUMBER = "stretch", "number"  # columns


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Rows by name of column. `cut` says what they leave out, and is empty when that is nothing."""

    rows: list[Row]
    cut: str = ""


def answered(pipe: tree.Pipe, parts: Iterable[Part], wanted: Wanted, limits: Limits) -> Answer:
    found = Scan.of(parts, wanted, limits)
    match pipe:
        case tree.Count(by, every):
            rows = _counts(found, by, every)
        case tree.Top(number, name):
            rows = [row for row in _counts(found, (name,), None) if row[name] is not None][:number]
        case tree.Percentile():
            rows = _percentiles(found, pipe)
        case tree.Patterns():
            rows = _patterns(found)
        case tree.Select():
            raise StoreError("`fields` lists records: search for them")
    return Answer(rows=rows, cut="; ".join(limits.cut))


def _counts(found: Scan, by: Sequence[str], every: float | None) -> list[Row]:
    summed = suffices(found.wanted.where, by, every)
    if not by and every is None:
        parts = found.counted(lambda _: [pl.col("time")], summed=summed)
        return [{COUNT: sum(part.select(count).item() for part, count in parts)}]
    times = [] if every is None else [_stretch(every).alias(TIME)]
    keys = [TIME, *_keys(by)] if times else _keys(by)
    kinds = [pl.col(name).first() for name in _kinds(by)]
    table = found.grouped(
        lambda columns: [*times, *_values(by, columns)], keys, kinds, kinds, summed=summed
    )
    if table is None:
        return []
    order = [*([TIME] if times else []), COUNT, *_keys(by)]
    table = table.sort(order, descending=[name == COUNT for name in order], nulls_last=True)
    counted = zip(_named(table, by), table[COUNT], strict=True)
    rows: list[Row] = [{**row, COUNT: count} for row, count in counted]
    if not times:
        return rows
    stamps = map(instants.iso, table[TIME])
    return [{"time": stamp, **row} for stamp, row in zip(stamps, rows, strict=True)]


def _stretch(every: float) -> pl.Expr:
    width = round(every * SECOND)
    return pl.col("time") // width * width


def _keys(by: Sequence[str]) -> list[str]:
    return [f"key {number}" for number in range(len(by))]


def _kinds(by: Sequence[str]) -> list[str]:
    return [f"kind {number}" for number in range(len(by))]


def _values(by: Sequence[str], columns: AbstractSet[str]) -> list[pl.Expr]:
    """Equal texts are one group, whether they were numbers or not; their kind is kept beside."""
    return [
        expr
        for name, key, kind in zip(by, _keys(by), _kinds(by), strict=True)
        for expr in (value_text(name, columns).alias(key), value_kind(name, columns).alias(kind))
    ]


def _named(table: pl.DataFrame, by: Sequence[str]) -> list[Row]:
    pairs = [name for pair in zip(_keys(by), _kinds(by), strict=True) for name in pair]
    if not by:
        return [{} for _ in range(table.height)]
    return [
        {
            name: None if text is None else read_as(kind, text)
            for name, text, kind in zip(by, row[::2], row[1::2], strict=True)
        }
        for row in table.select(pairs).iter_rows()
    ]


def _percentiles(found: Scan, pipe: tree.Percentile) -> list[Row]:
    """By nearest rank: numbers that records really have."""
    frames: list[pl.DataFrame] = []
    total = 0

    def needed(columns: AbstractSet[str]) -> list[pl.Expr]:
        return [value_number(pipe.name, columns).alias(NUMBER), *_values(pipe.by, columns)]

    for part in found.each(needed):
        frames.append(part.filter(pl.col(NUMBER).is_not_null()))
        total += frames[-1].height
        if total > MOST_VALUES:
            found.limits.tell(f"cut: the newest {total} numbers were taken")
            break
    if not total:
        return []
    table = pl.concat(frames, how="vertical_relaxed")
    table = table.sort([*_keys(pipe.by), NUMBER], nulls_last=True)
    groups = table.group_by(_keys(pipe.by), maintain_order=True).len() if pipe.by else None
    counts: list[int] = [table.height] if groups is None else groups["len"].to_list()
    begins = [0, *accumulate(counts)]
    ranks = [max(0, int(-(-count * pipe.percent // 100)) - 1) for count in counts]
    chosen = table[[begin + rank for begin, rank in zip(begins, ranks, strict=False)]]
    return [
        {**row, title(pipe): number, COUNT: count}
        for row, number, count in zip(_named(chosen, pipe.by), chosen[NUMBER], counts, strict=True)
    ]


def _patterns(found: Scan) -> list[Row]:
    shape = pl.col("message")
    for pattern, mark in SHAPES:
        shape = shape.str.replace_all(pattern, mark)
    time = pl.col("time")
    table = found.grouped(
        lambda _: [shape.alias("pattern"), time],
        ["pattern"],
        [time.min().alias("first"), time.max().alias("last")],
        [pl.col("first").min(), pl.col("last").max()],
    )
    if table is None:
        return []
    table = table.sort([COUNT, "pattern"], descending=[True, False])
    return [
        {"count": count, "first": instants.iso(first), "last": instants.iso(last), "pattern": text}
        for text, count, first, last in table.iter_rows()
    ]
