"""Segments out of what was in memory, and out of smaller segments."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from dayfly.logs.store import segment
from dayfly.logs.store.frame import joined
from dayfly.logs.store.segment import Segment

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
MOST_BYTES = 512 << 20  # of a segment in memory, about
_DAY = "day"  # no column of a frame is called so: attributes are others, fields have a colon


def sealed(
    days: Path, frames: Sequence[pl.DataFrame], rows: int, level: int = segment.LEVEL
) -> list[Segment]:
    """Segments of the records, none of two days, none with many more than `rows`."""
    whole = joined(frames).sort("time", maintain_order=True)
    written: list[Segment] = []
    try:
        for frame in _cut(whole, rows):
            written.append(_written(days, frame, level))  # noqa: PERF401 - known, should the next one fail
    except BaseException:
        for each in written:
            each.path(days).unlink(missing_ok=True)
            each.index(days).unlink(missing_ok=True)
        raise
    return written


def _cut(whole: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    marked = whole.with_columns((pl.col("time") // DAY).alias(_DAY))
    for frame in marked.partition_by(_DAY, maintain_order=True, include_key=False):
        pieces = max(1, round(frame.height / rows), int(frame.estimated_size()) // MOST_BYTES)
        size = -(-frame.height // pieces)
        yield from (frame.slice(begin, size) for begin in range(0, frame.height, size))


def _written(days: Path, frame: pl.DataFrame, level: int) -> Segment:
    first = int(frame["time"][0])
    moment = datetime.fromtimestamp(first // SECOND, UTC)
    name = f"{moment:%H%M%S}-{os.urandom(5).hex()}"
    ordered = frame.sort("app", "time", maintain_order=True)
    return segment.write(days, name, day_of(first), ordered, level)


def day_of(time: int) -> str:
    return datetime.fromtimestamp(time // SECOND, UTC).date().isoformat()
