"""Buckets: begun, set, and deleted when nothing is in them."""

import re
from collections.abc import Callable
from dataclasses import replace

import msgspec

from dayfly.durable import write_atomically
from dayfly.files import lease, tokens, trash
from dayfly.files.errors import BadNameError, BucketExistsError, BucketNotEmptyError, FilesError
from dayfly.files.ground import Ground
from dayfly.files.objects import Bucket, Versioning
from dayfly.files.statements import with_bucket, without_bucket
from dayfly.files.system import cleared, files_below, flocked, fsync, made, translated
from dayfly.files.tree import SIDECAR
from dayfly.stored import read_json

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or _ADDRESS.fullmatch(name):
        raise BadNameError(
            f"{name!r}: no name for a bucket",
            hint="3 to 63 small letters, digits, hyphens and dots, which stand alone.",
        )


def create(ground: Ground, name: str, owner: str, *, object_lock: bool) -> Bucket:
    check_name(name)
    tree = ground.tree
    versioning = Versioning.ENABLED if object_lock else Versioning.NEVER
    fresh = Bucket(
        name=name,
        owner=owner,
        created=ground.now(),
        versioning=versioning,
        object_lock=object_lock,
    )
    with translated(tree.bucket(name)), flocked(tree.bucket_lock(name)):
        found = ground.catalogue.bucket(name)
        if found:
            raise BucketExistsError(f"{name}: is there already", owner=found.owner)
        for folder in (tree.bucket(name), tree.shards(name), tree.uploads(name)):
            made(folder)
        _write(ground, fresh)
    return fresh


def _write(ground: Ground, bucket: Bucket) -> None:
    write_atomically(ground.tree.document(bucket.name), msgspec.json.encode(bucket), 0o644)
    ground.catalogue.commit(with_bucket(bucket))


def change(ground: Ground, name: str, changed: Callable[[Bucket], Bucket]) -> Bucket:
    ground.bucket(name)
    tree = ground.tree
    with translated(tree.bucket(name)), flocked(tree.bucket_lock(name)):
        before = ground.bucket(name)
        after = changed(before)
        if after != before:
            _write(ground, after)
    return after


def write_again(ground: Ground, name: str) -> None:
    """What is set about a bucket, out of the index."""
    with flocked(ground.tree.bucket_lock(name)):
        _write(ground, ground.bucket(name))


def with_versioning(bucket: Bucket, state: Versioning) -> Bucket:
    if state is Versioning.NEVER and bucket.versioning is not state:
        raise FilesError(f"{bucket.name}: versioning can be suspended, but not be undone")
    if bucket.object_lock and state is not Versioning.ENABLED:
        raise FilesError(f"{bucket.name}: has object lock, which needs versioning")
    return replace(bucket, versioning=state)


def with_object_lock(bucket: Bucket) -> Bucket:
    if bucket.versioning is not Versioning.ENABLED:
        raise FilesError(f"{bucket.name}: object lock needs versioning, which is not enabled")
    return replace(bucket, object_lock=True)


def with_limits(bucket: Bucket, quota: int | None, trash_seconds: int | None) -> Bucket:
    return replace(
        bucket,
        quota=bucket.quota if quota is None else quota,
        trash_seconds=bucket.trash_seconds if trash_seconds is None else trash_seconds,
    )


def with_document(bucket: Bucket, document: str, text: str | None) -> Bucket:
    settings = {name: each for name, each in bucket.settings.items() if name != document}
    if text is not None:
        settings[document] = text
    return replace(bucket, settings=settings)


def delete(ground: Ground, name: str) -> None:
    ground.bucket(name)
    tree = ground.tree
    with translated(tree.bucket(name)), flocked(tree.bucket_lock(name)):
        ground.bucket(name)
        if not ground.catalogue.empty(name) or _holds_files(ground, name):
            raise BucketNotEmptyError(f"{name}: is not empty")
        _check_trash(ground, ground.bucket(name))
        for running in ground.catalogue.leases(name, ground.now()):
            raise lease.held(running)
        tree.document(name).unlink(missing_ok=True)
        fsync(tree.document(name).parent)
        _forget(ground, name)


def _check_trash(ground: Ground, bucket: Bucket) -> None:
    """What can be restored is not gone at once because its bucket goes."""
    trash.empty(ground, bucket)  # what is kept no longer
    left = len(trash.listed(ground, bucket.name))
    if left:
        raise BucketNotEmptyError(
            f"{bucket.name}: its trash holds what can be restored: {left} versions",
            hint=f"dayfly files trash empty {bucket.name}",
        )


def _forget(ground: Ground, name: str) -> None:
    ground.catalogue.commit(without_bucket(name))
    tree = ground.tree
    tokens.outlive(tree, name)
    places = (tree.bucket, tree.shards, tree.uploads, tree.trash)
    for folder in [place(name) for place in places]:
        cleared(folder)


def recover(ground: Ground) -> None:
    """After a crash: buckets are those whose documents are there, and as these have them."""
    documents = ground.tree.inner / "buckets"
    known = {bucket.name for bucket in ground.catalogue.buckets()}
    for name in known | {path.stem for path in documents.glob(f"[!.]*{SIDECAR}")}:
        with flocked(ground.tree.bucket_lock(name)):
            document = ground.tree.document(name)
            if document.exists():
                ground.catalogue.commit(with_bucket(read_json(document, Bucket)))
            elif name in known:
                _forget(ground, name)


def _holds_files(ground: Ground, name: str) -> bool:
    """Whether a hand put something in that nobody has asked for yet."""
    return any(files_below(ground.tree.bucket(name)))
