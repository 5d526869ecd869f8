"""The index made anew from the tree alone."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from dayfly.files import uploads
from dayfly.files.bench import GONE, PUT, Changes, left_behind
from dayfly.files.errors import FilesError
from dayfly.files.ground import Ground
from dayfly.files.ledger import Statement
from dayfly.files.objects import Bucket, Lease, Version
from dayfly.files.reconciling import Left, reconciled
from dayfly.files.statements import emptied, with_bucket, with_lease
from dayfly.files.surveying import survey
from dayfly.files.tree import SIDECAR, read_sidecar
from dayfly.stored import read_json

_TOGETHER = 1000  # statements of one commit


def changes_left(changes: Iterable[tuple[str, str]], *, trust: bool = False) -> Left:
    told = list(changes)
    return Left(
        interrupted=frozenset(uid for uid, kind in told if kind == PUT),
        gone=frozenset(uid for uid, kind in told if kind == GONE),
        trust=trust,
    )


def rebuild(ground: Ground) -> None:
    """Nobody else has the archive open."""
    ground.catalogue.commit(emptied())
    with left_behind(ground.bench) as changes:
        for path in sorted((ground.tree.inner / "buckets").glob(f"[!.]*{SIDECAR}")):
            bucket = read_json(path, Bucket)
            ground.catalogue.commit(with_bucket(bucket))
            _in_portions(ground, _versions(ground, bucket, changes or {}))
            _in_portions(ground, uploads.read(ground, bucket.name))
            _in_portions(ground, _leases(ground, bucket))
            survey(ground, bucket)


def _leases(ground: Ground, bucket: Bucket) -> Iterator[Statement]:
    for path in ground.tree.leases(bucket.name).glob(f"[!.]*{SIDECAR}"):
        yield with_lease(read_json(path, Lease))


def _in_portions(ground: Ground, statements: Iterable[Statement]) -> None:
    waiting: list[Statement] = []
    for each in statements:
        waiting.append(each)
        if len(waiting) >= _TOGETHER:
            ground.catalogue.commit(waiting)
            waiting = []
    ground.catalogue.commit(waiting)


def _versions(ground: Ground, bucket: Bucket, changes: Changes) -> Iterator[Statement]:
    shards = ground.tree.shards(bucket.name)
    for shard in sorted(shards.iterdir()) if shards.is_dir() else []:
        found = sorted(_described(shard), key=lambda each: (each.key, each.uid), reverse=True)
        for key, versions in groupby(found, key=lambda each: each.key):
            left = changes_left(changes.get((bucket.name, key), ()), trust=True)
            yield from reconciled(ground, bucket, key, list(versions), left)


def _described(shard: Path) -> Iterator[Version]:
    for path in shard.glob(f"*{SIDECAR}"):
        try:
            yield read_sidecar(path)
        except FilesError:
            continue  # the bytes in place are taken in as if a hand had put them
