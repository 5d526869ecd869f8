"""Files of the host that go into a bucket: which ones, under which keys, and each but once."""

import mimetypes
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from dayfly.files.errors import FilesError, NoSuchKeyError
from dayfly.files.objects import Description, Version
from dayfly.files.staging import Staged
from dayfly.files.store import Store
from dayfly.files.walking import Unseen, Walk

PIECE = 1 << 20
QUIET_SECONDS = 10.0  # for which nobody has written into a finished file
_WILD = frozenset("*?[")

# Size, time of the last change as programs set it and as the kernel does, and inode.
Stamp = tuple[int, int, int, int]


class UnreadError(FilesError):
    """A file of the host could not be read as a whole."""


class ChangedError(UnreadError):
    """It was written while it was read: what was read never was there at one moment."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file, opened: nobody puts another one in its place."""

    path: str  # below the folder that was looked through
    key: str
    stamp: Stamp
    device: int
    descriptor: int


def refused(path: str, error: OSError) -> None:
    """Of what has to be seen as a whole."""
    raise UnreadError(unseen_says(path, error))


def unseen_says(path: str, error: OSError) -> str:
    return f"{path[:200]!a}: {error.strerror}" if path else str(error.strerror)


def files(
    folder: Path,
    named: Callable[[str], str | None],
    *,
    unseen: Unseen = refused,
    leads: Callable[[str], bool] = lambda _: True,
) -> Iterator[Found]:
    """Those that have a key, opened. Through no link: an app may put one where it likes."""
    walk = Walk(wanted=lambda path: named(path) is not None, leads=leads, unseen=unseen)
    for path, descriptor in walk.files(folder):
        key, found = named(path), os.fstat(descriptor)
        if key is not None and stat.S_ISREG(found.st_mode):
            stamp = _stamp(found)
            yield Found(path=path, key=key, stamp=stamp, device=found.st_dev, descriptor=descriptor)
        else:  # another thing was put in its place
            os.close(descriptor)


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def quiet(stamp: Stamp, now: int) -> bool:
    """A time that a program has set into the future says nothing; the kernel's does, then."""
    _, changed, changed_by_kernel, _ = stamp
    return now - (changed if changed <= now else changed_by_kernel) > QUIET_SECONDS * 1e9


def key_of(path: str, places: Mapping[str, str]) -> str | None:
    """Of the first glob that names it: its prefix, and what follows the folder without wildcards.

    >>> key_of("out/2026/a.csv", {"out/*/*.csv": "batch/"})
    'batch/2026/a.csv'
    """
    parts = PurePosixPath(path).parts
    for glob, prefix in places.items():
        if names(glob, path):
            patterns = PurePosixPath(glob).parts
            wild = next((n for n, part in enumerate(patterns) if _WILD & set(part)), len(parts) - 1)
            return prefix + "/".join(parts[wild:])
    return None


def names(glob: str, path: str) -> bool:
    """Each part of the one each part of the other."""
    parts, patterns = PurePosixPath(path).parts, PurePosixPath(glob).parts
    return len(patterns) == len(parts) and all(map(fnmatchcase, parts, patterns))


def leads(globs: Iterable[str], folder: str) -> bool:
    """Whether files that one of them names may be below a folder."""
    parts = PurePosixPath(folder).parts
    wholes = (PurePosixPath(glob).parts for glob in globs)
    return any(len(parts) < len(whole) and all(map(fnmatchcase, parts, whole)) for whole in wholes)


def type_of(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


def store(
    repository: Store, bucket: str, found: Found, described: Description, *, moving: bool = False
) -> Version:
    """One that the archive has already, of before a crash or of an earlier release, is no new one.

    As it is there then. ChangedError where it was written meanwhile, unless it may be `moving`.
    """
    with repository.stage(bucket) as staged:
        for piece in _pieces(found, staged):
            staged.write(piece)
        if not moving and _stamp(os.fstat(found.descriptor)) != found.stamp:
            raise ChangedError(f"{found.path[:200]!a}: was written while it was read")
        there = _same(repository, bucket, found.key, staged)
        return there or repository.put(staged, found.key, described)


def _pieces(found: Found, staged: Staged) -> Iterator[bytes]:
    while True:
        try:
            piece = os.pread(found.descriptor, PIECE, staged.size)
        except OSError as error:
            raise UnreadError(unseen_says(found.path, error)) from error
        if not piece:
            return
        yield piece


def _same(repository: Store, bucket: str, key: str, staged: Staged) -> Version | None:
    try:
        found = repository.head(bucket, key)
    except NoSuchKeyError:
        return None
    same = found.crc == staged.crc or found.etag == staged.etag
    return found if same and found.size == staged.size else None
