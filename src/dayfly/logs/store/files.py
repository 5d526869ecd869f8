"""What the store asks of the file system, and zstd, which is in Python's library from 3.14."""

import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dayfly.durable import locks
from dayfly.logs.store.problems import StoreError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["crc_of", "free_bytes", "fsync", "held", "zstd"]
_CHUNK = 1 << 20


def fsync(path: Path) -> None:
    """Of a file, or of a folder: the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """A folder that is ours alone; a holder that dies lets it go."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not locks(descriptor):
            raise StoreError(f"{folder}: another process has this log store open")
        yield
    finally:
        os.close(descriptor)


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
