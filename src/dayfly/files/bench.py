"""Where one process works: bytes that arrive, and the changes it has under way.

The folder is locked as long as the process lives. What lies in that of a process that is gone is
either bytes that nobody has seen, or the copy of a sidecar: a change that was interrupted.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dayfly.files.errors import FilesError
from dayfly.files.objects import Version
from dayfly.files.system import fsync, linked, made, try_flock, write_durably
from dayfly.files.tree import Tree, read_sidecar

PUT, GONE, SET = ".put", ".gone", ".set"


@dataclass(frozen=True)
class Bench:
    folder: Path
    held: int  # descriptor of its lock
    tree: Tree

    def fresh(self) -> Path:
        return self.folder / secrets.token_hex(12)

    @contextmanager
    def under_way(
        self, version: Version, kind: str, undo: Callable[[], None], sidecar: Path | None = None
    ) -> Iterator[Path]:
        """A copy of the sidecar of a change, on disk until the change is done, or undone.

        Of a sidecar that is there the copy is a hard link: a full disk can be made emptier.
        """
        path = self.folder / f"{version.uid}{kind}"
        if not sidecar or not _named(sidecar, path):
            write_durably(path, msgspec.json.encode(version))
        try:
            yield path
        except BaseException:
            undo()  # where this fails as well, the copy stays for the next start
            path.unlink()
            raise
        path.unlink()

    def close(self) -> None:
        os.close(self.held)
        _forget(self.tree, self.folder)


def _named(sidecar: Path, path: Path) -> bool:
    try:
        linked(sidecar, path)
    except FileNotFoundError:
        return False
    fsync(path.parent)
    return True


def opened_bench(tree: Tree) -> Bench:
    """Call it, and `left_behind`, with the lock of opening held."""
    folder = tree.inner / "staging" / secrets.token_hex(8)
    made(folder)
    held = try_flock(tree.lock_in(folder))
    if held is None:
        raise FilesError(f"{folder}: somebody else has locked it")
    return Bench(folder, held, tree)


def _forget(tree: Tree, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    tree.lock_in(folder).unlink(missing_ok=True)


Changes = Mapping[tuple[str, str], Sequence[tuple[str, str]]]  # by bucket and key: uid and kind


@contextmanager
def left_behind(own: Bench) -> Iterator[Changes | None]:
    """What processes that are gone had under way; forgotten when all of it is taken care of.

    None where all of them ended in order.
    """
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    folders = []
    with ExitStack() as stack:
        for folder in _others(own):
            held = try_flock(own.tree.lock_in(folder))
            if held is not None:
                stack.callback(os.close, held)
                folders.append(folder)
                _read(folder, found)
        yield found if folders else None
        for folder in folders:
            shutil.rmtree(folder)
            own.tree.lock_in(folder).unlink(missing_ok=True)


def anybody_else(own: Bench) -> bool:
    """Whether another process has the archive open."""
    return _any_live(own.tree, _others(own))


def anybody(tree: Tree) -> bool:
    return _any_live(tree, (tree.inner / "staging").iterdir())


def _any_live(tree: Tree, folders: Iterable[Path]) -> bool:
    for folder in folders:
        held = try_flock(tree.lock_in(folder))
        if held is None:
            return True
        os.close(held)
    return False


def _others(own: Bench) -> list[Path]:
    return [each for each in sorted(own.folder.parent.iterdir()) if each != own.folder]


def _read(folder: Path, found: dict[tuple[str, str], list[tuple[str, str]]]) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix in {PUT, GONE, SET}:
            try:
                version = read_sidecar(path)
            except FilesError:
                continue  # it did not get to the disk, so the change was not begun
            changes = found.setdefault((version.bucket, version.key), [])
            changes.append((version.uid, path.suffix))
