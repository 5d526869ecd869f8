"""What was deleted or replaced for good stays a while, where a bucket is set so.

Nothing is written for it: the bytes get one more name, and the sidecar as well, whose time says
since when it is there. So a full disk does not hinder deletions.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dayfly.clock import SECOND
from dayfly.files.changing import put
from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.errors import FilesError, NoSuchVersionError
from dayfly.files.ground import Ground
from dayfly.files.objects import Bucket, Provenance, Trashed, Version
from dayfly.files.opened import Opened
from dayfly.files.staging import Staged
from dayfly.files.tree import SIDECAR, read_sidecar


def listed(ground: Ground, bucket: str) -> Sequence[Trashed]:
    found = []
    for path in ground.tree.trash(bucket).glob(f"*{SIDECAR}"):
        with suppress(FileNotFoundError):  # emptied just now
            since = path.stat().st_mtime_ns
            found.append(Trashed(version=read_sidecar(path), since=since))
    return sorted(found, key=lambda each: (each.since, each.version.uid), reverse=True)


def restore(
    ground: Ground,
    trashed: Trashed,
    condition: Condition = ALWAYS,
    by: Provenance | None = None,
) -> Version:
    version = trashed.version
    path = ground.tree.trash(version.bucket) / version.uid
    if not path.exists():
        raise NoSuchVersionError(f"{version.bucket}/{version.key}: is not in the trash any more")
    with ground.guarded(version.bucket):
        staged = Staged(version.bucket, ground.bench.fresh())
    try:
        opened = Opened(version, os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        with opened:
            for piece in opened.pieces():
                staged.write(piece)
        if staged.crc != version.crc:
            raise FilesError(f"{path}: is damaged")
        told = version.description
        told = replace(told, restored_from=version.id, provenance=by or told.provenance)
        return put(ground, staged, version.key, told, condition)
    finally:
        staged.discard()


def empty(ground: Ground, bucket: Bucket, seconds: float | None = None) -> int:
    """Of what lies there longer than that, or than the bucket keeps it; how much it was."""
    kept = bucket.trash_seconds if seconds is None else seconds
    oldest = ground.now() - round(kept * SECOND)
    gone = [each.version for each in listed(ground, bucket.name) if each.since < oldest]
    for each in gone:
        remove(ground.tree.trash(bucket.name), each)
    return len(gone)


def remove(folder: Path, version: Version) -> None:
    for name in (f"{version.uid}{SIDECAR}", version.uid):
        (folder / name).unlink(missing_ok=True)
