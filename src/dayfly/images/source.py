"""The server's own bare repository of each app: the one way in for source."""

import difflib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dayfly.command import CommandError
from dayfly.images.git import SourceError, git, is_id, is_name

WANTED = "refs/dayfly/wanted"  # in a bundle: the commit that is to be released
RECEIVED = "refs/dayfly/received"  # in our repository: one for each, so that git keeps them
KNOWN_COMMITS = 50
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
LFS_POINTER_BYTES = 1024

_APP = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, kw_only=True)
class Commit:
    id: str
    subject: str
    author: str
    time: float  # seconds since the epoch


@dataclass(frozen=True)
class Sources:
    """One bare repository `APP.git` for each app below `folder`."""

    folder: Path

    def receive(self, app: str, bundle: Path) -> str:
        """Take a git bundle in and return the commit it wants released.

        That is the commit of `refs/dayfly/wanted`, or else of HEAD. Branches move as they moved
        at the sender; what was received before is kept, whatever its branch does.
        """
        repository = self._made(app)
        heads = _heads(repository, bundle)
        wanted = heads.get(WANTED) or heads.get("HEAD")
        if wanted is None:
            raise SourceError(
                "this bundle does not say which commit is wanted",
                hint="make it with: git bundle create FILE HEAD --tags",
            )
        _verify(repository, bundle)
        _fetch(repository, bundle, heads)
        commit = self.resolve(app, wanted)
        git(repository, "update-ref", f"{RECEIVED}/{commit}", commit)
        return commit

    def known(self, app: str) -> tuple[str, ...]:
        """Commits a sender need not send again: those received last, newest first."""
        repository = self._path(app)
        if not repository.is_dir():
            return ()
        newest = ("--sort=-committerdate", f"--count={KNOWN_COMMITS}")
        ids = git(repository, "for-each-ref", *newest, "--format=%(objectname)", RECEIVED)
        return tuple(ids.split())

    def resolve(self, app: str, name: str) -> str:
        """The full id of the commit that a branch, a tag or a short id names."""
        repository = self._there(app)
        if not is_name(name):
            raise SourceError(
                f"{name!r} cannot name a commit", hint="Allowed: a branch, a tag or a commit id."
            )
        try:
            asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            return git(repository, *asked).strip()
        except CommandError as error:
            raise _unknown(repository, app, name) from error

    def describe(self, app: str, commit: str) -> Commit:
        full = self.resolve(app, commit)
        line = git(self._there(app), "log", "-1", "--format=%s%x00%an%x00%ct", full)
        subject, author, seconds = line.rstrip("\n").split("\0")
        return Commit(id=full, subject=subject, author=author, time=float(seconds))

    def read(self, app: str, commit: str, path: str) -> str:
        """The text of one file of a commit."""
        full = self.resolve(app, commit)
        try:
            return git(self._there(app), "cat-file", "blob", f"{full}:{_inside(path)}")
        except CommandError as error:
            raise SourceError(
                f"commit {full[:12]} of {app} has no file {path}",
                hint=f"Add {path} to the repository, commit it, and release that commit.",
            ) from error

    def export(self, app: str, commit: str, to: Path) -> None:
        """Check a commit out into the new folder `to`, as it was committed.

        Its `.git` has the history and the tags, so that tools can read the version; modification
        times are the commit's. Submodules and Git-LFS files are refused: their content is
        elsewhere.
        """
        repository = self._there(app)
        about = self.describe(app, commit)
        _refuse_submodules(repository, about.id)
        with _removed_on_failure(to):
            # Objects are hard-linked: quick for any history, and git never writes into one.
            git(repository, "clone", "-q", "--no-checkout", "--template=", ".", str(to))
            git(to, "remote", "remove", "origin")
            _check_out(to, about.id)
            _refuse_lfs(to)
            _set_times(to, about.time)
            git(to, "update-index", "-q", "--refresh")

    def _path(self, app: str) -> Path:
        if not _APP.fullmatch(app):
            raise SourceError(
                f"{app!r} cannot name an app", hint="Allowed: lower case letters, digits, hyphens."
            )
        return self.folder / f"{app}.git"

    def _there(self, app: str) -> Path:
        path = self._path(app)
        if not path.is_dir():
            raise SourceError(
                f"nothing of {app} was received yet", hint="Send a commit with: dayfly release"
            )
        return path

    def _made(self, app: str) -> Path:
        path = self._path(app)
        if not path.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(f".new-{os.getpid()}")
            shutil.rmtree(new, ignore_errors=True)
            git(self.folder, "init", "-q", "--bare", "--template=", "-b", "main", str(new))
            new.rename(path)
        return path


def _heads(repository: Path, bundle: Path) -> dict[str, str]:
    try:
        listed = git(repository, "bundle", "list-heads", str(bundle.absolute()))
    except CommandError as error:
        raise SourceError("this is not a git bundle", hint=error.tail) from error
    heads = dict[str, str]()
    for line in listed.splitlines():
        commit, _, name = line.partition(" ")
        if not is_id(commit) or not is_name(name):
            raise SourceError(f"the bundle names {name!r}, which is no reference of git")
        heads[name] = commit
    return heads


def _verify(repository: Path, bundle: Path) -> None:
    try:
        git(repository, "bundle", "verify", "-q", str(bundle.absolute()))
    except CommandError as error:
        raise SourceError(
            "this bundle builds on commits that the server does not have",
            hint=f"Send it again, whole.\n{error.tail}",
        ) from error


def _fetch(repository: Path, bundle: Path, heads: dict[str, str]) -> None:
    wanted = WANTED if WANTED in heads else "HEAD"
    refs = (f"+{wanted}:{WANTED}", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    words = ("-c", "gc.auto=0", "fetch", "-q", "--no-tags", str(bundle.absolute()), *refs)
    try:
        git(repository, *words)
    except CommandError:
        # `feature` may have become `feature/x` at the sender: our branches are copies, begin anew.
        _forget_branches(repository)
        try:
            git(repository, *words)
        except CommandError as error:
            raise SourceError("this bundle cannot be taken in", hint=error.tail) from error


def _forget_branches(repository: Path) -> None:
    for name in git(repository, "for-each-ref", "--format=%(refname)", "refs/heads").splitlines():
        git(repository, "update-ref", "-d", name)


def _unknown(repository: Path, app: str, name: str) -> SourceError:
    listed = ("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    there = git(repository, *listed).splitlines()
    near = difflib.get_close_matches(name, there, n=3) or there[-5:]
    return SourceError(
        f"{app} has no commit, branch or tag {name!r}",
        hint=f"There are: {', '.join(near)}" if near else "",
    )


def _inside(path: str) -> PurePosixPath:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise SourceError(f"{path!r} is no path inside a repository")
    return pure


def _refuse_submodules(repository: Path, commit: str) -> None:
    for entry in git(repository, "ls-tree", "-r", "-z", commit).split("\0"):
        about, _, path = entry.partition("\t")
        if about.startswith("160000 "):
            raise SourceError(
                f"commit {commit[:12]} contains the submodule {path}",
                hint="Dayfly does not fetch other repositories: commit the files themselves "
                "(git subtree), or install it as a package.",
            )


def _check_out(to: Path, commit: str) -> None:
    as_committed = ("core.autocrlf=false", "core.symlinks=true", "advice.detachedHead=false")
    settings = [word for setting in as_committed for word in ("-c", setting)]
    git(to, *settings, "checkout", "-q", "--detach", commit)


def _refuse_lfs(to: Path) -> None:
    for path in _worktree(to):
        if path.is_symlink() or not path.is_file() or path.stat().st_size >= LFS_POINTER_BYTES:
            continue
        if path.read_bytes().startswith(LFS_POINTER):
            raise SourceError(
                f"{path.relative_to(to)} is a Git-LFS pointer, its content is elsewhere",
                hint="Commit the file itself (git lfs migrate export), or get it in a build step.",
            )


def _set_times(to: Path, seconds: float) -> None:
    for path in _worktree(to):
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def _worktree(to: Path) -> Iterator[Path]:
    """Everything but `.git`, what a folder holds before the folder."""
    for folder, folders, files in os.walk(to, topdown=False):
        if (to / ".git") in (Path(folder), *Path(folder).parents):
            continue
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        yield from (Path(folder) / name for name in [*files, *links])
        yield Path(folder)


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    done = False
    try:
        yield
        done = True
    except CommandError as error:
        raise SourceError(f"cannot check out into {folder}", hint=error.tail) from error
    finally:
        if not done:
            shutil.rmtree(folder, ignore_errors=True)
