"""Look at all of a key on disk, decide what its versions are, and make it so."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dayfly.files.catalogue import Known
from dayfly.files.checksums import OWN, Crc, begun
from dayfly.files.errors import FilesError
from dayfly.files.ground import Ground
from dayfly.files.keys import BESIDE_FOLDER
from dayfly.files.ledger import Statement
from dayfly.files.objects import Bucket, Version, Versioning
from dayfly.files.placing import emptied, placed
from dayfly.files.settling import BY_HAND, Bytes, Place, Seen, Settled, settled
from dayfly.files.statements import replaced, with_change
from dayfly.files.system import (
    Stamp,
    fsync,
    holds,
    linked,
    looked_at,
    looked_at_below,
    made,
    pieces_of,
)
from dayfly.files.tree import Tree, fresh_uid, order_of, read_sidecar, write_sidecar


@dataclass(frozen=True, kw_only=True)
class Left:
    """Uids of changes that were not ended.

    `trust` is for a tree without a catalogue: whatever is described was committed, and a file with
    the size and the time of a version has its bytes.
    """

    interrupted: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    trust: bool = False


NOTHING_LEFT = Left()


def reconcile(ground: Ground, bucket: Bucket, key: str, left: Left = NOTHING_LEFT) -> None:
    """Call it with the lock of the key held."""
    versions = _described(ground, bucket, key)
    before = ground.catalogue.latest(bucket.name, key)
    statements = reconciled(ground, bucket, key, versions, left)
    ground.catalogue.commit(statements)
    after = ground.catalogue.latest(bucket.name, key)
    top = after or before
    if top and (before and before.version) != (after and after.version):
        ground.catalogue.commit([with_change(top.version, _kind(top.version), ground.now())])


def _kind(version: Version) -> str:
    if version.description.provenance.source == BY_HAND:
        return "hand"
    return "marker" if version.marker else "put"


def reconciled(
    ground: Ground, bucket: Bucket, key: str, versions: Sequence[Version], left: Left
) -> list[Statement]:
    """Put right what lies on disk; what the catalogue has to be told. `versions` newest first."""
    ground.tree.check(bucket.name)
    known = ground.catalogue.all_of(bucket.name, key)
    seen = _seen(ground, bucket, key, known, tuple(versions), left)
    highest = max((order_of(each.uid) for each in seen.versions), default=0)
    plan = settled(seen, bucket, lambda: fresh_uid(max(ground.now(), highest + 1)))
    after = _act(ground, bucket, seen, plan)
    before = {each.version.uid: each for each in known}
    current = after[0].uid if after else ""
    stats = [_stat(ground, each, before, left, current=each.uid == current) for each in after]
    return replaced(bucket.name, key, stats)


def _seen(
    ground: Ground,
    bucket: Bucket,
    key: str,
    known: list[Known],
    versions: tuple[Version, ...],
    left: Left,
) -> Seen:
    found = {each.uid: looked_at(ground.tree.kept(each)) for each in versions}
    committed = {each.uid for each in versions} - left.interrupted
    return Seen(
        key=key,
        versions=versions,
        data=_in_place(ground, bucket, key, versions, _stats(known, versions, left)),
        kept={uid: Stamp.of(each).inode for uid, each in found.items() if each},
        committed=committed if left.trust else {each.version.uid for each in known},
        interrupted=left.interrupted,
        gone=left.gone,
    )


def _described(ground: Ground, bucket: Bucket, key: str) -> list[Version]:
    """By the sidecars, newest first; what can't be read is taken from the catalogue."""
    versions = []
    for path in ground.tree.sidecars(bucket.name, key):
        try:
            versions.append(read_sidecar(path))
        except FilesError:
            uid = path.stem.rpartition("-")[2]
            if found := ground.catalogue.of_uid(bucket.name, key, uid):
                versions.append(found.version)
    return sorted(versions, key=lambda each: each.uid, reverse=True)


def _stats(known: list[Known], versions: Iterable[Version], left: Left) -> dict[Stamp, Version]:
    """By which size, time and inode a file is known without being read."""
    stats = {each.stamp: each.version for each in known}
    if left.trust:
        stats |= {Stamp(each.size, each.modified, 0): each for each in versions if not each.marker}
    return stats


def _in_place(
    ground: Ground,
    bucket: Bucket,
    key: str,
    versions: tuple[Version, ...],
    stats: dict[Stamp, Version],
) -> Bytes | None:
    plain, folder = ground.tree.path_of(key), ground.tree.bucket(bucket.name)
    paths = [each.path for each in versions if each.path]
    for path in dict.fromkeys([*paths, plain, plain + BESIDE_FOLDER]):
        found = looked_at_below(folder, path)
        if found:
            size, mtime, inode = stamp = Stamp.of(found)
            same = stats.get(stamp) or stats.get(Stamp(size, mtime, 0))
            if same:
                crc, etag = same.crc, same.etag
            else:
                size, crc, etag = _hashed(folder / path)
            return Bytes(path=path, size=size, mtime=mtime, inode=inode, crc=crc, etag=etag)
    return None


def _hashed(path: Path) -> tuple[int, int, str]:
    own, md5, size = Crc(OWN), begun("MD5"), 0
    for piece in pieces_of(path):
        own.update(piece)
        md5.update(piece)
        size += len(piece)
    return size, own.value, md5.digest().hex()


def _act(ground: Ground, bucket: Bucket, seen: Seen, plan: Settled) -> tuple[Version, ...]:
    tree = ground.tree
    made(tree.shard(bucket.name, seen.key))
    for each in plan.fresh:
        write_sidecar(tree, each, ground.bench.fresh())
    versions = _put_right(ground, seen, plan)
    changed = _drop(tree, bucket, seen, versions)
    top = versions[0] if versions and not versions[0].marker else None
    if top and bucket.versioning is Versioning.ENABLED:
        with suppress(FileNotFoundError):  # lost; whoever opens it is told
            changed |= linked(tree.data(top), tree.kept(top))
    if changed:  # most keys of a rebuild are as they were
        fsync(tree.shard(bucket.name, seen.key))
    return versions


def _drop(tree: Tree, bucket: Bucket, seen: Seen, versions: Sequence[Version]) -> bool:
    """What is none of the versions: also bytes whose sidecar was not written any more."""
    uids = {each.uid for each in seen.versions} | seen.interrupted | seen.gone
    others = uids - {each.uid for each in versions}
    for uid in others:
        version = Version(bucket=bucket.name, key=seen.key, uid=uid)
        tree.sidecar(version).unlink(missing_ok=True)
        tree.kept(version).unlink(missing_ok=True)
    return bool(others)


def _put_right(ground: Ground, seen: Seen, plan: Settled) -> tuple[Version, ...]:
    """Make the file in place what the plan says; the versions, the newest one with its path."""
    tree, data = ground.tree, seen.data
    if plan.place is Place.REMOVED and data:
        emptied(tree, replace(seen.versions[0], path=data.path))
    top = plan.versions[0] if plan.versions else None
    if top is None or top.marker:
        return plan.versions
    path = data.path if data else top.path or tree.path_of(top.key)
    if plan.place is Place.RESTORED:
        fresh = ground.bench.fresh()
        os.link(tree.kept(top), fresh)
        path = placed(tree, replace(top, path=path), fresh).path
    if path != top.path:
        top = replace(top, path=path)
        write_sidecar(tree, top, ground.bench.fresh())
    return (top, *plan.versions[1:])


def _stat(
    ground: Ground, version: Version, known: Mapping[str, Known], left: Left, *, current: bool
) -> Known:
    """The version with the stat of its bytes; with none where these are lost, or others."""
    path = ground.tree.data(version) if current else ground.tree.kept(version)
    found = None if version.marker else looked_at(path)
    if found is None:
        return Known(version)
    stamp = Stamp.of(found)
    fresh = Known(version, stamp.inode, stamp.mtime)
    same = found.st_size == version.size and (
        current
        or known.get(version.uid) == fresh
        or (left.trust and stamp.mtime == version.modified)
        or holds(path, version.crc)
    )
    return fresh if same else Known(version)
