"""The most frequent values of several fields, counted in one pass."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from dayfly.logs.record import Value
from dayfly.logs.store.part import Part
from dayfly.logs.store.scan import Scan
from dayfly.logs.store.search import Limits
from dayfly.logs.store.summary import COUNT
from dayfly.logs.store.values import read_as, value_kind, value_text
from dayfly.logs.store.wanted import Wanted

MOST_DISTINCT = 20_000  # values of a field that are counted
TEXT, KIND = "text", "kind"  # columns


@dataclass(frozen=True, kw_only=True)
class Facet:
    """`having` records have the field; the most frequent values come first."""

    name: str
    having: int
    values: list[tuple[Value, int]]


@dataclass(frozen=True, kw_only=True)
class Facets:
    total: int  # records
    facets: list[Facet]
    cut: str = ""


def facets_of(
    parts: Iterable[Part], wanted: Wanted, names: Sequence[str], size: int, limits: Limits
) -> Facets:
    tables = [pl.DataFrame() for _ in names]
    total = 0

    def needed(columns: AbstractSet[str]) -> list[pl.Expr]:
        values = [
            expr
            for number, name in enumerate(names)
            for expr in (
                value_text(name, columns).alias(f"{TEXT} {number}"),
                value_kind(name, columns).alias(f"{KIND} {number}"),
            )
        ]
        return [pl.col("time"), *values]

    for found in Scan.of(parts, wanted, limits).each(needed):
        total += found.height
        for number, name in enumerate(names):
            tables[number] = _bounded(
                _joined(tables[number], _counted(found, number)), name, limits
            )
    made = [_facet(name, table, size) for name, table in zip(names, tables, strict=True)]
    return Facets(total=total, facets=made, cut="; ".join(limits.cut))


def _counted(found: pl.DataFrame, number: int) -> pl.DataFrame:
    told = found.select(
        pl.col(f"{TEXT} {number}").alias(TEXT), pl.col(f"{KIND} {number}").alias(KIND)
    ).filter(pl.col(TEXT).is_not_null())
    return told.group_by(TEXT).agg(pl.len().cast(pl.Int64).alias(COUNT), pl.col(KIND).first())


def _joined(table: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    if not table.height:
        return fresh
    both = pl.concat([table, fresh])
    return both.group_by(TEXT).agg(pl.col(COUNT).sum(), pl.col(KIND).first())


def _bounded(table: pl.DataFrame, name: str, limits: Limits) -> pl.DataFrame:
    if table.height <= MOST_DISTINCT:
        return table
    limits.tell(f"cut: {name} has more than {MOST_DISTINCT} values, the rarest are not counted")
    return table.sort(COUNT, descending=True).head(MOST_DISTINCT)


def _facet(name: str, table: pl.DataFrame, size: int) -> Facet:
    if not table.height:
        return Facet(name=name, having=0, values=[])
    first = table.sort([COUNT, TEXT], descending=[True, False]).head(size)
    values = [(read_as(kind, text), count) for text, count, kind in first.iter_rows()]
    return Facet(name=name, having=int(table[COUNT].sum()), values=values)
