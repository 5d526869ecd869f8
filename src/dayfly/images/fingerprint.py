"""A name for what a build is made of: the same content is the same name, on any machine."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from dayfly.command import CommandError
from dayfly.images.git import git

KEY_LETTERS = 32


def key_of(*parts: str) -> str:
    """A short name for `parts`; each counts with its length, so that none runs into the next."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode(errors="surrogateescape")
        digest.update(b"%d:" % len(raw) + raw)
    return digest.hexdigest()[:KEY_LETTERS]


def of_source(source: Path) -> str:
    """A checkout: every path with its kind, whether it is executable, and its content.

    Its `.git` counts as far as builds read it: the commit, and the version its tags tell.
    """
    return key_of(of_paths(source, paths_of(source)), _version(source))


def of_paths(tree: Path, paths: Iterable[str]) -> str:
    return key_of(*(part for path in sorted(paths) for part in (path, _content(tree / path))))


def paths_of(source: Path) -> list[str]:
    """All files and links of a checkout, without its `.git`."""
    found = list[str]()
    for folder, folders, files in os.walk(source):
        here = Path(folder)
        if here == source and ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if (here / name).is_symlink()]
        found += (str((here / name).relative_to(source)) for name in [*files, *links])
    return found


def _content(path: Path) -> str:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return f"link {path.readlink()}"
    if not stat.S_ISREG(status.st_mode):
        return "neither file nor link"
    kind = "program" if status.st_mode & stat.S_IXUSR else "file"
    with path.open("rb") as file:
        return f"{kind} {hashlib.file_digest(file, 'sha256').hexdigest()}"


def _version(source: Path) -> str:
    if not (source / ".git").exists():
        return ""
    try:
        commit = git(source, "rev-parse", "HEAD")
        return commit + git(source, "describe", "--tags", "--always", "--long")
    except CommandError:
        return ""  # a repository without a commit tells no version
