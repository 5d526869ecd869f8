"""The part of an object that was asked for."""

import re

import msgspec

from dayfly.files.s3.problem import S3Error, invalid

_RANGE = re.compile(r"bytes=(\d{0,99})-(\d{0,99})", re.ASCII)  # an int takes not every length
_COPY = re.compile(r"bytes=(\d{1,99})-(\d{1,99})", re.ASCII)


class Range(msgspec.Struct, frozen=True):
    start: int
    end: int  # the first byte after it

    @property
    def size(self) -> int:
        return self.end - self.start

    def told(self, size: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size}"


def range_of(header: str, size: int) -> Range | None:
    """None where all is asked for, or in a way that HTTP lets one ignore (several ranges too)."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= end:
        raise S3Error("InvalidRange", RangeRequested=header[:100], ActualObjectSize=str(size))
    return Range(start, end)


def is_of_state(if_range: str | None, etag: str, date: str) -> bool:
    """Whether the state is the one that a range is asked of: by RFC 9110 byte for byte the same.

    A weak ETag promises less than that, and of another state the whole is sent.
    """
    return if_range is None or if_range.strip() in (f'"{etag}"', date)


def copied_range(header: str, size: int) -> Range:
    """Of the source of a part, where both ends must be told, and lie within it."""
    if not header:
        return Range(0, size)
    found = _COPY.fullmatch(header)
    if not found or int(found[1]) > int(found[2]):
        raise invalid("x-amz-copy-source-range", header, "bytes=FIRST-LAST")
    if int(found[2]) >= size:
        raise S3Error("InvalidRange", f"The source has {size} bytes only.")
    return Range(int(found[1]), int(found[2]) + 1)
