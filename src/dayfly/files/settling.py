"""What the versions of a key are, by what lies on disk: after a crash, or after a hand was in.

A change puts its sidecar first and the bytes in place last, so bytes that are in place finish it,
and a sidecar whose bytes are not is undone, unless the catalogue has it already.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum

from dayfly.files.objects import Bucket, Description, Provenance, Version, Versioning

BY_HAND = "by hand"


@dataclass(frozen=True, kw_only=True)
class Bytes:
    """The file that is in place for a key."""

    path: str
    size: int
    mtime: int
    inode: int
    crc: int
    etag: str = ""

    def are_of(self, version: Version) -> bool:
        return not version.marker and (version.size, version.crc) == (self.size, self.crc)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """`versions` by their sidecars, newest first; `kept` are the inodes of bytes kept aside.

    `committed` are uids that the catalogue has. `interrupted` and `gone` are of changes whose
    process is gone, the latter of deletions.
    """

    key: str
    versions: tuple[Version, ...]
    data: Bytes | None
    kept: Mapping[str, int]
    committed: AbstractSet[str]
    interrupted: AbstractSet[str] = frozenset()
    gone: AbstractSet[str] = frozenset()


class Place(Enum):
    """What becomes of the file that is in place."""

    STAYS = "stays"
    REMOVED = "removed"
    RESTORED = "restored"  # from the bytes that are kept of the newest version


@dataclass(frozen=True, kw_only=True)
class Settled:
    """All versions, newest first; `fresh` are those whose sidecars have to be written."""

    versions: tuple[Version, ...]
    fresh: tuple[Version, ...] = ()
    place: Place = Place.STAYS


def settled(seen: Seen, bucket: Bucket, uid: Callable[[], str]) -> Settled:
    """`uid` makes one that is greater than all that are there."""
    live = _finished(seen)
    top = live[0] if live else None
    present = top is not None and not top.marker
    if seen.data is None:
        if top is None or top.marker:
            return _settled(live)
        if seen.gone and top.uid in seen.kept:
            return _settled(live, place=Place.RESTORED)
        return _deleted_by_hand(seen, bucket, live, uid)
    if top is not None and seen.data.are_of(top):
        return _settled(live)
    if any(seen.data.are_of(each) for each in seen.versions if each.uid in seen.gone):
        return _settled(live, place=Place.RESTORED if present else Place.REMOVED)
    return _put_by_hand(seen, bucket, live, uid)


def _finished(seen: Seen) -> list[Version]:
    live = [
        each
        for each in seen.versions
        if each.uid not in seen.gone
        and (each.uid not in seen.interrupted or each.uid in seen.committed or _placed(seen, each))
    ]
    while live and live[0].uid not in seen.committed and not _placed(seen, live[0]):
        live = live[1:]
    return live


def _placed(seen: Seen, version: Version) -> bool:
    return seen.data is None if version.marker else bool(seen.data and seen.data.are_of(version))


def _settled(
    live: list[Version], fresh: tuple[Version, ...] = (), place: Place = Place.STAYS
) -> Settled:
    """Only the newest null version is one."""
    nulls = [each for each in live if each.null]
    versions = tuple(each for each in live if not each.null or each is nulls[0])
    return Settled(versions=versions, fresh=fresh, place=place)


def _deleted_by_hand(
    seen: Seen, bucket: Bucket, live: list[Version], uid: Callable[[], str]
) -> Settled:
    top = live[0]
    if top.uid not in seen.kept:
        live = live[1:]
    if bucket.versioning is Versioning.NEVER:
        return _settled(live)
    fresh = uid()
    marker = replace(
        _by_hand(top, fresh, bucket), marker=True, modified=int(fresh[:16], 16), path=""
    )
    return _settled([marker, *live], (marker,))


def _put_by_hand(
    seen: Seen, bucket: Bucket, live: list[Version], uid: Callable[[], str]
) -> Settled:
    data = seen.data
    if data is None:
        raise ValueError("nothing was put")
    top = live[0] if live and not live[0].marker else None
    base = top or Version(
        bucket=bucket.name, key=seen.key, uid="", description=Description(owner=bucket.owner)
    )
    in_place = top is not None and seen.kept.get(top.uid) == data.inode
    version = replace(
        base if in_place else _by_hand(base, uid(), bucket),
        size=data.size,
        etag=data.etag,
        crc=data.crc,
        modified=data.mtime,
        path=data.path,
        parts=(),
        upload="",
        description=_described_anew(base.description),
    )
    rest = live[1:] if in_place or (top and top.uid not in seen.kept) else live
    return _settled([version, *rest], (version,))


def _by_hand(version: Version, uid: str, bucket: Bucket) -> Version:
    return Version(
        bucket=version.bucket,
        key=version.key,
        uid=uid,
        null=bucket.versioning is not Versioning.ENABLED,
        description=Description(
            owner=version.description.owner, provenance=Provenance(source=BY_HAND)
        ),
    )


def _described_anew(told: Description) -> Description:
    provenance = Provenance(source=BY_HAND)
    return replace(told, checksum=None, provenance=provenance, restored_from="")
