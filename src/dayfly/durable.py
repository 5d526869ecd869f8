"""Files that survive a crash whole, and locks that end with their holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dayfly.clock import Stop, wait_until
from dayfly.errors import DayflyError


class FileError(DayflyError):
    """A file could not be read or written: no space, no right, no such folder."""


def write_atomically(path: Path, text: str | bytes, mode: int = 0o600) -> None:
    """Replace a file: whoever reads it, also after a crash, finds the old or the new one, whole."""
    with translated(path):
        fresh = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode() if isinstance(text, str) else text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        _fsync_folder(path.parent)


@contextmanager
def locked(path: Path, *, within: float | None = None, stop: Stop | None = None) -> Iterator[None]:
    """Hold a lock file, waiting for whoever holds it now; a holder that dies lets it go.

    DeadlineError where it is not let go `within` so many seconds, StoppedError where they end.
    """
    with translated(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with translated(path):
            if within is None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            else:
                wait_until(lambda: locks(descriptor), seconds=within, what=str(path), stop=stop)
        yield
    finally:
        os.close(descriptor)


def locks(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock of an open file without waiting; False where another holder keeps it."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Tell what the system says about a file as FileError."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{error.filename or path}: {error.strerror}") from error


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
