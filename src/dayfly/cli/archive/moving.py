"""Bytes into the archive and out of it; what was interrupted goes on where it was."""

import mimetypes
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from dayfly.cli.archive.place import (
    Named,
    by_hand,
    file_at,
    named,
    target_named,
)
from dayfly.durable import translated
from dayfly.errors import UsageError
from dayfly.files.arriving import arriving, same_parts
from dayfly.files.checksums import crc_of
from dayfly.files.condition import Condition
from dayfly.files.errors import BadNameError, NoSuchKeyError
from dayfly.files.objects import Description, Version
from dayfly.files.store import Store
from dayfly.files.system import files_below
from dayfly.shown import amount

Tell = Callable[[str], None]
PIECE = 1 << 20
INPUT = "-"
ANYTHING = "application/octet-stream"
SPOKEN = 64 * PIECE  # bytes between two words on how far it is
RESUMED = 64 * PIECE  # what is as large is stored in parts, behind which a second try goes on


def put(repository: Store, source: str, target: str, condition: Condition, tell: Tell) -> Version:
    """A file, or what comes on standard input, as one object."""
    name = "" if source == INPUT else Path(source).name
    wanted = target_named(target, name, nameless=f"{target}: standard input has no name")
    if source == INPUT:
        return _stored(repository, sys.stdin.buffer, wanted, _described(wanted), condition, tell)
    path = file_at(Path(source))
    if path.is_dir():
        raise UsageError(
            f"{source} is a folder", hint=f"dayfly files import {source} {wanted.bucket}/PREFIX/"
        )
    with translated(path), path.open("rb") as file:
        told = _described(wanted, source=str(path.absolute()))
        if os.fstat(file.fileno()).st_size < RESUMED:
            return _stored(repository, file, wanted, told, condition, tell)
        return _gone_on(repository, file, wanted, told, condition, tell)


def _described(wanted: Named, *, source: str = "") -> Description:
    return Description(headers={"content-type": kind_of(wanted.key)}, provenance=by_hand(source))


def kind_of(key: str) -> str:
    kind, packed = mimetypes.guess_type(key)
    return ANYTHING if packed or not kind else kind


def _stored(
    repository: Store,
    file: BinaryIO,
    wanted: Named,
    described: Description,
    condition: Condition,
    tell: Tell,
) -> Version:
    owner = repository.bucket(wanted.bucket).owner  # what a person puts is the bucket's
    with repository.stage(wanted.bucket) as staged:
        while piece := file.read(PIECE):
            staged.write(piece)
            if staged.size % SPOKEN == 0:
                tell(f"{wanted}: {amount(staged.size)}")
        tell(f"{wanted}: {amount(staged.size)}, now on disk")
        return repository.put(staged, wanted.key, replace(described, owner=owner), condition)


def _gone_on(
    repository: Store,
    file: BinaryIO,
    wanted: Named,
    described: Description,
    condition: Condition,
    tell: Tell,
) -> Version:
    """Behind what an earlier try has left in the archive, if the file still begins so."""
    described = replace(described, owner=repository.bucket(wanted.bucket).owner)
    coming = arriving(repository, wanted.bucket, wanted.key, described)
    coming.keep(same_parts(coming.parts, (_slice(file, part.size) for part in coming.parts)))
    file.seek(coming.size)

    def pieces() -> Iterator[bytes]:
        size = os.fstat(file.fileno()).st_size
        while piece := file.read(PIECE):
            if (file.tell() // PIECE) % (SPOKEN // PIECE) == 1:
                tell(f"{wanted}: {amount(file.tell())} of {amount(size)}")
            yield piece

    return coming.store(pieces(), condition)


def _slice(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := file.read(min(PIECE, size))):
        size -= len(piece)
        yield piece


@dataclass
class Imported:
    """What came of a folder."""

    put: int = 0
    same: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def import_folder(repository: Store, folder: str, target: str, tell: Tell) -> Imported:
    """All regular files below it; one that is there already with the same bytes is passed by.

    So an import that was interrupted goes on when it is typed again. Links are not followed.
    """
    root, wanted, done = file_at(Path(folder)), named(target), Imported()
    if not root.is_dir():
        raise UsageError(f"{folder} is no folder", hint=f"dayfly files put {folder} {target}")
    prefix = wanted.key if wanted.key.endswith("/") or not wanted.key else f"{wanted.key}/"
    for path in _files(root, done):
        each = Named(bucket=wanted.bucket, key=f"{prefix}{path.relative_to(root)}")
        try:
            _import_one(repository, path, each, done, tell)
        except (OSError, BadNameError) as error:
            done.problems.append(f"{path}: {error}")
    return done


def _import_one(repository: Store, path: Path, wanted: Named, done: Imported, tell: Tell) -> None:
    if _is_there(repository, path, wanted):
        done.same += 1
        return
    with path.open("rb") as file:
        told = _described(wanted, source=str(path.absolute()))
        made = _stored(repository, file, wanted, told, Condition(), lambda _: None)
    done.put, done.bytes = done.put + 1, done.bytes + made.size
    tell(f"{done.put:,} files, {amount(done.bytes)}: {wanted}")


def _is_there(repository: Store, path: Path, wanted: Named) -> bool:
    try:
        found = repository.head(wanted.bucket, wanted.key)
    except NoSuchKeyError:
        return False
    return found.size == path.stat().st_size and found.crc == crc_of(pieces_of(path))


def _files(folder: Path, done: Imported) -> Iterator[Path]:
    for each in files_below(folder):
        if each.is_symlink() or not each.is_file():
            done.problems.append(f"{each}: is no ordinary file, and is left out")
        else:
            yield each


def pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
