"""Which files there are, and which of them are known: by what they are, not by their names."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from dayfly.logs.forwarder.checkpoint import Checkpoint, Position
from dayfly.logs.forwarder.names import is_rotation
from dayfly.logs.forwarder.opened import OPENED_SAFELY, Opened, is_of, open_below, true_path
from dayfly.logs.forwarder.rotated import (
    PACKED,
    Folders,
    by_age,
    has_moved,
    is_at,
    origin,
    regular,
)
from dayfly.logs.forwarder.stamps import Watch

Known = dict[tuple[int, int], Position]
Guard = Callable[[str, Callable[[], None]], None]  # `Told.guard`: one file's trouble ends no other


class Finding:
    """Opens files as they appear, and those that rotation took out of sight. For one thread.

    A folder is looked through as long as names change in it: who looks while files are renamed may
    miss any of them, so no single look decides that something is gone.
    """

    def __init__(self, watches: tuple[Watch, ...], checkpoint: Checkpoint, guard: Guard) -> None:
        self._watches = watches
        self._checkpoint = checkpoint
        self._guard = guard
        self._folders = Folders()
        self._compared: dict[tuple[int, int], int] = {}  # when what is not open was written
        self.opened: dict[tuple[int, int], Opened] = {}

    def look(self) -> None:
        known = self._checkpoint.by_file()
        for watch in self._watches:
            for path in sorted(watch.root.glob(watch.pattern)):
                self._guard(str(path), partial(self._found, path, watch, known))
        for position in list(self._checkpoint.positions):
            if not position.lost and position.key not in self.opened:
                self._guard(position.path, partial(self._known, position))
        for each in self.opened.values():
            each.left = not is_at(Path(each.position.path), each.position)
            if each.left:
                each.position.path = str(true_path(each.descriptor))
        self._look_beside()

    def replaced(self, each: Opened) -> None:
        """Its content is another one: it was cut, perhaps after it had been copied.

        The copy, if it is found, has what was not read yet.
        """
        old, path = each.position, Path(each.position.path)
        self.opened.pop(old.key)
        old.lose(cut=True)
        fresh = self._checkpoint.register(path, old.base, os.fstat(each.descriptor))
        self.opened[fresh.key] = Opened(
            descriptor=each.descriptor, position=fresh, watch=each.watch
        )
        self._folders.again(Path(old.base).parent)
        self._look_through(Path(old.base).parent)

    def close(self, each: Opened) -> None:
        self.opened.pop(each.position.key)
        each.close()

    def _found(self, path: Path, watch: Watch, known: Known) -> None:
        """A file that nobody knows is read from its beginning."""
        found = regular(path)
        if found is None or (found.st_dev, found.st_ino) in known or path.suffix in PACKED:
            return
        if watch.describe(path) is None:
            return
        bases = {each.base for each in self._checkpoint.positions}
        base = next((each for each in bases if is_rotation(path, Path(each))), None)
        if base is None:
            self._open(path, None, watch)
        else:
            self._take(path, base, watch)

    def _known(self, position: Position) -> None:
        """A file that is not open: opened when there is news in it, followed when it moved."""
        path = Path(position.path)
        if not is_at(path, position):
            moved = has_moved(position)
            if moved is None:
                position.lose()
                self._folders.again(Path(position.base).parent)
                return
            path, position.path = moved, str(moved)
        watch = self._watch_of(position.base)
        if watch and self._has_news(path, position):
            self._open(path, position, watch)

    def _has_news(self, path: Path, position: Position) -> bool:
        """It grew, was cut, or was written since it was last compared, and is another content."""
        found = path.stat()
        if found.st_size != position.read:
            return True
        if self._compared.get(position.key) == found.st_mtime_ns:
            return False
        self._compared[position.key] = found.st_mtime_ns
        descriptor = self._content(position)
        if descriptor is None:
            return False
        try:
            return not is_of(descriptor, position)
        finally:
            os.close(descriptor)

    def _look_beside(self) -> None:
        for folder in {str(Path(each.base).parent) for each in self._checkpoint.positions}:
            if self._folders.changed(Path(folder)):
                self._guard(folder, partial(self._look_through, Path(folder)))

    def _look_through(self, folder: Path) -> None:
        """What was at a path since it is known, and was moved away or copied meanwhile."""
        paths = [path for path in folder.iterdir() if path.suffix not in PACKED]
        for base, since in self._bases_in(folder).items():
            watch = self._watch_of(base)
            missing = {each.key for each in self._checkpoint.of(base) if each.lost}
            for path in by_age(paths):
                found = regular(path)
                rotated = is_rotation(path, Path(base)) and found and found.st_mtime_ns >= since
                if watch and found and (rotated or (found.st_dev, found.st_ino) in missing):
                    self._guard(str(path), partial(self._take, path, base, watch))

    def _take(self, path: Path, base: str, watch: Watch) -> None:
        """A file that rotation made, if nobody knows it; under any name, if it was lost."""
        descriptor = open_below(path, watch.root)
        found = os.fstat(descriptor)
        known = (found.st_dev, found.st_ino) in self._checkpoint.by_file()
        if known or not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            return
        what = origin(descriptor, self._checkpoint.of(base), self._content)
        if what == "unclear":
            self._folders.again(path.parent)
        if what == "unclear" or (what == "unseen" and not is_rotation(path, Path(base))):
            os.close(descriptor)
            return
        if isinstance(what, Position):
            what.found_again(path, found)
        self._use(descriptor, path, base, watch)

    def _open(self, path: Path, position: Position | None, watch: Watch) -> None:
        """A file that was known, or seen, under this name a moment ago."""
        descriptor = open_below(path, watch.root)
        key = _key(descriptor)
        wanted = position is None or position.key == key
        if wanted and key not in self.opened and stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._use(descriptor, path, position.base if position else str(path), watch)
        else:
            os.close(descriptor)

    def _use(self, descriptor: int, path: Path, base: str, watch: Watch) -> None:
        found = os.fstat(descriptor)
        position = self._checkpoint.by_file().get(_key(descriptor))
        position = position or self._checkpoint.register(path, base, found)
        position.path = str(path)
        self.opened[position.key] = Opened(descriptor=descriptor, position=position, watch=watch)

    def _content(self, position: Position) -> int | None:
        """A descriptor of a known file, for the caller to close; None while it is not in place."""
        if opened := self.opened.get(position.key):
            return os.dup(opened.descriptor)
        with suppress(OSError):
            descriptor = os.open(position.path, OPENED_SAFELY)
            if _key(descriptor) == position.key:
                return descriptor
            os.close(descriptor)
        return None

    def _bases_in(self, folder: Path) -> dict[str, int]:
        """The known paths, and since when they are."""
        positions = [
            each for each in self._checkpoint.positions if Path(each.base).parent == folder
        ]
        return {each.base: each.since for each in positions}

    def _watch_of(self, base: str) -> Watch | None:
        """Which of several told about the file, by its name when it was found."""
        return next((each for each in self._watches if each.means(base)), None)


def _key(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino
