"""What the archive holds, in an index that can be made anew from the tree."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.files.ledger import Ledger, Row
from dayfly.files.objects import Bucket, Change, Lease, Usage, Version
from dayfly.files.system import Stamp

SCHEMA = """
create table if not exists about (name text primary key, value text not null) without rowid;
create table if not exists buckets (name text primary key, document blob not null) without rowid;
create table if not exists objects (
  bucket text, key text, uid text not null, id text not null, size integer not null,
  etag text not null, modified integer not null, owner text not null, algorithm text not null,
  composite integer not null, primary key (bucket, key)
) without rowid;
create table if not exists versions (
  bucket text, key text, uid text, nulled integer not null, marker integer not null,
  size integer not null, etag text not null, modified integer not null, owner text not null,
  algorithm text not null, composite integer not null, inode integer not null,
  mtime integer not null, document blob not null, primary key (bucket, key, uid)
);
create table if not exists uploads (
  bucket text, key text, id text, document blob not null, primary key (bucket, key, id)
) without rowid;
create table if not exists leases (
  bucket text, key text, until integer not null, document blob not null, primary key (bucket, key)
) without rowid;
create table if not exists usage (
  bucket text primary key, objects integer not null, bytes integer not null,
  versions integer not null, all_bytes integer not null
) without rowid;
create trigger if not exists object_in after insert on objects begin
  update usage set objects = objects + 1, bytes = bytes + new.size where bucket = new.bucket;
end;
create trigger if not exists object_out after delete on objects begin
  update usage set objects = objects - 1, bytes = bytes - old.size where bucket = old.bucket;
end;
create trigger if not exists version_in after insert on versions begin
  update usage set versions = versions + 1, all_bytes = all_bytes + new.size
  where bucket = new.bucket;
end;
create trigger if not exists version_out after delete on versions begin
  update usage set versions = versions - 1, all_bytes = all_bytes - old.size
  where bucket = old.bucket;
end;
create table if not exists changes (
  sequence integer primary key, bucket text not null, key text not null, id text not null,
  kind text not null, at integer not null, etag text not null, size integer not null,
  modified integer not null
);
create table if not exists parts (
  upload text, number integer, file text not null, document blob not null,
  primary key (upload, number)
);
"""
NAME = f"index-{hashlib.blake2b(SCHEMA.encode(), digest_size=4).hexdigest()}.sqlite"
_KNOWN = "select document, inode, mtime from versions where bucket = ? and key = ?"
_CURRENT = """
select document, inode, mtime, (select document from buckets where name = ?1)
from versions where bucket = ?1 and key = ?2 order by uid desc limit 1
"""
LATELY = 600 * 10**6  # microseconds, in which changes are numbered
_REMOVED = """
select id, etag, size, modified from changes
where bucket = ?1 and key = ?2 and kind = 'removed' and ?3 in ('', id)
and sequence > (select max(sequence) from changes) - ?4
order by sequence desc limit 1
"""
_WAITING = """
select coalesce(sum(json_extract(cast(parts.document as text), '$.part.size')), 0)
from uploads join parts on parts.upload = uploads.id
where uploads.bucket = ?1 and not (parts.upload = ?2 and parts.number = ?3)
"""
_version = typed.decoder(Version).decode
_lease = typed.decoder(Lease).decode
_bucket = typed.decoder(Bucket).decode


class Known(msgspec.Struct, frozen=True):
    """A version, and the stat of its bytes when they were last compared with it."""

    version: Version
    inode: int = 0
    mtime: int = 0

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.version.size, self.mtime, self.inode)


class Catalogue:
    def __init__(self, path: Path) -> None:
        self.ledger = Ledger(path, SCHEMA)
        self.commit = self.ledger.commit
        self.close = self.ledger.close

    def about(self, name: str) -> str:
        return str(_first(self.ledger.rows("select value from about where name = ?", name)))

    def bucket(self, name: str) -> Bucket | None:
        rows = self.ledger.rows("select document from buckets where name = ?", name)
        return _bucket(rows[0][0]) if rows else None

    def buckets(self) -> list[Bucket]:
        rows = self.ledger.rows("select document from buckets order by name")
        return [_bucket(document) for (document,) in rows]

    def latest(self, bucket: str, key: str) -> Known | None:
        """The newest version of a key, which may be a marker."""
        return self._one(f"{_KNOWN} order by uid desc limit 1", bucket, key)

    def current(self, bucket: str, key: str) -> "Current | None":
        """A bucket and the newest version of a key in one look; None where either is missing."""
        rows = self.ledger.quick(_CURRENT, bucket, key)
        return Current(*rows[0]) if rows and rows[0][3] is not None else None

    def null(self, bucket: str, key: str) -> Known | None:
        return self._one(f"{_KNOWN} and nulled = 1", bucket, key)

    def of_uid(self, bucket: str, key: str, uid: str) -> Known | None:
        return self._one(f"{_KNOWN} and uid = ?", bucket, key, uid)

    def all_of(self, bucket: str, key: str) -> list[Known]:
        """The versions of a key, newest first."""
        rows = self.ledger.rows(f"{_KNOWN} order by uid desc", bucket, key)
        return [_known(row) for row in rows]

    def _one(self, statement: str, *values: str) -> Known | None:
        rows = self.ledger.rows(statement, *values)
        return _known(rows[0]) if rows else None

    def before(self, version: Version) -> Known | None:
        """The next older version of the key."""
        older = f"{_KNOWN} and uid < ? order by uid desc limit 1"
        return self._one(older, version.bucket, version.key, version.uid)

    def lease(self, bucket: str, key: str) -> Lease | None:
        """The newest one of a key, whether it has ended or not."""
        asked = "select document from leases where bucket = ? and key = ?"
        rows = self.ledger.rows(asked, bucket, key)
        return _lease(rows[0][0]) if rows else None

    def leases(self, bucket: str, now: int) -> list[Lease]:
        """Those that have not ended."""
        asked = "select document from leases where bucket = ? and until > ? order by key"
        return [_lease(document) for (document,) in self.ledger.rows(asked, bucket, now)]

    def keys(self, bucket: str, after: str) -> list[str]:
        """The next thousand that have versions or markers."""
        asked = "select distinct key from versions where bucket = ? and key > ? order by key"
        return [key for (key,) in self.ledger.rows(f"{asked} limit 1000", bucket, after)]

    def every_key(self, bucket: str) -> Iterator[str]:
        """Of a bucket that may change meanwhile."""
        keys = self.keys(bucket, "")
        while keys:
            yield from keys
            keys = self.keys(bucket, keys[-1])

    def usage(self, bucket: str) -> Usage:
        asked = "select objects, bytes, versions, all_bytes from usage where bucket = ?"
        row = self.ledger.rows(asked, bucket)[0]
        return Usage(objects=row[0], bytes=row[1], versions=row[2], all_bytes=row[3])

    def waiting(self, bucket: str, upload: str, number: int) -> int:
        """Bytes of the parts of a bucket's uploads, but for one that is to be replaced."""
        return int(self.ledger.rows(_WAITING, bucket, upload, number)[0][0])

    def changes(self, after: int, limit: int) -> list[Change]:
        asked = "select sequence, bucket, key, id, kind, at from changes where sequence > ?"
        rows = self.ledger.rows(f"{asked} order by sequence limit ?", after, limit)
        return [Change(*row) for row in rows]

    def removed(self, bucket: str, key: str, id_: str) -> Version | None:
        """What was last deleted for good, lately, as far as conditions ask: of that id, if told."""
        rows = self.ledger.rows(_REMOVED, bucket, key, id_, LATELY)
        if not rows:
            return None
        uid, etag, size, modified = rows[0]
        return Version(bucket=bucket, key=key, uid=uid, etag=etag, size=size, modified=modified)

    def last_change(self) -> int:
        rows = self.ledger.rows("select max(sequence) from changes")
        return int(rows[0][0] or 0)

    def empty(self, bucket: str) -> bool:
        return not self.ledger.rows("select 1 from versions where bucket = ? limit 1", bucket)


class Current(msgspec.Struct, frozen=True):
    """The newest version of a key and its bucket, not read yet: who knows them need not do it."""

    document: bytes
    inode: int
    mtime: int
    of_bucket: bytes

    @property
    def version(self) -> Version:
        return _version(self.document)

    @property
    def bucket(self) -> Bucket:
        return _bucket(self.of_bucket)


def _known(row: Row) -> Known:
    return Known(_version(row[0]), row[1], row[2])


def _first(rows: Sequence[Row]) -> object:
    return rows[0][0] if rows else ""
