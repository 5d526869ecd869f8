"""Bytes on their way into the archive, where nobody sees them yet."""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dayfly.files.checksums import OWN, Crc, begun, written
from dayfly.files.opened import Opened
from dayfly.files.system import translated

MD5 = "MD5"
COPIED, PIECE = 1 << 30, 1 << 20  # bytes in one call
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}  # a share that copies nothing


class Staged:
    """A file that grows, hashed on the way."""

    def __init__(self, bucket: str, path: Path, algorithms: Sequence[str] = ()) -> None:
        self.bucket = bucket
        self.path = path
        self.size = 0
        self._own = Crc(OWN)
        self._etag = ""
        self._sums = {name: begun(name) for name in {MD5, *algorithms} - {OWN, ""}}
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)

    def write(self, piece: bytes | memoryview) -> None:
        for each in self._sums.values():
            each.update(piece)
        self._own.update(piece)
        self.size += len(piece)
        view = memoryview(piece)
        with translated(self.path):
            while view:
                view = view[os.write(self._descriptor, view) :]

    def digest(self, algorithm: str) -> str:
        """In base64, of what was written so far; MD5, or one that was asked for at the start."""
        return written(self._own.digest() if algorithm == OWN else self._sums[algorithm].digest())

    @property
    def etag(self) -> str:
        return self._etag or self._sums[MD5].digest().hex()

    @property
    def crc(self) -> int:
        return self._own.value

    def take_over(self, opened: Opened) -> None:
        """All bytes of a version and its hashes, by the kernel alone."""
        self._copy(opened.descriptor)
        self.size, self._own.value = opened.version.size, opened.version.crc
        self._etag = opened.version.etag

    def append(self, path: Path) -> None:
        """The bytes of a file, without their hashes."""
        with translated(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._copy(descriptor)
        finally:
            os.close(descriptor)

    def _copy(self, source: int) -> None:
        """In one go where the file system can share blocks."""
        position = 0
        with translated(self.path):
            while copied := _copied(source, self._descriptor, position):
                position += copied

    def seal(self) -> None:
        """On disk from here on."""
        with translated(self.path):
            os.fsync(self._descriptor)

    def discard(self) -> None:
        os.close(self._descriptor)
        with suppress(OSError):  # of a disk that is gone: the next start cleans up
            self.path.unlink(missing_ok=True)


def _copied(source: int, target: int, position: int) -> int:
    try:
        return os.copy_file_range(source, target, COPIED, position)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    return os.write(target, os.pread(source, PIECE, position))
