"""All bytes read and compared with what was put; what is damaged is repaired where a copy is whole.

A file whose time or size changed was changed by a hand: it is taken in as always, and told.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import msgspec

from dayfly.files import buckets
from dayfly.files.catalogue import Known
from dayfly.files.checksums import crc_of
from dayfly.files.errors import LostError
from dayfly.files.ground import Ground
from dayfly.files.holding import Holding, holding
from dayfly.files.objects import Bucket, Version, Versioning
from dayfly.files.placing import placed
from dayfly.files.system import Stamp, copied, fsync, holds, linked, looked_at
from dayfly.files.tree import write_sidecar
from dayfly.files.uploads import damaged_parts

Copies = Callable[[Version], Path | None]  # where another copy of the bytes may lie


class Kind(StrEnum):
    DAMAGED = "damaged"  # other bytes than were put
    MISSING = "missing"  # no bytes
    CHANGED = "changed by hand"
    DESCRIPTION = "description damaged"
    PART = "part damaged"
    FOLDER = "folder missing"  # of the bucket, of which nothing was read then


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`repaired`: it is again as it was put."""

    bucket: str
    key: str
    id: str
    kind: Kind
    repaired: bool = False


def no_copies(_: Version) -> Path | None:
    return None


def scrub(ground: Ground, bucket: Bucket, copies: Copies = no_copies) -> Iterator[Finding]:
    """One finding after the other, while the archive goes on working."""
    if not _has_document(ground, bucket):
        buckets.write_again(ground, bucket.name)
        yield Finding(bucket=bucket.name, key="", id="", kind=Kind.DESCRIPTION, repaired=True)
    for key in ground.catalogue.every_key(bucket.name):
        yield from _scrubbed(ground, bucket, key, copies)
    for upload, part in damaged_parts(ground, bucket.name):
        yield Finding(bucket=bucket.name, key=upload.key, id=f"{upload.id}/{part}", kind=Kind.PART)


def _has_document(ground: Ground, bucket: Bucket) -> bool:
    path = ground.tree.document(bucket.name)
    return path.is_file() and path.read_bytes() == msgspec.json.encode(bucket)


def _scrubbed(ground: Ground, bucket: Bucket, key: str, copies: Copies) -> Iterator[Finding]:
    for known in ground.catalogue.all_of(bucket.name, key):
        wrong = _wrong(ground, known)
        if wrong:
            with holding(ground, bucket.name, key, look=False) as held:
                yield from _confirmed(held, known, copies)


def _wrong(ground: Ground, known: Known) -> bool:
    """Without a lock: it may also be that somebody changes the key just now."""
    version = known.version
    return not _is_described(ground, version) or (
        not version.marker and _state(ground, known) is not None
    )


def _is_described(ground: Ground, version: Version) -> bool:
    """Byte for byte: a name of a field that is damaged would only be passed over."""
    path = ground.tree.sidecar(version)
    return path.is_file() and holds(path, crc_of([msgspec.json.encode(version)]))


def _places(ground: Ground, version: Version) -> list[Path]:
    """Where its bytes have to be."""
    latest = ground.catalogue.latest(version.bucket, version.key)
    current = latest is not None and latest.version.uid == version.uid
    enabled = ground.bucket(version.bucket).versioning is Versioning.ENABLED
    places = [ground.tree.data(version)] if current else []
    if not current or (enabled and not version.null):
        places.append(ground.tree.kept(version))
    return places


def _state(ground: Ground, known: Known) -> Kind | None:
    data = ground.tree.data(known.version)
    for path in _places(ground, known.version):
        kind = _state_at(path, known, in_place=path == data)
        if kind:
            return kind
    return None


def _state_at(path: Path, known: Known, *, in_place: bool) -> Kind | None:
    found, version = looked_at(path), known.version
    if found is None:
        return Kind.MISSING
    if found.st_size == version.size and holds(path, version.crc):
        return None
    same = Stamp.of(found)[:2] == known.stamp[:2]
    return Kind.CHANGED if in_place and not same else Kind.DAMAGED


def _confirmed(held: Holding, known: Known, copies: Copies) -> Iterator[Finding]:
    """With the lock held, what is wrong is wrong."""
    ground, version = held.ground, known.version
    now = ground.catalogue.of_uid(version.bucket, version.key, version.uid)
    if now is None:
        return
    version = now.version
    told = Finding(bucket=version.bucket, key=version.key, id=version.id, kind=Kind.DESCRIPTION)
    if not _is_described(ground, version):
        write_sidecar(ground.tree, version, ground.bench.fresh())
        yield replace(told, repaired=True)
    kind = None if version.marker else _state(ground, now)
    if kind is Kind.CHANGED:
        held.settle()
        yield replace(told, kind=kind)
    elif kind:
        repaired = _repaired(held, now, copies)
        if not repaired and kind is Kind.MISSING:
            held.settle()  # as if a hand had deleted it
        yield replace(told, kind=kind, repaired=repaired)


def _repaired(held: Holding, known: Known, copies: Copies) -> bool:
    ground, version = held.ground, known.version
    places = _places(ground, version)
    for path in [*places, ground.tree.kept(version), copies(version)]:
        if path is None or looked_at(path) is None:
            continue
        fresh = ground.bench.fresh()
        with suppress(LostError):  # this place is the damaged one
            if copied(path, fresh) == (version.size, version.crc):
                _into(held, version, fresh, places)
                return True
        fresh.unlink()
    return False


def _into(held: Holding, version: Version, whole: Path, places: Sequence[Path]) -> None:
    """Put whole bytes wherever those of a version have to be."""
    tree = held.ground.tree
    os.utime(whole, ns=(version.modified, version.modified))
    if tree.kept(version) in places:
        fresh = held.ground.bench.fresh()
        linked(whole, fresh)
        fresh.replace(tree.kept(version))
        fsync(tree.kept(version).parent)
    if tree.data(version) in places:
        found = placed(tree, version, whole)
        version = replace(version, path=found.path)
    whole.unlink(missing_ok=True)
    stamp = Stamp.of(places[0].stat())
    held.tell(Known(version, stamp.inode, stamp.mtime))
