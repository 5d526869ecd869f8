"""The most frequent values of several fields, counted in one pass."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from dayfly.logs.record import Value
from dayfly.logs.store.frame import ATTRIBUTES, REST
from dayfly.logs.store.part import Part
from dayfly.logs.store.scan import Scan
from dayfly.logs.store.search import Limits
from dayfly.logs.store.summary import COUNT
from dayfly.logs.store.values import (
    WHOLE,
    as_group,
    kinds_of,
    read_as,
    told,
    value_kind,
    value_text,
)
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
        chosen = {column for name in names for column, _ in _sources(name, columns)}
        shared = columns & {REST}
        return [pl.col("time"), *map(pl.col, sorted(chosen | shared))]

    for found in Scan.of(parts, wanted, limits).each(needed):
        total += found.height
        for number, name in enumerate(names):
            tables[number] = _bounded(_joined(tables[number], _counted(found, name)), name, limits)
    made = [_facet(name, table, size) for name, table in zip(names, tables, strict=True)]
    return Facets(total=total, facets=made, cut="; ".join(limits.cut))


def _sources(name: str, columns: AbstractSet[str]) -> list[tuple[str, str]]:
    """The columns that have a field, and the letters of their types; a record is in one of them."""
    if name in ATTRIBUTES:
        return [(name, "i" if name in WHOLE else "s")]
    return [(f"{kind}:{name}", kind) for kind in kinds_of(name, columns)]


def _counted(found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Counted as they are, and only then made into texts: there are fewer of them."""
    columns = set(found.columns)
    frames = [
        _texts(found.select(column), name, column, kind) for column, kind in _sources(name, columns)
    ]
    if REST in columns and name not in ATTRIBUTES:
        shared = {REST}
        packed = found.select("time", REST).filter(pl.col(REST).is_not_null())
        text, kind = value_text(name, shared).alias(TEXT), value_kind(name, shared).alias(KIND)
        one = pl.lit(1, dtype=pl.Int64).alias(COUNT)
        frames.append(packed.select(text, one, kind).filter(pl.col(TEXT).is_not_null()))
    if not frames:
        return pl.DataFrame()
    return _grouped(pl.concat(frames))


def _texts(found: pl.DataFrame, name: str, column: str, kind: str) -> pl.DataFrame:
    counted = found.group_by(column).agg(pl.len().cast(pl.Int64).alias(COUNT))
    there = told(name) if name in ATTRIBUTES else pl.col(column).is_not_null()
    text = as_group(pl.col(column), kind).alias(TEXT)
    return counted.filter(there).select(text, COUNT, pl.lit(kind).alias(KIND))


def _joined(table: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    if not (table.height and fresh.height):
        return table if table.height else fresh
    return _grouped(pl.concat([table, fresh]))


def _grouped(both: pl.DataFrame) -> pl.DataFrame:
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
