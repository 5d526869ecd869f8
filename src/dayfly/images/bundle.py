"""The sender's side: one commit of a working tree as a bundle for the server."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dayfly.command import CommandError
from dayfly.images.git import SourceError, git, is_id
from dayfly.images.source import WANTED

_STRANGER = ("-c", "user.name=Dayfly", "-c", "user.email=dayfly@localhost")


def bundle(worktree: Path, ref: str, known: Sequence[str], to: Path) -> str:
    """Write a bundle of the commit `ref` names, with its tags, to `to`; return the commit's id.

    It is thin against those of the `known` commits that are here too. Made in a repository of its
    own that borrows our objects, so nothing of the working tree's repository changes.
    """
    commit = _commit_of(worktree, ref)
    _refuse_shallow(worktree)
    refs = {WANTED: commit, **_branch(worktree, ref, commit), **_tags(worktree, commit)}
    with tempfile.TemporaryDirectory(prefix="dayfly-bundle-") as folder:
        borrowing = Path(folder)
        _borrow(worktree, borrowing, refs)
        without = _excluded(borrowing, commit, [name for name in known if is_id(name)])
        made = borrowing / "made.bundle"
        git(
            borrowing,
            "bundle",
            "create",
            "-q",
            str(made),
            *refs,
            *(f"^{there}" for there in without),
        )
        _with_all_refs(made, refs, to)
    return commit


def uncommitted(worktree: Path) -> tuple[str, ...]:
    """Paths that differ from the commit checked out: changed, added, removed, untracked."""
    entries = iter(_asked(worktree, "status", "--porcelain=v1", "-z").split("\0"))
    paths = list[str]()
    for entry in entries:
        if entry:
            paths.append(entry[3:])
            if "R" in entry[:2] or "C" in entry[:2]:
                paths.append(next(entries))
    return tuple(sorted(paths))


def commit_dirty(worktree: Path, message: str) -> str:
    """A commit of the working tree as it is; branch, index and files stay untouched."""
    with tempfile.TemporaryDirectory(prefix="dayfly-index-") as folder:
        index = Path(folder, "index")
        theirs = Path(worktree, _asked(worktree, "rev-parse", "--git-path", "index").strip())
        if theirs.is_file():
            shutil.copy2(theirs, index)  # knows what is unchanged, which makes `add` quick
        in_index = (f"GIT_INDEX_FILE={index}",)
        top = Path(_asked(worktree, "rev-parse", "--show-toplevel").rstrip("\n"))
        _asked(top, "add", "--all", variables=in_index)
        tree = _asked(top, "write-tree", variables=in_index).strip()
    commit = ("commit-tree", "-p", "HEAD", "-m", message, tree)
    return _asked(worktree, *_identity(worktree), *commit).strip()


def _asked(worktree: Path, *words: str, variables: Sequence[str] = ()) -> str:
    try:
        return git(worktree, *words, users=True, variables=variables)
    except CommandError as error:
        if "not a git repository" in error.tail:
            raise SourceError(
                f"{worktree} is not in a git repository",
                hint="What is released is always a commit: git init, git add, git commit.",
            ) from error
        raise SourceError(f"git {words[0]} failed in {worktree}", hint=error.tail) from error


def _identity(worktree: Path) -> tuple[str, ...]:
    try:
        git(worktree, "var", "GIT_COMMITTER_IDENT", users=True)
    except CommandError:
        return _STRANGER
    return ()


def _commit_of(worktree: Path, ref: str) -> str:
    _asked(worktree, "rev-parse", "--git-dir")
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    try:
        return git(worktree, *words, users=True).strip()
    except CommandError as error:
        raise SourceError(
            f"{ref!r} names no commit here", hint="Commit first, or see: git log --all --oneline"
        ) from error


def _refuse_shallow(worktree: Path) -> None:
    if _asked(worktree, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise SourceError(
            "this clone is shallow: its history is cut off, and the server could not read it",
            hint="Fetch the rest first: git fetch --unshallow --tags",
        )


def _branch(worktree: Path, ref: str, commit: str) -> dict[str, str]:
    named = _asked(worktree, "rev-parse", "--symbolic-full-name", "--end-of-options", ref)
    name = named.splitlines()[-1] if named.strip() else ""
    return {name: commit} if name.startswith("refs/heads/") else {}


def _tags(worktree: Path, commit: str) -> dict[str, str]:
    words = ("for-each-ref", "--format=%(objectname) %(refname)", "--merged", commit, "refs/tags")
    pairs = (line.split(" ", 1) for line in _asked(worktree, *words).splitlines())
    return {name: commit for commit, name in pairs}


def _borrow(worktree: Path, borrowing: Path, refs: dict[str, str]) -> None:
    git(borrowing, "init", "-q", "--bare", "--template=")
    objects = _asked(worktree, "rev-parse", "--git-path", "objects").strip()
    theirs = Path(worktree, objects).resolve()
    (borrowing / "objects" / "info").mkdir(exist_ok=True)
    (borrowing / "objects" / "info" / "alternates").write_text(f"{theirs}\n")
    _write_refs(borrowing, refs)


def _write_refs(repository: Path, refs: dict[str, str]) -> None:
    lines = "".join(f"{refs[name]} {name}\n" for name in sorted(refs))
    (repository / "packed-refs").write_text(f"# pack-refs with: sorted\n{lines}")


def _excluded(borrowing: Path, commit: str, known: Sequence[str]) -> tuple[str, ...]:
    """What need not be sent. Never `commit` itself, as git makes no empty bundle."""
    listed = git(borrowing, "rev-list", "--no-walk", "--ignore-missing", *known) if known else ""
    refs = (borrowing / "packed-refs").read_text()
    shared = {f"refs/known/{there}": there for there in listed.split()}
    if not shared:
        return ()
    _write_refs(borrowing, shared)
    words = ("for-each-ref", "--format=%(objectname)", "--contains", commit, "refs/known")
    contain_it = set(git(borrowing, *words).split())
    (borrowing / "packed-refs").write_text(refs)
    before = git(borrowing, "rev-list", "-1", "--parents", commit).split()[1:] if contain_it else []
    return (*(set(shared.values()) - contain_it), *before)


def _with_all_refs(made: Path, refs: dict[str, str], to: Path) -> None:
    """Git leaves out a tag whose commit need not be sent: name it in the header all the same."""
    with made.open("rb") as source, to.open("wb") as target:
        header = list(iter(source.readline, b"\n"))
        named = {line.split(b" ", 1)[1].rstrip(b"\n") for line in header if line[:1].isalnum()}
        missing = (f"{refs[name]} {name}\n".encode() for name in refs if name.encode() not in named)
        target.writelines([*header, *missing, b"\n"])
        shutil.copyfileobj(source, target)
