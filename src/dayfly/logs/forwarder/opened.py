"""A file that is read: opened once, it stays the same one, whatever its name does."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.errors import DayflyError
from dayfly.logs.forwarder.checkpoint import ANCHOR, Position
from dayfly.logs.forwarder.stamps import Watch

OPENED_SAFELY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DELETED = " (deleted)"


class SourceError(DayflyError):
    """A file can't be read, or must not be."""


@dataclass(kw_only=True)
class Opened:
    descriptor: int
    position: Position
    watch: Watch
    looked: int = -1  # its size when last looked at
    written: int = 0  # when, in nanoseconds, as of the last comparison
    changed: float = field(default_factory=time.monotonic)  # when that was another one
    left: bool = False  # its name belongs to another file now, or to none

    @property
    def idle(self) -> float:
        """Seconds since it grew."""
        return time.monotonic() - self.changed

    def look(self) -> os.stat_result:
        found = os.fstat(self.descriptor)
        if found.st_size != self.looked:
            self.looked, self.changed = found.st_size, time.monotonic()
        return found

    def block(self, size: int) -> bytes | None:
        """What follows the position; None when what stands before it is not what was there."""
        position = self.position
        if not _begins_as(self.descriptor, position):
            return None
        back = len(position.anchor)
        data = os.pread(self.descriptor, size + back, position.read - back)
        return data[back:] if data[:back] == position.anchor else None

    def rewritten(self, found: os.stat_result) -> bool:
        """Whether it has other content of the same size."""
        if found.st_mtime_ns == self.written:
            return False
        self.written = found.st_mtime_ns
        return not is_of(self.descriptor, self.position)

    def close(self) -> None:
        os.close(self.descriptor)


def open_below(path: Path, root: Path) -> int:
    """A machine may have planted links to what only we may read, or a pipe that never ends."""
    try:
        descriptor = os.open(path, OPENED_SAFELY)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    real = true_path(descriptor)
    if not real.is_relative_to(root.resolve()):
        os.close(descriptor)
        raise SourceError(f"{path}: leads out of {root} to {real}; such files are not read")
    return descriptor


def is_of(descriptor: int, position: Position) -> bool:
    """Whether a file has what was read of a content, told by its first and its last bytes."""
    back = len(position.anchor)
    ends = os.pread(descriptor, back, position.read - back) == position.anchor
    return ends and _begins_as(descriptor, position)


def _begins_as(descriptor: int, position: Position) -> bool:
    return os.pread(descriptor, len(position.head), 0) == position.head


def true_path(descriptor: int) -> Path:
    """Where an open file lies now."""
    return Path(str(Path(f"/proc/self/fd/{descriptor}").readlink()).removesuffix(_DELETED))


def anchor_after(data: bytes, before: bytes) -> bytes:
    return (before + data[-ANCHOR:])[-ANCHOR:]
