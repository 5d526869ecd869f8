"""Segments out of what was in memory, and out of smaller segments."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from dayfly.clock import DAY, SECOND
from dayfly.logs.store import segment
from dayfly.logs.store.frame import joined
from dayfly.logs.store.segment import Segment

MOST_BYTES = 512 << 20  # of a segment in memory, about
_ROW = "row"  # no column of a frame is called so: attributes are others, fields have a colon


def sealed(
    days: Path, frames: Sequence[pl.DataFrame], rows: int, level: int = segment.LEVEL
) -> list[Segment]:
    """Segments of the records, none of two days, none with many more than `rows`."""
    written: list[Segment] = []
    try:
        for frame in _cut(joined(frames), rows):
            written.append(_written(days, frame, level))  # noqa: PERF401 - known, should the next one fail
    except BaseException:
        for each in written:
            each.path(days).unlink(missing_ok=True)
            each.index(days).unlink(missing_ok=True)
        raise
    return written


def _cut(whole: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Sorted by app and time. Records are copied once, and a piece only when it is its turn."""
    orders = list(_orders(whole, rows))
    if len(orders) > 1:
        whole = whole.rechunk()
    for order in orders:  # out of many chunks is slow; column by column takes less memory
        yield pl.DataFrame([column.rechunk().gather(order) for column in whole.get_columns()])


def _orders(whole: pl.DataFrame, rows: int) -> Iterator[pl.Series]:
    """Which rows make a segment, and in which order."""
    row = pl.int_range(pl.len(), dtype=pl.get_index_type()).alias(_ROW)
    keys = whole.select("time", "app", row).sort("time", maintain_order=True)
    each = whole.estimated_size() / max(1, whole.height)
    for day in _days(keys):
        pieces = max(1, round(day.height / rows), int(each * day.height) // MOST_BYTES)
        size = -(-day.height // pieces)
        for begin in range(0, day.height, size):
            apps = day.slice(begin, size).group_by("app").agg(_ROW)  # quicker than sorting by app
            yield apps.sort("app")[_ROW].explode()


def _days(keys: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """What is sorted by time, day by day."""
    lengths = keys.select((pl.col("time") // DAY).rle().struct.field("len")).to_series()
    begin = 0
    for length in lengths.to_list():
        yield keys.slice(begin, length)
        begin += length


def _written(days: Path, frame: pl.DataFrame, level: int) -> Segment:
    first = int(frame["time"].min())  # type: ignore[arg-type]
    moment = datetime.fromtimestamp(first // SECOND, UTC)
    name = f"{moment:%H%M%S}-{os.urandom(5).hex()}"
    return segment.write(days, name, day_of(first), frame, level)


def day_of(time: int) -> str:
    return datetime.fromtimestamp(time // SECOND, UTC).date().isoformat()
