"""What rotation makes of a file, told by content: copies, and files under other names."""

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from dayfly.logs.forwarder.checkpoint import ANCHOR, Position
from dayfly.logs.forwarder.opened import OPENED_SAFELY, is_of

PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})  # by rotation: it was read before
RECENT_NS = 100_000_000  # a change so young may hide another one of the same tick of the clock


class Folders:
    """Which folders are to be looked through again: those in which names changed."""

    def __init__(self) -> None:
        self._seen: dict[Path, int] = {}
        self._again: set[Path] = set()

    def again(self, folder: Path) -> None:
        """Something is under way there: look once more, whether names change or not."""
        self._again.add(folder)

    def changed(self, folder: Path) -> bool:
        try:
            now = folder.stat().st_mtime_ns
        except OSError:
            return False
        young = time.time_ns() - now < RECENT_NS
        if now == self._seen.get(folder) and not young and folder not in self._again:
            return False
        self._seen[folder] = now
        self._again.discard(folder)
        return True


Origin = Literal["unseen", "unclear"]


def origin(
    descriptor: int, positions: Iterable[Position], content: Callable[[Position], int | None]
) -> Position | Origin:
    """What an unknown file beside a known one is, told by all contents that one had.

    A position: of a content that was lost, and is here. Unclear: nothing is in it yet, or it is a
    copy of what is where it was, or where one's end is not noticed. `content` opens the file of a
    position; None while nobody knows where that is, which is too early to say.
    """
    size = os.fstat(descriptor).st_size
    if not size:
        return "unclear"
    for each in sorted(positions, key=lambda each: not each.lost):
        if each.read and size >= each.read and is_of(descriptor, each):
            return each if each.lost else "unclear"
        if each.lost:
            continue
        if (other := content(each)) is None:
            return "unclear"
        same = _same(descriptor, other)
        os.close(other)
        if same:
            return "unclear"
    return "unseen"


def regular(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        found = path.lstat()
        return found if stat.S_ISREG(found.st_mode) else None
    return None


def is_at(path: Path, position: Position) -> bool:
    found = regular(path)
    return found is not None and (found.st_dev, found.st_ino) == position.key


def has_moved(position: Position) -> Path | None:
    """Where a file is now that has another name in its folder."""
    with suppress(OSError), os.scandir(Path(position.path).parent) as entries:
        for entry in entries:
            path = Path(entry.path)
            if (
                entry.inode() == position.inode
                and is_at(path, position)
                and _is_its(path, position)
            ):
                return path
    return None


def by_age(paths: Iterable[Path]) -> list[Path]:
    """Oldest first, as they were written."""
    ages = [(found.st_mtime_ns, path) for path in paths if (found := regular(path))]
    return [path for _, path in sorted(ages)]


def _is_its(path: Path, position: Position) -> bool:
    """An inode is given again: what another file has is nothing to read."""
    descriptor = os.open(path, OPENED_SAFELY)
    try:
        return is_of(descriptor, position)
    finally:
        os.close(descriptor)


def _same(one: int, other: int) -> bool:
    """As far as both go, told by their first and their last bytes there."""
    common = min(os.fstat(one).st_size, os.fstat(other).st_size)
    size = min(ANCHOR, common)
    return common > 0 and all(
        os.pread(one, size, start) == os.pread(other, size, start) for start in (0, common - size)
    )
