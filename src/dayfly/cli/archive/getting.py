"""An object out of the archive, into a file or into what is none."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

from dayfly.cli.archive.moving import INPUT, PIECE, SPOKEN, Tell, pieces_of
from dayfly.cli.archive.place import name_of, object_named
from dayfly.durable import translated
from dayfly.errors import DayflyError
from dayfly.files.checksums import OWN, Crc, crc_of
from dayfly.files.objects import Version
from dayfly.files.store import Reading, Store
from dayfly.shown import amount

_OUTPUTS = (INPUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def get(repository: Store, source: str, target: str, version: str, tell: Tell) -> Version:
    """An object into a file that appears whole; what an earlier try has left is gone on with.

    A link stays, and its file is replaced. What is no file, as a device or a pipe, is written into.
    """
    wanted = object_named(source)
    with repository.open(wanted.bucket, wanted.key, version) as opened:
        if is_output(target):
            _pour(opened, sys.stdout.buffer, target)
            return opened.version
        path = _path(target, name_of(wanted.key))
        if is_file(path):
            _fetch(opened, path.resolve(), tell)
        else:
            with translated(path), path.open("ab") as file:
                _pour(opened, file, target)
        return opened.version


def is_output(target: str) -> bool:
    return target in _OUTPUTS


def is_file(path: Path) -> bool:
    """Or nothing yet. What somebody has open, as /proc tells it, is written into where it is."""
    if path.exists() and not path.is_file():
        return False
    while path.is_symlink():
        if path.parent.resolve().is_relative_to("/proc"):
            return False
        path = path.parent / path.readlink()
    return True


def _pour(opened: Reading, into: BinaryIO, name: str) -> None:
    crc, size = Crc(OWN), 0
    for piece in opened.pieces():
        crc.update(piece)
        size += len(piece)
        into.write(piece)
    into.flush()
    _check_arrived(opened.version, size, crc.value, name)


def _check_arrived(version: Version, size: int, crc: int, name: object) -> None:
    unknown = version.size > 0 and not version.crc  # of another S3, that has none
    if size != version.size or not (unknown or crc == version.crc):
        raise DayflyError(
            f"{name}: what arrived is not what was put",
            hint="Try again; `dayfly files scrub` looks for damage.",
        )


def _path(target: str, name: str) -> Path:
    """A target that ends in a slash is a folder, which is made."""
    path = Path(target or name)
    if target.endswith("/"):
        with translated(path):
            path.mkdir(parents=True, exist_ok=True)
    return path / name if path.is_dir() else path


def _fetch(opened: Reading, path: Path, tell: Tell) -> None:
    version = opened.version
    part = path.with_name(f".{path.name}.{version.uid}.part")
    with translated(path):
        with part.open("ab") as file:
            for piece in opened.pieces(start=min(file.tell(), version.size)):
                file.write(piece)
                if file.tell() % SPOKEN < PIECE:
                    tell(f"{path.name}: {amount(file.tell())} of {amount(version.size)}")
            file.flush()
            os.fsync(file.fileno())
        try:
            _check_arrived(version, part.stat().st_size, crc_of(pieces_of(part)), path)
        except DayflyError:
            part.unlink()
            raise
        part.replace(path)
