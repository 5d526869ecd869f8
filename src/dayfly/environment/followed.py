"""What the archive knows of a directory that it follows, and what it may conclude from a look."""

import os
import stat
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from dayfly.environment.mounts import Mount
from dayfly.errors import DayflyError
from dayfly.files.gathering import Stamp, files, quiet, unseen_says
from dayfly.files.keys import unfit

Known = dict[str, Stamp]

PATIENCE_SECONDS = 60.0  # with a file that is written all the time, of at most this size:
PATIENT_SIZE = 4 << 20  # a larger one the longer, so that its versions don't fill the disk
INSTANT = 50_000_000  # ns; the kernel's clock of changes goes in steps
_TELL_AFTER = 3  # times the patience


@dataclass(frozen=True, kw_only=True)
class Place:
    """Of another one nothing is known."""

    store: str
    bucket: str
    prefix: str


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Which one it is: another one has other files, and none of them was deleted."""

    inode: int
    devices: frozenset[int]  # its own, and those of file systems that are mounted below it

    def is_whole_in(self, later: "Folder") -> bool:
        return self.inode == later.inode and self.devices <= later.devices


@dataclass(kw_only=True)
class Followed:
    """As it lies on disk."""

    place: Place
    folder: Folder
    known: Known = field(default_factory=dict)


@dataclass(kw_only=True)
class Look:
    """Files by path, what no key can name and what can't be read, each with why."""

    folder: Folder
    present: Known = field(default_factory=dict)
    unnamed: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def miss(self, path: str, error: OSError) -> None:
        self.unread[path] = unseen_says(path, error)


class LookError(DayflyError):
    """There is no directory to look into."""


def look_into(mount: Mount) -> Look | None:
    """None where there is none."""
    try:
        top = mount.folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LookError(f"{mount.folder}: {error.strerror}") from error
    if not stat.S_ISDIR(top.st_mode):
        raise LookError(f"{mount.folder} is no directory, and links are not followed.")
    devices = {top.st_dev}
    look = Look(folder=Folder(inode=top.st_ino, devices=frozenset()))
    for found in files(mount.folder, mount.key, unseen=look.miss):
        os.close(found.descriptor)
        devices.add(found.device)
        if why := unfit(found.key):
            look.unnamed[found.path] = f"{found.path[:200]!a} ({why[:200]})"
        else:
            look.present[found.path] = found.stamp
    if not mount.folder.exists() or mount.folder.lstat().st_dev != top.st_dev:
        raise LookError(f"{mount.folder} was mounted or unmounted while it was looked into.")
    look.folder = Folder(inode=top.st_ino, devices=frozenset(devices))
    return look


def gone(known: Collection[str], present: Collection[str], unread: Collection[str]) -> set[str]:
    """What surely is not there any more: nothing that could not be looked at."""
    if "" in unread:
        return set()
    return {name for name in set(known) - set(present) if not _is_hidden(name, unread)}


def _is_hidden(name: str, unread: Collection[str]) -> bool:
    path = PurePosixPath(name)
    return bool(unread) and any(str(each) in unread for each in (path, *path.parents))


def due(stamp: Stamp, waited: float, now: int) -> bool:
    """Nobody writes it now; or it is written so long that it is taken as it is."""
    this_moment = 0 <= now - stamp[2] < INSTANT
    return quiet(stamp, now) or (waited >= patience(stamp[0]) and not this_moment)


def patience(size: int) -> float:
    """In seconds, with a file that is written all the time."""
    return PATIENCE_SECONDS * max(1.0, size / PATIENT_SIZE)


@dataclass
class Waits:
    """Since when files are not in the archive as they are, by their paths."""

    since: dict[str, float] = field(default_factory=dict)

    def fresh(self, known: Known, present: Known, moment: float) -> set[str]:
        """Those that are due; who is not begins to wait, or goes on."""
        changed = {name for name, stamp in present.items() if known.get(name) != stamp}
        for name in self.since.keys() - changed:
            del self.since[name]
        for name in changed:
            self.since.setdefault(name, moment)
        now = time.time_ns()
        return {name for name in changed if due(present[name], moment - self.since[name], now)}

    def is_due(self, path: str, stamp: Stamp, moment: float) -> bool:
        """Asked again, when it was opened again."""
        return due(stamp, moment - self.since.get(path, moment), time.time_ns())

    def stored(self, path: str) -> None:
        self.since.pop(path, None)

    def unsteady(self, present: Mapping[str, Stamp], moment: float) -> list[str]:
        """Never twice the same while it was read, and not in the archive for long."""
        return [
            f"{name[:200]!a}"
            for name, since in self.since.items()
            if name in present and moment - since > _TELL_AFTER * patience(present[name][0])
        ]
