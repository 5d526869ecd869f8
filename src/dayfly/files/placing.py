"""The file of a key in the tree: put in place, taken away, beside what has its name already."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.files.errors import FilesError
from dayfly.files.keys import BESIDE_FILE, BESIDE_FOLDER
from dayfly.files.objects import Version
from dayfly.files.system import Stamp, fsync, opened_folder
from dayfly.files.tree import Tree

_ATTEMPTS = 100  # others remove folders that are empty, and put files where folders were to be


@dataclass(frozen=True)
class Placed:
    path: str
    inode: int
    mtime: int


def chosen(tree: Tree, bucket: str, path: str) -> str:
    """A path that a file can be put at; its folders are there, for the moment."""
    tree.check(bucket)
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError, NotADirectoryError):
            return _chosen(tree, bucket, path)
    raise FilesError(f"{tree.bucket(bucket) / path}: the folder does not stay")


def _chosen(tree: Tree, bucket: str, path: str) -> str:
    *folders, name = path.split("/")
    at, names = tree.bucket(bucket), list[str]()
    for each in folders:
        names.append(_entered(at, each))
        at /= names[-1]
    return "/".join([*names, name + BESIDE_FOLDER if _is_folder(at / name) else name])


def _entered(at: Path, name: str) -> str:
    for each in (name, name + BESIDE_FILE):
        try:
            (at / each).mkdir()
        except FileExistsError:
            if not _is_folder(at / each):
                continue
        else:
            fsync(at)
        return each
    raise FilesError(f"{at / name}: is a file, and so is {name}{BESIDE_FILE}")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def placed(tree: Tree, version: Version, bytes_at: Path) -> Placed:
    """Rename the bytes into place; readers find the ones before or these.

    A hand that moves them, or their folder, at that moment does so just after.
    """
    at = tree.bucket(version.bucket)
    stamp = Stamp.of(bytes_at.lstat())
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
            path = chosen(tree, version.bucket, version.path)
            with opened_folder((at / path).parent) as folder:
                os.rename(bytes_at, (at / path).name, dst_dir_fd=folder)
                os.fsync(folder)
            return Placed(path, stamp.inode, stamp.mtime)
    raise FilesError(f"{at / version.path}: the folder does not stay")


def emptied(tree: Tree, version: Version) -> None:
    """Take the file away, and the folders that it leaves empty."""
    tree.check(version.bucket)
    path, bucket = tree.data(version), tree.bucket(version.bucket)
    path.unlink(missing_ok=True)
    with suppress(OSError):  # somebody puts a file there, or took the folder away already
        fsync(path.parent)
        for folder in path.parents:
            if folder == bucket:
                break
            folder.rmdir()
