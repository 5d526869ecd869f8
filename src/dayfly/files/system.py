"""What the archive asks of the file system, and how it tells that this failed."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple, Self

from dayfly.durable import locks
from dayfly.files.checksums import OWN, Crc, crc_of
from dayfly.files.errors import FilesError, LostError, NoRoomError, ReadOnlyError

_LOCK_FLAGS = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC  # no writer, who would hinder a remount
_LARGEST = 2**63 - 1
PIECE = 1 << 20
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BROKEN = {errno.EIO, errno.EUCLEAN, errno.EBADMSG}  # sectors, trees, checksums of a disk


class Stamp(NamedTuple):
    """By which a file is known without being read. No number is too large for the index."""

    size: int
    mtime: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        return cls(found.st_size, found.st_mtime_ns & _LARGEST, found.st_ino & _LARGEST)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Tell what the system says about a file as FilesError."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path) from error


def refusal(error: OSError, path: Path) -> FilesError:
    message = f"{error.filename or path}: {error.strerror}"
    if error.errno in FULL:
        return NoRoomError(message, hint="Make room on the disk; what is stored can be read.")
    if error.errno == errno.EROFS:
        return ReadOnlyError(message, hint="Mount the file system for writing again.")
    return FilesError(message)


def fsync(folder: Path) -> None:
    """The names in a folder are on disk."""
    with opened_folder(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def opened_folder(folder: Path) -> Iterator[int]:
    """A descriptor that goes on being that folder, whatever it is renamed to meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def flocked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock file among threads and processes; a holder that dies lets it go."""
    descriptor = os.open(path, _LOCK_FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_flock(path: Path) -> int | None:
    """A descriptor that holds the lock until it is closed; None where somebody else does."""
    descriptor = os.open(path, _LOCK_FLAGS, 0o600)
    if locks(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def made(folder: Path) -> None:
    """The folder is there, and its name is on disk as well as those of the folders above it."""
    if folder.is_dir():
        return
    made(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    fsync(folder.parent)


def close_to_others(path: Path) -> None:
    """To users of the host who are neither its owner nor of its group: apps' machines are such."""
    with suppress(OSError):  # of a share without modes, one that takes no changes, or none
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & stat.S_IRWXO:
            path.chmod(mode & ~stat.S_IRWXO)


def write_durably(path: Path, data: bytes) -> None:
    """A new file, with its bytes on disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


def looked_at(path: Path) -> os.stat_result | None:
    """The stat of a regular file, itself and no link to one; None where there is none."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def looked_at_below(folder: Path, path: str) -> os.stat_result | None:
    """The same of a path below a folder; None also where a link leads there."""
    found = looked_at(folder / path)
    if found is None:
        return None
    for name in path.split("/")[:-1]:
        folder /= name
        if folder.is_symlink():
            return None
    return found


def copied(source: Path, target: Path) -> tuple[int, int]:
    """A copy on disk; its size and the archive's own checksum of what was copied."""
    own, size = Crc(OWN), 0
    with target.open("xb") as new:
        for piece in pieces_of(source):
            own.update(piece)
            size += len(piece)
            new.write(piece)
        new.flush()
        os.fsync(new.fileno())
    return size, own.value


def pieces_of(path: Path) -> Iterator[bytes]:
    """LostError where the disk does not give them back."""
    with path.open("rb", buffering=0) as file:
        while piece := _read(file, path):
            yield piece


def holds(path: Path, crc: int) -> bool:
    """Whether its bytes can be read, and have this checksum of the archive's own."""
    with suppress(LostError):
        return crc_of(pieces_of(path)) == crc
    return False


def _read(file: FileIO, path: Path) -> bytes:
    try:
        return file.read(PIECE)
    except OSError as error:
        if error.errno in _BROKEN:
            raise LostError(f"{path}: {error.strerror}") from error
        raise


def files_below(folder: Path) -> Iterator[Path]:
    """All but folders, by name, however deep they lie; links are told and not followed."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if path.is_dir() and not path.is_symlink():
            with suppress(FileNotFoundError):  # went just now
                waiting.extend(sorted(path.iterdir(), reverse=True))
        else:
            yield path


def cleared(folder: Path) -> None:
    """It goes with all that is below it, however deep; what can't be removed stays."""
    folders, waiting = list[Path](), [folder]
    while waiting:
        folders.append(waiting.pop())
        with suppress(OSError):
            for path in folders[-1].iterdir():
                if path.is_dir() and not path.is_symlink():
                    waiting.append(path)
                else:
                    path.unlink()
    for each in reversed(folders):
        with suppress(OSError):
            each.rmdir()


def linked(source: Path, target: Path) -> bool:
    """Another name for the same bytes; False where that name is taken."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    return True
