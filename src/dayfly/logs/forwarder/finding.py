"""Which files there are, and which of them are known: by what they are, not by their names."""

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from dayfly.logs.forwarder.checkpoint import ANCHOR, Checkpoint, Position
from dayfly.logs.forwarder.opened import (
    Opened,
    anchored,
    is_rotation,
    open_below,
    rotated,
    true_path,
)
from dayfly.logs.forwarder.stamps import Watch

Known = dict[tuple[int, int], Position]
Guard = Callable[[str, Callable[[], None]], None]  # `Told.guard`: one file's trouble ends no other
PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})  # by rotation: it was read before
COPYING_SECONDS = 2.0  # a file that rotation makes is looked at when nobody writes it any more


class Finding:
    """Opens files as they appear, and those that rotation took out of sight. For one thread."""

    def __init__(self, watches: tuple[Watch, ...], checkpoint: Checkpoint, guard: Guard) -> None:
        self._watches = watches
        self._checkpoint = checkpoint
        self._guard = guard
        self.opened: dict[tuple[int, int], Opened] = {}

    def look(self) -> None:
        known = self._checkpoint.by_file()
        for watch in self._watches:
            for path in sorted(watch.root.glob(watch.pattern)):
                self._guard(str(path), partial(self._found, path, watch, known))
        for position in self._checkpoint.positions:
            if not position.replaced and position.key not in self.opened:
                self._guard(position.path, partial(self._known, position))
        for each in list(self.opened.values()):
            if not each.position.read:
                self._guard(each.position.path, partial(self.first, each))
            each.left = not _is_at(Path(each.position.path), each.position)
            if each.left:
                each.position.path = str(true_path(each.descriptor))

    def replaced(self, each: Opened) -> None:
        """Its content is another one: it was cut, perhaps after it had been copied.

        The copy, if it can be found, has what was not read yet.
        """
        old, path = each.position, Path(each.position.path)
        found = os.fstat(each.descriptor)
        self.opened.pop(old.key)
        if not self._continue_copy(old, path, each.watch):
            old.replaced = True
        fresh = self._checkpoint.register(path, old.base, found)
        self.opened[fresh.key] = Opened(
            descriptor=each.descriptor, position=fresh, watch=each.watch
        )
        self._open_unseen(path, old.modified, each.watch)

    def first(self, each: Opened) -> None:
        """Before anything is read of a content: whether it was cut already since it was found.

        There is nothing before its position that would tell.
        """
        position, changed = each.position, os.fstat(each.descriptor).st_mtime_ns
        if changed != position.modified:
            self._open_unseen(Path(position.path), position.modified, each.watch)
            position.modified = changed

    def close(self, each: Opened) -> None:
        self.opened.pop(each.position.key)
        each.close()

    def _found(self, path: Path, watch: Watch, known: Known) -> None:
        """A file that nobody knows is read from its beginning, and so is what it came after."""
        found = _regular(path)
        if found is None or (found.st_dev, found.st_ino) in known:
            return
        if path.suffix in PACKED or watch.describe(path) is None:
            return
        if self._may_be_copy(path, found):
            return
        base = str(path)
        before = [each.modified for each in self._checkpoint.positions if each.base == base]
        if before:
            self._open_unseen(path, max(before), watch)
        self._open(path, base, watch)

    def _known(self, position: Position) -> None:
        """A file that is not open: opened when there is news in it, followed when it moved."""
        path = Path(position.path)
        if not _is_at(path, position):
            moved = _inode_in(path.parent, position)
            if moved is None:
                position.replaced = True
                return
            path, position.path = moved, str(moved)
        watch = self._watch_of(position.base)
        found = path.stat()
        news = found.st_size != position.read
        if watch and (news or (not position.read and found.st_mtime_ns != position.modified)):
            self._open(path, position.base, watch)

    def _open(self, path: Path, base: str, watch: Watch) -> None:
        descriptor = open_below(path, watch.root)
        found = os.fstat(descriptor)
        position = self._checkpoint.by_file().get((found.st_dev, found.st_ino))
        if not stat.S_ISREG(found.st_mode) or (position and position.key in self.opened):
            os.close(descriptor)
            return
        position = position or self._checkpoint.register(path, base, found)
        position.path = str(path)
        self.opened[position.key] = Opened(descriptor=descriptor, position=position, watch=watch)

    def _open_unseen(self, path: Path, since: int, watch: Watch) -> None:
        """What was at this path since it was last looked at, and was moved away meanwhile."""
        known = self._checkpoint.by_file()
        for other in _by_age(rotated(path)):
            found = _regular(other)
            if found is None or (found.st_dev, found.st_ino) in known or found.st_mtime_ns < since:
                continue
            if not self._may_be_copy(other, found):
                self._open(other, str(path), watch)

    def _may_be_copy(self, path: Path, found: os.stat_result) -> bool:
        """A file that copytruncate makes; it is taken up when the truncation is seen."""
        for each in self._checkpoint.positions:
            base = Path(each.path)
            if each.replaced or not is_rotation(path, base) or not _is_at(base, each):
                continue
            if each.read and found.st_size < each.read:
                return time.time() - found.st_mtime < COPYING_SECONDS
            if _same_beginning(path, base) if not each.read else _has(path, each):
                return True
        return False

    def _continue_copy(self, old: Position, path: Path, watch: Watch) -> bool:
        known = self._checkpoint.by_file()
        for other in _by_age(rotated(path)) if old.read else ():
            descriptor = open_below(other, watch.root)
            found = os.fstat(descriptor)
            fresh = (found.st_dev, found.st_ino) not in known
            if fresh and found.st_size >= old.read and anchored(descriptor, old):
                old.device, old.inode, old.path = found.st_dev, found.st_ino, str(other)
                self.opened[old.key] = Opened(descriptor=descriptor, position=old, watch=watch)
                return True
            os.close(descriptor)
        return False

    def _watch_of(self, base: str) -> Watch | None:
        """Which of several told about the file, by its name when it was found."""
        return next((each for each in self._watches if each.means(base)), None)


def _regular(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        found = path.lstat()
        return found if stat.S_ISREG(found.st_mode) else None
    return None


def _is_at(path: Path, position: Position) -> bool:
    found = _regular(path)
    return found is not None and (found.st_dev, found.st_ino) == position.key


def _inode_in(folder: Path, position: Position) -> Path | None:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.inode() == position.inode and _is_at(Path(entry.path), position):
                return Path(entry.path)
    return None


def _same_beginning(path: Path, base: Path) -> bool:
    with path.open("rb") as one, base.open("rb") as other:
        return one.read(ANCHOR) == other.read(ANCHOR)


def _has(path: Path, position: Position) -> bool:
    with path.open("rb") as file:
        return anchored(file.fileno(), position)


def _by_age(paths: Iterable[Path]) -> list[Path]:
    """Oldest first, as they were written."""
    ages = [(found.st_mtime_ns, path) for path in paths if (found := _regular(path))]
    return [path for _, path in sorted(ages)]
