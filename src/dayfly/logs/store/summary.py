"""How many records a segment has by minute, app and level: what is asked most is not counted anew.

It lies in the index, and stands for the records wherever nothing else of them is asked for.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from dayfly.logs.query import tree
from dayfly.logs.store.files import zstd

COUNT = "count"  # a column
MINUTE = 60 * 1_000_000_000
NAMES = frozenset({"app", "level"})
COLUMNS = frozenset({"time", *NAMES})
SMALL = 1000  # rows, with which nothing is saved or lost
MOST_ROWS = 50_000  # where there are more, counting records costs about the same
_LEVEL = 3


class Names(msgspec.Struct, frozen=True, array_like=True):
    """What the numbers of a summary stand for, and how many rows it has."""

    apps: list[str]
    levels: list[str]
    rows: int


def made(frame: pl.DataFrame) -> tuple[Names, bytes] | None:
    """None where it would be nearly as large as what it stands for."""
    if int(frame["time"].min()) < -(2**63) + MINUTE:  # type: ignore[arg-type]
        return None
    minute = (pl.col("time") // MINUTE).alias("time")
    counted = frame.group_by(minute, "app", "level").agg(pl.len().cast(pl.Int64).alias(COUNT))
    if counted.height > min(MOST_ROWS, max(SMALL, frame.height // 2)):
        return None
    counted = counted.sort("app", "level", "time")
    apps, levels = (
        counted[name].unique(maintain_order=True).to_list() for name in ("app", "level")
    )
    numbers = [
        counted["time"].to_numpy(),
        _places(counted["app"], apps),
        _places(counted["level"], levels),
        counted[COUNT].to_numpy(),
    ]
    packed = zstd.compress(np.stack(numbers).astype("<i8").tobytes(), _LEVEL)
    return Names(apps, levels, counted.height), packed


def _places(column: pl.Series, names: Sequence[str]) -> np.ndarray:
    at = {name: place for place, name in enumerate(names)}
    return np.array([at[name] for name in column.to_list()], dtype=np.int64)


def unpacked(names: Names, packed: bytes | memoryview) -> pl.DataFrame:
    """With the columns time (where the minute begins), app, level and count."""
    numbers = np.frombuffer(zstd.decompress(packed), dtype="<i8").reshape(4, names.rows)
    return pl.DataFrame(
        [
            pl.Series("time", numbers[0] * MINUTE),
            pl.Series("app", names.apps, dtype=pl.String).gather(numbers[1]),
            pl.Series("level", names.levels, dtype=pl.String).gather(numbers[2]),
            pl.Series(COUNT, numbers[3]),
        ]
    )


def suffices(where: tree.Node, by: Sequence[str], every: float | None) -> bool:
    """Whether it tells what is counted."""
    whole = every is None or every % 60 == 0
    return whole and NAMES.issuperset(by) and _only_names(where)


def _only_names(node: tree.Node) -> bool:
    match node:
        case tree.Everything():
            return True
        case tree.And(parts) | tree.Or(parts):
            return all(map(_only_names, parts))
        case tree.Not(part):
            return _only_names(part)
        case tree.Compare(name) | tree.Starts(name) | tree.Exists(name) | tree.Matches(name):
            return name in NAMES
        case _:
            return False
