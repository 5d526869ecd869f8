"""A segment: records of one day in a Parquet file that never changes, with its index beside it."""

import mmap
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.logs.store import bloom, summary
from dayfly.logs.store.files import crc_of, fsync
from dayfly.logs.store.frame import REST
from dayfly.logs.store.problems import StoreError
from dayfly.logs.store.summary import Names, unpacked

GROUP_ROWS = 8192
GROUP_BYTES = 16 << 20  # of a row group in memory, about; long records make groups of fewer rows
LEVEL, FINAL_LEVEL = 2, 9  # of zstd: when it is sealed, and when its day is over


class Volume(msgspec.Struct, frozen=True, array_like=True):
    """How much an app has in a segment."""

    records: int
    text: int  # bytes of its messages, which share out the size on disk


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest knows of a segment."""

    name: str
    day: str
    rows: int
    first: int
    last: int
    size: int  # bytes on disk, with the index
    crc: int
    index_crc: int
    apps: dict[str, Volume]
    level: int = LEVEL

    @property
    def text(self) -> int:
        """Bytes of its messages."""
        return sum(volume.text for volume in self.apps.values())

    def path(self, folder: Path) -> Path:
        return folder / self.day / f"{self.name}.parquet"

    def index(self, folder: Path) -> Path:
        return folder / self.day / f"{self.name}.index"


class Group(msgspec.Struct, frozen=True, array_like=True):
    """A row group: where its rows and its filter begin and end, and what they span."""

    row: int
    rows: int
    first: int
    last: int
    low: str  # apps
    high: str
    begin: int
    end: int


class Table(msgspec.Struct, frozen=True):
    probe: list[int]
    columns: list[str]
    groups: list[Group]
    names: Names | None = None  # of the summary, which comes after the filters


@dataclass(frozen=True, kw_only=True)
class Index:
    table: Table
    filters: memoryview
    mapped: mmap.mmap

    def release(self) -> None:
        self.mapped.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def columns(self) -> frozenset[str]:
        return frozenset(self.table.columns)

    @cached_property
    def blooms(self) -> bloom.Filters:
        return bloom.Filters.of(
            self.filters, [(each.begin, each.end) for each in self.table.groups]
        )

    @property
    def summary(self) -> pl.DataFrame | None:
        begin = self.table.groups[-1].end
        names = self.table.names
        return None if names is None else unpacked(names, self.filters[begin:])

    def text_only(self, name: str) -> bool:
        columns = self.columns
        others = any(f"{kind}:{name}" in columns for kind in "ifb")
        return REST not in columns and not others and (name == "message" or f"s:{name}" in columns)


def write(folder: Path, name: str, day: str, frame: pl.DataFrame, level: int = LEVEL) -> Segment:
    """Write records sorted by app and time; on disk, with their folder, when it returns."""
    home = folder / day
    home.mkdir(parents=True, exist_ok=True)
    fsync(folder)
    path, fresh = home / f"{name}.parquet", home / f"{name}.tmp"
    try:
        frame.write_parquet(
            fresh, compression="zstd", compression_level=level, row_group_size=group_rows(frame)
        )
        fsync(fresh)
        fresh.replace(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise StoreError(f"{path}: it can't be written: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
    index = _index(frame)
    write_atomically(home / f"{name}.index", index)  # and its folder, with the name of both
    return Segment(
        name=name,
        day=day,
        rows=frame.height,
        first=_whole(frame["time"].min()),
        last=_whole(frame["time"].max()),
        size=path.stat().st_size + len(index),
        crc=crc_of(path),
        index_crc=zlib.crc32(index),
        apps=volumes(frame),
        level=level,
    )


def group_rows(frame: pl.DataFrame) -> int:
    each = max(1, int(frame.estimated_size()) // max(1, frame.height))
    return max(1, min(GROUP_ROWS, GROUP_BYTES // each))


def volumes(frame: pl.DataFrame) -> dict[str, Volume]:
    sizes = pl.col("message").str.len_bytes().sum()
    table = frame.group_by("app").agg(pl.len().alias("records"), sizes.alias("text"))
    return {app: Volume(records, text) for app, records, text in table.iter_rows()}


def _index(frame: pl.DataFrame) -> bytes:
    groups, filters, begin = [], [], 0
    size, texts = group_rows(frame), texts_of(frame.columns)
    for row in range(0, frame.height, size):
        part = frame.slice(row, size)
        filtered = bloom.built(part.select(texts))
        end = begin + len(filtered)
        span = (_whole(part["time"].min()), _whole(part["time"].max()))
        groups.append(Group(row, part.height, *span, part["app"][0], part["app"][-1], begin, end))
        filters.append(filtered)
        begin = end
    names, packed = summary.made(frame) or (None, b"")
    table = Table(probe=bloom.probe(), columns=frame.columns, groups=groups, names=names)
    head = msgspec.json.encode(table)
    return b"".join((len(head).to_bytes(8, "little"), head, *filters, packed))


def texts_of(columns: Sequence[str]) -> list[str]:
    """The columns whose words are filtered."""
    return [name for name in columns if name == "message" or name.startswith("s:")]


def read_index(data: mmap.mmap) -> Index:
    length = int.from_bytes(data[:8], "little")
    table = typed.decode(data[8 : 8 + length], Table)
    return Index(table=table, filters=memoryview(data)[8 + length :], mapped=data)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a time is {value!r}")
    return value
