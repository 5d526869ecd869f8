"""The app's folder as one machine sees it: the image's files, and places of its own to write.

Files are hard links into the image, so the folder is made in milliseconds, takes no space, and a
path found through `__file__` or the working directory is the machine's own: what the app writes
below `keep`, `writable` or a log folder goes where it belongs, whichever way it looked it up.
Hard links never change owner or mode here, because that would change the image.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from dayfly.machines.machine import MachineError

READ_ONLY = 0o555
WILD = frozenset("*?[")


def log_places(globs: Iterable[str]) -> tuple[str, ...]:
    """What must be writable for these log files: the folder of each, or the file at the top.

    >>> log_places(["log/*.log", "log/old/a.log", "app.log"])
    ('app.log', 'log')
    """
    places = {_log_place(glob) for glob in globs}
    return tuple(sorted(each for each in places if not _inside(each, places - {each})))


def _log_place(glob: str) -> str:
    checked(glob)
    parts = PurePosixPath(glob).parts
    wild = next((at for at, part in enumerate(parts) if WILD & set(part)), len(parts))
    fixed = parts[: min(wild, len(parts) - 1)]
    if fixed:
        return str(PurePosixPath(*fixed))
    if wild < len(parts):
        raise MachineError(
            f"log files {glob!r} lie at the top of the app's folder, which is read-only",
            hint="Let the app write them into a folder, such as log/*.log, or name the one file.",
        )
    return glob


def _inside(path: str, others: Iterable[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(other) for other in others)


def checked(path: str) -> str:
    """A path below the app's folder; MachineError for any other."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise MachineError(f"{path!r} is not a path below the app's folder")
    return path


def lay_out(
    image: Path,
    folder: Path,
    *,
    linked: Mapping[str, Path],
    writable: Iterable[str],
    uid: int | None,
) -> None:
    """Make `folder` from the image; `linked` paths lead elsewhere, `writable` ones are copies."""
    replaced = {str(PurePosixPath(checked(path))) for path in linked}
    own = {str(PurePosixPath(checked(path))) for path in writable} - replaced
    folder.mkdir()
    _link_tree(image, folder, "", replaced | own)
    for path in sorted(own):
        _copy(image / path, folder / path)
    for path, target in linked.items():
        discard(folder / path)  # of a writable folder around it
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(target)
    for path in sorted(own):  # a linked folder around it has lost it, or never had it
        if not (folder / path).exists():
            _copy(image / path, folder / path)
        give(folder / path, uid)
    for directory in _directories(folder, skip={folder / path for path in own}):
        directory.chmod(READ_ONLY)


def _link_tree(source: Path, target: Path, at: str, without: set[str]) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{at}{entry.name}"
            if path in without:
                continue
            if entry.is_dir(follow_symlinks=False):
                (target / entry.name).mkdir()
                _link_tree(source / entry.name, target / entry.name, f"{path}/", without)
            else:
                _link(entry.path, target / entry.name)


def _link(source: str, target: Path) -> None:
    """A copy where the file system can't link: another device, or too many links already."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    elif source.exists():
        shutil.copy2(source, target)
    else:
        target.mkdir()


def _directories(folder: Path, skip: set[Path]) -> Iterator[Path]:
    """Not through links, and not into what is writable."""
    for at, names, _ in os.walk(folder):
        names[:] = [name for name in names if Path(at, name) not in skip]
        yield Path(at)


def give(path: Path, uid: int | None) -> None:
    """Hand a file or folder with all it holds to `uid`, who can write it; None keeps it ours."""
    for each in [
        path,
        *(Path(at, name) for at, names, files in os.walk(path) for name in names + files),
    ]:
        if uid is not None:
            os.lchown(each, uid, uid)
        if not each.is_symlink():
            each.chmod(each.stat().st_mode | (0o700 if each.is_dir() else 0o600))


def enclose(folder: Path, uid: int | None) -> None:
    """Let `uid`, alone in a group of that number, into a folder that stays ours; nobody else."""
    if uid is not None:
        os.chown(folder, -1, uid)
    folder.chmod(0o750)


def give_folder(path: Path, uid: int | None) -> None:
    """A folder that outlives machines: made when missing, handed over when another's."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)  # no other app's business
    if uid is not None and path.stat().st_uid != uid:
        give(path, uid)


def discard(folder: Path) -> None:
    """Remove a folder with all it holds, read-only ones included; a missing one is no error."""
    for at, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(at).chmod(0o700)
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
