"""What records have under a name, as expressions over columns."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

import polars as pl

from dayfly.logs.query import instants
from dayfly.logs.query.meaning import group_text, is_number, text_of
from dayfly.logs.record import Value
from dayfly.logs.store.frame import ATTRIBUTES, KINDS, REST, fields_of

WHOLE = {"time", "release"}  # attributes that are numbers


def as_text(column: pl.Expr, kind: str) -> pl.Expr:
    """A value as `text_of` writes it; only Python writes floats as Python does."""
    if kind == "f":
        return column.map_elements(text_of, return_dtype=pl.String)
    return column if kind == "s" else column.cast(pl.String)


def as_group(column: pl.Expr, kind: str) -> pl.Expr:
    """A value as `group_text` writes it."""
    if kind == "f":
        return column.map_elements(group_text, return_dtype=pl.String)
    return as_text(column, kind)


def told(attribute: str) -> pl.Expr:
    """An empty text and release 0 stand for what nobody told."""
    if attribute == "time":
        return pl.lit(value=True)
    return pl.col(attribute) != (0 if attribute == "release" else "")


def kinds_of(name: str, columns: AbstractSet[str]) -> list[str]:
    return [kind for kind in "sifb" if f"{kind}:{name}" in columns]


def value_text(name: str, columns: AbstractSet[str]) -> pl.Expr:
    """The value as the text of its group; null when a record has none."""
    if name in ATTRIBUTES:
        kind = "i" if name in WHOLE else "s"
        return pl.when(told(name)).then(as_group(pl.col(name), kind))
    found = [as_group(pl.col(f"{kind}:{name}"), kind) for kind in kinds_of(name, columns)]
    if REST in columns:
        found.append(_from_rest(name, group_text, pl.String))
    return pl.coalesce(found) if found else _nothing(pl.String)


def value_kind(name: str, columns: AbstractSet[str]) -> pl.Expr:
    """The letter of its type; `t` for the time."""
    if name in ATTRIBUTES:
        return pl.lit("t" if name == "time" else "i" if name == "release" else "s")
    found: list[pl.Expr] = [
        pl.when(pl.col(f"{kind}:{name}").is_not_null()).then(pl.lit(kind))
        for kind in kinds_of(name, columns)
    ]
    if REST in columns:
        found.append(_from_rest(name, lambda value: KINDS[type(value)], pl.String))
    return pl.coalesce(found) if found else _nothing(pl.String)


def read_as(kind: str, text: str) -> Value:
    """A value from its text and the letter of its type."""
    return _READ[kind](text)


_READ: dict[str, Callable[[str], Value]] = {
    "s": str,
    "i": int,
    "f": float,
    "b": lambda text: text == "true",
    "t": lambda text: instants.iso(int(text)),
}


def value_number(name: str, columns: AbstractSet[str]) -> pl.Expr:
    """The value where it is a number; null for everything else."""
    if name in WHOLE:
        return pl.when(told(name)).then(pl.col(name))
    found = [pl.col(f"{kind}:{name}") for kind in "if" if f"{kind}:{name}" in columns]
    if REST in columns and name not in ATTRIBUTES:
        found.append(_from_rest(name, _as_float, pl.Float64))
    return pl.coalesce(found) if found else _nothing(pl.Float64)


def _nothing(kind: type[pl.DataType]) -> pl.Expr:
    """Null for every record; a bare literal would be one row."""
    return pl.when(pl.col("time").is_null()).then(pl.lit(None, dtype=kind))


def _as_float(value: Value) -> float | None:
    return float(value) if is_number(value) else None


def _from_rest(name: str, made: Callable[[Value], Any], kind: type[pl.DataType]) -> pl.Expr:
    def one(packed: str) -> object:
        value = fields_of(packed).get(name)
        return None if value is None else made(value)

    return pl.col(REST).map_elements(one, return_dtype=kind)
