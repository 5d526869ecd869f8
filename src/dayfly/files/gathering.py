"""Files of the host that go into a bucket: which ones, under which keys, and each but once."""

import mimetypes
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from dayfly.files.errors import NoSuchKeyError
from dayfly.files.objects import Description, Version
from dayfly.files.staging import Staged
from dayfly.files.store import Store

PIECE = 1 << 20
_WILD = frozenset("*?[")

Stamp = tuple[int, int]  # size and time of the last change


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file, opened: nobody puts another one in its place."""

    path: str  # below the folder that was looked through
    key: str
    stamp: Stamp
    descriptor: int


def files(folder: Path, named: Callable[[str], str | None]) -> Iterator[Found]:
    """Those that have a key, opened. Through no link: an app may put one where it likes."""
    if not folder.is_dir():
        return
    for at, _, names, descriptor in os.fwalk(folder):
        for name in sorted(names):
            path = str(PurePosixPath(Path(at, name).relative_to(folder)))
            key = named(path)
            if key is not None and (opened := _opened(name, descriptor)):
                yield Found(path=path, key=key, stamp=opened[1], descriptor=opened[0])


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


def _opened(name: str, folder: int) -> tuple[int, Stamp] | None:
    """None for what is no file any more."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode):
        return descriptor, (found.st_size, found.st_mtime_ns)
    os.close(descriptor)
    return None


def type_of(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


def store(repository: Store, bucket: str, found: Found, described: Description) -> Version:
    """One that the archive has already, of before a crash or of an earlier release, is no new one.

    As it is there then.
    """
    with repository.stage(bucket) as staged:
        while piece := os.pread(found.descriptor, PIECE, staged.size):
            staged.write(piece)
        there = _same(repository, bucket, found.key, staged)
        return there or repository.put(staged, found.key, described)


def _same(repository: Store, bucket: str, key: str, staged: Staged) -> Version | None:
    try:
        found = repository.head(bucket, key)
    except NoSuchKeyError:
        return None
    same = found.crc == staged.crc or found.etag == staged.etag
    return found if same and found.size == staged.size else None
