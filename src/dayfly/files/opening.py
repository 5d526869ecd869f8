"""An archive opened: its tree, its index, and what earlier processes left."""

import secrets
from pathlib import Path

from dayfly.durable import write_atomically
from dayfly.files import buckets, uploads
from dayfly.files.bench import anybody_else, left_behind, opened_bench
from dayfly.files.catalogue import NAME, Catalogue
from dayfly.files.errors import FilesError, GoneError
from dayfly.files.ground import Ground
from dayfly.files.mount import told as told_mount
from dayfly.files.rebuilding import changes_left, rebuild
from dayfly.files.reconciling import reconcile
from dayfly.files.statements import told
from dayfly.files.system import close_to_others, flocked, made
from dayfly.files.tree import ARCHIVE, SESSION, check_folder, opened_tree

ID, LOCKS = "archive", "locks"


def opened(root: Path, index: Path, reserve: int) -> Ground:
    """One process after the other opens it."""
    known = (index / ID).exists()
    if known and not (root / ".dayfly" / ARCHIVE).exists():
        raise GoneError(
            f"{root}: the archive is not there",
            hint="Mount it again, or bring it back from a copy; nothing was changed.",
        )
    check_folder(root)
    if not index.exists():
        made(index)
        close_to_others(index)
    mount = told_mount(index)
    tree = opened_tree(root, None if mount.exclusive else index / LOCKS)
    with flocked(tree.locks / "opening"):
        catalogue = Catalogue(index / NAME)
        for each in (*index.glob(f"{NAME}*"), index / LOCKS):  # the folder may be anybody's
            close_to_others(each)
        ground = Ground(tree, catalogue, opened_bench(tree), index, reserve, mount)
        try:
            _caught_up(ground)
        except BaseException:
            ground.close()
            raise
    return ground


def _caught_up(ground: Ground) -> None:
    if _followed(ground):
        _recover(ground)
    else:
        alone(ground)
        rebuild(ground)
    if not anybody_else(ground.bench):  # a kill between its two writes would lock others out
        follow(ground)


def _followed(ground: Ground) -> bool:
    """Whether the index was there whenever the tree was changed, and is no older copy."""
    session = ground.tree.inner / SESSION
    return (
        ground.catalogue.about(ID) == ground.tree.archive.id
        and session.exists()
        and session.read_text() == ground.catalogue.about(SESSION)
    )


def follow(ground: Ground) -> None:
    session = secrets.token_hex(8)
    ground.catalogue.commit([told(ID, ground.tree.archive.id), told(SESSION, session)])
    write_atomically(ground.tree.inner / SESSION, session, 0o644)
    write_atomically(ground.index / ID, ground.tree.archive.id, 0o644)
    for path in ground.index.glob("index-*"):
        if not path.name.startswith(NAME):  # of another Dayfly, whose tables are others
            path.unlink()


def alone(ground: Ground) -> None:
    """FilesError where another process has the archive open, with whatever index."""
    if anybody_else(ground.bench):
        raise FilesError(
            f"{ground.tree.root}: another process has the archive open",
            hint="Stop it first, of an environment with `dayfly down`: the index is made anew.",
        )


def _recover(ground: Ground) -> None:
    with left_behind(ground.bench) as changes:
        if changes is None:
            return
        buckets.recover(ground)
        for (bucket, key), each in changes.items():
            found = ground.catalogue.bucket(bucket)
            if found is None:
                continue
            with flocked(ground.tree.key_lock(bucket, key)):
                reconcile(ground, found, key, changes_left(each))
        for there in ground.catalogue.buckets():
            uploads.recover(ground, there.name)
