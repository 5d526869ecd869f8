"""Reading the write-ahead log while it is written: what was acknowledged, in order, once."""

import os
from pathlib import Path

from dayfly.logs.store import wal
from dayfly.logs.store.wal import Frame

PIECE = 4 << 20  # bytes of a file that are read at once; a larger frame is read whole


class Tail:
    """Frames after a sequence. For one thread."""

    def __init__(self, folder: Path, after: int) -> None:
        self.folder = folder
        self.after = after
        self._path = Path()
        self._inode = 0
        self._offset = 0

    def read(self, until: int, most: int = PIECE) -> list[Frame]:
        """The next frames up to a sequence, of `most` bytes or one; empty when there are none."""
        found: list[Frame] = []
        for path in wal.files(self.folder)[self._begin() :]:
            found += self._read(path, until, most - sum(len(each.body) for each in found))
            if found:
                self.after = found[-1].sequence
            if sum(len(each.body) for each in found) >= most or self.after >= until:
                break
        return found

    def behind(self) -> int:
        """Bytes of the files that hold what comes after."""
        sizes = 0
        for path in wal.files(self.folder)[self._begin() :]:
            try:
                sizes += path.stat().st_size
            except FileNotFoundError:
                continue
        return sizes

    def skip(self) -> int:
        """Pass over the oldest file with something to come; how many frames it can have had."""
        following = [
            wal.first_of(path)
            for path in wal.files(self.folder)
            if wal.first_of(path) > self.after + 1
        ]
        before = self.after
        if following:
            self.after = following[0] - 1
        return self.after - before

    def _begin(self) -> int:
        """Which of the files is the first that has something to come."""
        return len(wal.ended(self.folder, self.after))

    def _read(self, path: Path, until: int, most: int) -> list[Frame]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            inode = os.fstat(descriptor).st_ino
            if (path, inode) != (self._path, self._inode):
                self._path, self._inode, self._offset = path, inode, 0
            return self._frames(descriptor, until, most)
        finally:
            os.close(descriptor)

    def _frames(self, descriptor: int, until: int, most: int) -> list[Frame]:
        found: list[Frame] = []
        size = os.fstat(descriptor).st_size
        while most > 0 and self._offset < size:
            data = os.pread(descriptor, PIECE, self._offset)
            frame, length = wal.frame_at(data, 0)
            if frame is None:
                data = os.pread(descriptor, size - self._offset, self._offset)
                frame, length = wal.frame_at(data, 0)
            position = 0
            while frame is not None and frame.sequence <= until and most > 0:
                if frame.sequence > self.after:
                    found.append(frame)
                    most -= len(frame.body)
                position += length
                frame, length = wal.frame_at(data, position)
            if frame is None and not position:  # torn, or damaged: what follows is found again
                position = wal.next_whole(data, 1)
                if position >= len(data):
                    break
            self._offset += position
            if frame is not None:
                break
        return found
