"""The write-ahead log: what was acknowledged is in it, on disk, until it is sealed.

A file is named by the sequence of its first frame. A frame is a header (magic, length, CRC of all
that follows it, sequence, time of arrival, length of the batch's name), the name, and the body,
compressed. A torn last frame was never acknowledged; damage before the end is told, and what
follows it is found again by its magic.
"""

import errno
import logging
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import polars as pl

from dayfly.durable import translated, write_atomically
from dayfly.logs.store.files import fsync, zstd
from dayfly.logs.store.line import Line
from dayfly.logs.store.packed import as_lines
from dayfly.logs.store.problems import StoreError, StoreFullError

log = logging.getLogger(__name__)
MAGIC = b"DFW1"
HEADER = struct.Struct("<4sIIQdH")  # magic, length of name and body, crc, sequence, arrived, name
_COVERED = struct.Struct("<IQdH")
SUFFIX = ".wal"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass
class Frame:
    """A body on its way to the disk; `error` says why it did not get there."""

    batch: str
    body: bytes
    arrived: float
    sequence: int = 0
    error: StoreError | None = None
    done: bool = False
    size: int = 0  # of the body as it came
    lines: Sequence[Line] = field(default=(), repr=False)  # what the body says
    columns: pl.DataFrame | None = field(default=None, repr=False)  # the same

    def unpacked(self) -> bytes:
        """The body as it came: lines, or columns."""
        return zstd.decompress(self.body)

    def plain(self) -> bytes:
        """Its lines."""
        return as_lines(self.unpacked())

    def encoded(self) -> bytes:
        name = self.batch.encode()
        length = len(name) + len(self.body)
        crc = _crc(length, self.sequence, self.arrived, name, self.body)
        header = HEADER.pack(MAGIC, length, crc, self.sequence, self.arrived, len(name))
        return b"".join((header, name, self.body))


def _crc(length: int, sequence: int, arrived: float, name: bytes, body: bytes) -> int:
    covered = _COVERED.pack(length, sequence, arrived, len(name))
    return zlib.crc32(body, zlib.crc32(name, zlib.crc32(covered)))


class Wal:
    """Appends frames, many threads to one sync: whoever comes first writes for all who wait."""

    def __init__(
        self, folder: Path, first: int, on_durable: Callable[[Sequence[Frame]], None]
    ) -> None:
        self._folder = folder
        self._next = first
        self._on_durable = on_durable
        self._waiting: list[Frame] = []
        self.durable = first - 1  # sequence of the last frame that is on disk
        self._queue = threading.Lock()
        self._files = threading.Lock()  # of those that are not written any more
        self._disk = threading.Lock()
        self._descriptor = -1
        self._size = 0
        with translated(folder):
            self._open()

    def commit(self, frame: Frame) -> None:
        """Return when the frame is on disk; StoreFullError when there is no room."""
        with self._queue:
            self._waiting.append(frame)
        with self._disk:
            if not frame.done:
                with self._queue:
                    group, self._waiting = self._waiting, []
                self._write(group)
        if frame.error:
            raise frame.error

    def _write(self, group: Sequence[Frame]) -> None:
        for number, frame in enumerate(group):
            frame.sequence = self._next + number
        data = b"".join(frame.encoded() for frame in group)
        try:
            if self._descriptor < 0:
                self._open()
            _write_all(self._descriptor, data)
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._give_back(group, error)
        else:
            self._next += len(group)
            self._size += len(data)
            self.durable = group[-1].sequence
            self._on_durable(group)
        for frame in group:
            frame.done = True

    def _give_back(self, group: Sequence[Frame], error: OSError) -> None:
        """Nothing of the group is stored; what it left in the file goes.

        After a failed sync nobody knows what the kernel kept, so the next frames go to a new file.
        """
        for frame in group:
            frame.error = _refusal(error)
        self._next += len(group)  # never used twice, whatever the disk holds
        if self._descriptor >= 0:
            with suppress(OSError):  # a frame that stays is whole, or torn and passed over
                os.ftruncate(self._descriptor, self._size)
                os.fsync(self._descriptor)
            self._end()

    def rotate(self, on_rotated: Callable[[], None]) -> int:
        """Begin a new file and return the sequence of the last frame before it.

        `on_rotated` is called when every frame before is known and none after it.
        """
        with self._disk:
            self._end()
            with translated(self._folder):
                self._open()
            on_rotated()
            return self._next - 1

    def _open(self) -> None:
        path = self._folder / f"{self._next:020d}{SUFFIX}"
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._size = os.fstat(self._descriptor).st_size
        fsync(self._folder)

    def remove_until(self, sequence: int) -> None:
        """Delete the files that hold nothing after a sequence."""
        with self._files:
            for path in ended(self._folder, sequence):
                path.unlink(missing_ok=True)

    def rewrite_until(self, sequence: int, change: Callable[[bytes], bytes]) -> None:
        """Change the bodies in files that hold nothing after a sequence, each file at once."""
        with self._files:
            for path in ended(self._folder, sequence):
                frames = list(replay(path, last=False, damaged=[]))
                for frame in frames:
                    body = frame.plain()
                    if (changed := change(body)) != body:
                        frame.body = zstd.compress(changed, 1)
                write_atomically(path, b"".join(frame.encoded() for frame in frames))

    def close(self) -> None:
        with self._disk:
            self._end()

    def _end(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _refusal(error: OSError) -> StoreError:
    if error.errno in FULL:
        return StoreFullError(
            f"nothing was taken: {error.strerror}",
            hint="Make room on the disk, or keep less: [logs] retention.",
        )
    return StoreError(f"nothing was taken: {error.strerror}")


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def ended(folder: Path, sequence: int) -> list[Path]:
    """Files that hold nothing after a sequence; never the last one."""
    return [path for path, after in pairwise(files(folder)) if first_of(after) <= sequence + 1]


def first_of(path: Path) -> int:
    return int(path.stem)


@dataclass(frozen=True)
class Damage:
    path: Path
    position: int
    lost: int  # bytes


def replay(path: Path, *, last: bool, damaged: list[Damage]) -> Iterator[Frame]:
    """The frames of a file whose CRC is right; a torn end of the last file is cut off."""
    data = path.read_bytes()
    position = 0
    while position < len(data):
        frame, length = frame_at(data, position)
        if frame:
            yield frame
            position += length
            continue
        following = next_whole(data, position + 1)
        if following < len(data) or not last:
            damaged.append(Damage(path, position, following - position))
        else:
            log.warning(
                "%s: the last %d bytes are no whole frame and are cut off, as nobody was told that "
                "they are on disk; unless the disk lost them afterwards",
                path,
                len(data) - position,
            )
            os.truncate(path, position)
        position = following


def frame_at(data: bytes, position: int) -> tuple[Frame | None, int]:
    """The frame that begins there, and its length; None when none does, or it is not whole."""
    if position + HEADER.size > len(data):
        return None, 0
    magic, length, crc, sequence, arrived, name_length = HEADER.unpack_from(data, position)
    begin = position + HEADER.size
    whole = data[begin : begin + length]
    name, body = whole[:name_length], whole[name_length:]
    if magic != MAGIC or len(whole) < length:
        return None, 0
    if crc != _crc(length, sequence, arrived, name, body):
        return None, 0
    frame = Frame(batch=name.decode(), body=body, arrived=arrived, sequence=sequence)
    return frame, HEADER.size + length


def next_whole(data: bytes, position: int) -> int:
    """Where the next frame begins, at the end when there is none."""
    while (position := data.find(MAGIC, position)) >= 0:
        if frame_at(data, position)[0]:
            return position
        position += 1
    return len(data)
