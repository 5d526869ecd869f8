"""A body of the write-ahead log that came as columns: kept as such, and lines to who asks."""

import io

import polars as pl

from dayfly.logs.store.frame import records
from dayfly.logs.store.line import line_of, written

_BEGIN = b"\xff\xff\xff\xff"  # of a stream of Arrow's; no line of JSON begins so
_OLDEST = pl.CompatLevel.oldest()


def packed(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_ipc_stream(file, compat_level=_OLDEST)
    return file.getvalue()


def unpacked(body: bytes) -> pl.DataFrame | None:
    """None for a body that is lines."""
    return pl.read_ipc_stream(io.BytesIO(body)) if body.startswith(_BEGIN) else None


def as_lines(body: bytes) -> bytes:
    """What `line.read` reads: a line for each row."""
    frame = unpacked(body)
    return body if frame is None else written([line_of(record) for record in records(frame)])
