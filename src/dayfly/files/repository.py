"""The archive on disk: what programs ask of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dayfly.files import (
    buckets,
    changing,
    copying,
    listing,
    opening,
    reading,
    uploads,
)
from dayfly.files.care import Care
from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.lease import Leases
from dayfly.files.objectlock import check_retention
from dayfly.files.objects import (
    NOBODY,
    PLAIN,
    Asked,
    Bucket,
    Change,
    Deletion,
    Description,
    Lock,
    Named,
    Page,
    Part,
    PartPage,
    Provenance,
    Upload,
    UploadPage,
    Usage,
    Version,
    Versioning,
)
from dayfly.files.opened import Opened
from dayfly.files.search import Wanted, search
from dayfly.files.staging import Staged
from dayfly.files.system import translated

RESERVE = 64 * 1024 * 1024


class Repository:
    """Safe to use from many threads, and from many processes that open the same folders.

    Every call is synchronous, and what it answers is on disk. Foreign errors come as FilesError.
    """

    def __init__(self, root: Path, index: Path, *, reserve: int = RESERVE) -> None:
        """`root` holds the tree and may be a share; `index` is a folder of a local disk.

        Finishes or undoes what processes that are gone have left. Nothing is put where less than
        `reserve` bytes would be free.
        """
        with translated(root):
            self.ground = opening.opened(root, index, reserve)

    @property
    def care(self) -> Care:
        return Care(self.ground)

    @property
    def leases(self) -> Leases:
        return Leases(self.ground)

    def close(self) -> None:
        self.ground.close()

    # Buckets

    def create_bucket(self, name: str, *, owner: str, object_lock: bool = False) -> Bucket:
        """BucketExistsError names the owner. Object lock turns versioning on."""
        return buckets.create(self.ground, name, owner, object_lock=object_lock)

    def bucket(self, name: str) -> Bucket:
        return self.ground.bucket(name)

    def buckets(self) -> Sequence[Bucket]:
        """By name."""
        return self.ground.catalogue.buckets()

    def delete_bucket(self, name: str) -> None:
        """BucketNotEmptyError while anything is in it, LeasedError while one of its keys is leased.

        Uploads that were not completed go.
        """
        buckets.delete(self.ground, name)

    def set_versioning(self, name: str, state: Versioning) -> Bucket:
        return buckets.change(self.ground, name, lambda it: buckets.with_versioning(it, state))

    def enable_object_lock(self, name: str) -> Bucket:
        """From now on versions may be locked, and versioning can't be suspended any more."""
        return buckets.change(self.ground, name, buckets.with_object_lock)

    def set_document(self, name: str, document: str, text: str | None) -> Bucket:
        """Keep a document in the bucket's settings; None removes it."""
        return buckets.change(
            self.ground, name, lambda it: buckets.with_document(it, document, text)
        )

    def set_limits(
        self, name: str, *, quota: int | None = None, trash_seconds: int | None = None
    ) -> Bucket:
        """How many bytes it may hold, and how long what is deleted for good can be restored."""
        return buckets.change(
            self.ground, name, lambda it: buckets.with_limits(it, quota, trash_seconds)
        )

    def usage(self, name: str) -> Usage:
        return self.ground.catalogue.usage(self.bucket(name).name)

    # Objects

    @contextmanager
    def stage(self, bucket: str, *, algorithms: Sequence[str] = ()) -> Iterator[Staged]:
        """Take bytes in, hashed with MD5 and the named checksums; gone afterwards unless put."""
        self.ground.bucket(bucket)
        with self.ground.guarded(bucket):
            self.ground.check_room()
            staged = Staged(bucket, self.ground.bench.fresh(), algorithms)
        try:
            yield staged
        finally:
            staged.discard()

    def put(
        self,
        staged: Staged,
        key: str,
        description: Description = PLAIN,
        condition: Condition = ALWAYS,
    ) -> Version:
        """Make what was staged the current version; decided and done as one step.

        A checksum of the description without a value gets the one that was taken on the way.
        """
        return changing.put(self.ground, staged, key, description, condition)

    def head(self, bucket: str, key: str, version: str = "") -> Version:
        """The current version, or the one of an id, which may be a delete marker."""
        return reading.find(self.ground, bucket, key, version).version

    def open(self, bucket: str, key: str, version: str = "") -> Opened:
        """The same with its bytes; MarkerError for a delete marker. Close it."""
        return reading.open_(self.ground, bucket, key, version)

    def copy(
        self,
        source: Version | Opened,
        bucket: str,
        key: str,
        description: Description | None = None,
        condition: Condition = ALWAYS,
    ) -> Version:
        """Put the bytes of a version again; without a description it keeps that of the source.

        A description whose checksum has no value gets it worked out of the bytes.
        NoSuchVersionError where the source was replaced and is not open.
        """
        with reading.source(self.ground, source) as opened:
            told = copying.described(opened.version, description)
            with self.stage(bucket, algorithms=copying.algorithm_of(told.checksum)) as staged:
                copying.copied(opened, staged, told)
                return self.put(staged, key, told, condition)

    def restore(self, version: Version) -> Version:
        """Make an older version the current one again, as a new one that names it."""
        told = copying.described(version, None)
        told = replace(told, restored_from=version.id)
        return self.copy(version, version.bucket, version.key, told)

    def delete(
        self,
        bucket: str,
        key: str,
        version: str | None = None,
        condition: Condition = ALWAYS,
        *,
        bypass: bool = False,
        by: Provenance = NOBODY,
    ) -> Deletion:
        """Without a version, as the bucket's versioning has it; with one, that one for good.

        A key or version that is not there is no error. `bypass` passes by GOVERNANCE; `by` is
        kept with a delete marker.
        """
        if version:
            where = (bucket, key, version)
            return changing.delete_version(self.ground, where, condition, bypass=bypass)
        return changing.delete(self.ground, bucket, key, condition, by)

    def set_tags(
        self, bucket: str, key: str, version: str, tags: Mapping[str, str], by: Condition = ALWAYS
    ) -> Version:
        """An empty version means the current one, here and below."""
        where = (bucket, key, version)
        return changing.change(self.ground, where, lambda it: replace(it, tags=dict(tags)), by)

    def set_acl(
        self, bucket: str, key: str, version: str, acl: str, by: Condition = ALWAYS
    ) -> Version:
        where = (bucket, key, version)
        return changing.change(self.ground, where, lambda it: replace(it, acl=acl), by)

    def set_retention(
        self, bucket: str, key: str, version: str, lock: Lock, *, bypass: bool = False
    ) -> Version:
        """Takes mode and time of the lock; LockedError where the rules of S3 forbid it."""

        def retained(told: Description) -> Description:
            check_retention(told.lock, lock, self.ground.now(), bypass=bypass)
            return replace(told, lock=replace(told.lock, mode=lock.mode, until=lock.until))

        return changing.change(self.ground, (bucket, key, version), retained)

    def set_hold(self, bucket: str, key: str, version: str, *, hold: bool) -> Version:
        where = (bucket, key, version)
        return changing.change(
            self.ground, where, lambda it: replace(it, lock=replace(it.lock, hold=hold))
        )

    # Lists

    def list(self, bucket: str, asked: Asked) -> Page:
        """Current objects by key, in the order of UTF-8, those after a key or common prefix."""
        self.ground.bucket(bucket)
        return listing.objects(self.ground.catalogue, bucket, asked)

    def list_versions(self, bucket: str, asked: Asked) -> Page:
        """All versions and markers by key, newest first."""
        self.ground.bucket(bucket)
        return listing.versions(self.ground.catalogue, bucket, asked)

    def search(self, wanted: Wanted) -> Sequence[Version]:
        """The newest first."""
        return search(self.ground.catalogue, wanted)

    def changes(self, after: int, limit: int = 1000) -> Sequence[Change]:
        """What happened after a sequence, whichever process did it; `last_change` is the newest."""
        return self.ground.catalogue.changes(after, limit)

    def last_change(self) -> int:
        return self.ground.catalogue.last_change()

    # Uploads

    def begin_upload(
        self,
        bucket: str,
        key: str,
        description: Description = PLAIN,
    ) -> Upload:
        """A checksum without a value says how parts are hashed, and if the whole is composite."""
        return uploads.begin(self.ground, bucket, key, description, description.checksum)

    def upload(self, bucket: str, key: str, id: str) -> Upload:  # noqa: A002 - S3's word
        return uploads.find(self.ground, bucket, key, id)

    def put_part(self, upload: Upload, number: int, staged: Staged) -> Part:
        """Stage with the algorithm of the upload; a part of the same number is replaced."""
        return uploads.put_part(self.ground, upload, number, staged)

    def copy_part(
        self, upload: Upload, number: int, source: Opened, span: tuple[int, int] | None = None
    ) -> Part:
        """`span` is first byte and the one after the last."""
        algorithms = [upload.algorithm] if upload.algorithm else []
        with self.stage(upload.bucket, algorithms=algorithms) as staged:
            for piece in source.pieces(*(span or (0, source.version.size))):
                staged.write(piece)
            return self.put_part(upload, number, staged)

    def list_parts(self, upload: Upload, *, after: int = 0, limit: int = 1000) -> PartPage:
        return uploads.list_parts(self.ground, upload, after, limit)

    def part_pieces(self, upload: Upload, parts: Sequence[Part]) -> Iterator[bytes]:
        """The bytes of parts, one after the other."""
        return uploads.pieces(self.ground, upload, parts)

    def list_uploads(self, bucket: str, asked: Asked) -> UploadPage:
        self.ground.bucket(bucket)
        return listing.uploads(self.ground.catalogue, bucket, asked)

    def complete(
        self, upload: Upload, parts: Sequence[Named], condition: Condition = ALWAYS
    ) -> Version:
        """One object of the named parts. A second time it gives the version that came of it."""
        with self.stage(upload.bucket) as staged:
            return uploads.complete(self.ground, upload, parts, condition, staged)

    def abort(self, upload: Upload) -> None:
        uploads.abort(self.ground, upload)
