"""What changes the catalogue, as statements for one commit."""

from collections.abc import Iterable

import msgspec

from dayfly.files.catalogue import Known
from dayfly.files.ledger import Statement
from dayfly.files.objects import Bucket, Lease, Upload, Version

_encode = msgspec.json.Encoder().encode
_CHANGE = """
insert into changes
values (max(?, coalesce((select max(sequence) + 1 from changes), 0)), ?, ?, ?, ?, ?, ?, ?, ?)
"""


def told(name: str, value: str) -> Statement:
    return "insert or replace into about values (?, ?)", (name, value)


def emptied() -> list[Statement]:
    tables = ("about", "buckets", "objects", "versions", "uploads", "parts", "leases", "usage")
    return [(f"delete from {table}", ()) for table in tables]  # noqa: S608


def with_bucket(bucket: Bucket) -> list[Statement]:
    return [
        ("insert or replace into buckets values (?, ?)", (bucket.name, _encode(bucket))),
        ("insert or ignore into usage values (?, 0, 0, 0, 0)", (bucket.name,)),
    ]


def without_bucket(name: str) -> list[Statement]:
    tables = ("objects", "versions", "uploads", "leases")
    return [
        ("delete from buckets where name = ?", (name,)),
        ("delete from usage where bucket = ?", (name,)),
        (
            "delete from parts where upload in (select id from uploads where bucket = ?)",
            (name,),
        ),
        *((f"delete from {table} where bucket = ?", (name,)) for table in tables),  # noqa: S608
    ]


def with_version(known: Known) -> Statement:
    version = known.version
    checksum = version.description.checksum
    return (
        "insert or replace into versions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            version.bucket,
            version.key,
            version.uid,
            version.null,
            version.marker,
            version.size,
            version.etag,
            version.modified,
            version.description.owner,
            checksum.algorithm if checksum else "",
            checksum.composite if checksum else False,
            known.inode,
            known.mtime,
            _encode(version),
        ),
    )


def without_version(version: Version) -> Statement:
    where = (version.bucket, version.key, version.uid)
    return "delete from versions where bucket = ? and key = ? and uid = ?", where


_SETTLED = """
insert into objects
select bucket, key, uid, iif(nulled, 'null', uid), size, etag, modified, owner, algorithm, composite
from (select * from versions where bucket = ? and key = ? order by uid desc limit 1)
where marker = 0
"""


def settled(bucket: str, key: str) -> list[Statement]:
    """The list of current objects follows the versions; the last of every change to a key."""
    return [
        ("delete from objects where bucket = ? and key = ?", (bucket, key)),
        (_SETTLED, (bucket, key)),
    ]


def replaced(bucket: str, key: str, versions: Iterable[Known]) -> list[Statement]:
    """These are all versions of a key."""
    return [
        ("delete from versions where bucket = ? and key = ?", (bucket, key)),
        *map(with_version, versions),
        *settled(bucket, key),
    ]


def with_upload(upload: Upload) -> Statement:
    row = (upload.bucket, upload.key, upload.id, _encode(upload))
    return "insert or replace into uploads values (?, ?, ?, ?)", row


def with_change(version: Version, kind: str, now: int) -> Statement:
    """Numbered by the time, so that an index that is made anew goes on with greater numbers."""
    what = (now // 1000, version.bucket, version.key, version.id, kind, now)
    return _CHANGE, (*what, version.etag, version.size, version.modified)


def only_newest_changes(number: int) -> Statement:
    newest = "select sequence from changes order by sequence desc limit 1 offset ?"
    return f"delete from changes where sequence <= ({newest})", (number,)  # noqa: S608


def with_lease(lease: Lease) -> Statement:
    row = (lease.bucket, lease.key, lease.until, _encode(lease))
    return "insert or replace into leases values (?, ?, ?, ?)", row


def with_part(upload: str, number: int, file: str, document: bytes) -> Statement:
    row = (upload, number, file, document)
    return "insert or replace into parts values (?, ?, ?, ?)", row


def without_upload(upload: Upload) -> list[Statement]:
    where = (upload.bucket, upload.key, upload.id)
    return [
        ("delete from parts where upload = ?", (upload.id,)),
        ("delete from uploads where bucket = ? and key = ? and id = ?", where),
    ]
