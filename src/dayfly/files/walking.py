"""Every file below a folder of the host, through no link, and what of it could not be looked at."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from errno import ELOOP, ENOENT, ENOTDIR
from pathlib import Path

_GONE = {ENOENT, ENOTDIR, ELOOP}  # it is no longer what it was, or a link by now
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Unseen = Callable[[str, OSError], None]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """`wanted` names files and `leads` folders, by their paths; what can't be seen is told.

    A folder or file that is not there is no such thing: only what may be there and can't be looked
    at is unseen, "" for all of it.
    """

    wanted: Callable[[str], bool]
    unseen: Unseen
    leads: Callable[[str], bool] = field(default=lambda _: True)

    def files(self, top: Path) -> Iterator[tuple[str, int]]:
        """By path, opened; who gets one closes it."""
        yield from self._below(os.fspath(top), "", None)

    def _below(self, name: str, path: str, above: int | None) -> Iterator[tuple[str, int]]:
        with ExitStack() as stack:
            folder = self._opened(name, path, above, os.O_DIRECTORY)
            if folder is None:
                return
            stack.callback(os.close, folder)
            for each in self._entries(folder, path):
                below = f"{path}/{each.name}" if path else each.name
                if self._is(each.is_dir, below):
                    if self.leads(below):
                        yield from self._below(each.name, below, folder)
                elif self._is(each.is_file, below) and self.wanted(below):
                    file = self._opened(each.name, below, folder)
                    if file is not None:
                        yield below, file

    def _entries(self, folder: int, path: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.unseen(path, error)
            return []

    def _is(self, kind: Callable[..., bool], path: str) -> bool:
        """Most systems tell the kind with the name; others have to be asked, and may fail."""
        try:
            return kind(follow_symlinks=False)
        except OSError as error:
            self._told(path, error)
            return False

    def _opened(self, name: str, path: str, above: int | None, more: int = 0) -> int | None:
        try:
            return os.open(name, _FLAGS | more, dir_fd=above)
        except OSError as error:
            self._told(path, error)
            return None

    def _told(self, path: str, error: OSError) -> None:
        if error.errno not in _GONE:
            self.unseen(path, error)
