"""The archive on disk: what programs ask of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.objects import (
    PLAIN,
    Asked,
    Bucket,
    Deletion,
    Description,
    Lock,
    Named,
    Page,
    Part,
    PartPage,
    Upload,
    UploadPage,
    Usage,
    Version,
    Versioning,
)
from dayfly.files.opened import Opened
from dayfly.files.staging import Staged


class Repository:
    """Safe to use from many threads, and from many processes that open the same folders.

    Every call is synchronous, and what it answers is on disk. Foreign errors come as FilesError.
    """

    def __init__(self, root: Path, index: Path) -> None:
        """`root` holds the tree and may be a share; `index` is a folder of a local disk.

        Finishes or undoes what processes that are gone have left.
        """
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    # Buckets

    def create_bucket(self, name: str, *, owner: str, object_lock: bool = False) -> Bucket:
        """BucketExistsError names the owner. Object lock turns versioning on."""
        raise NotImplementedError

    def bucket(self, name: str) -> Bucket:
        raise NotImplementedError

    def buckets(self) -> Sequence[Bucket]:
        """By name."""
        raise NotImplementedError

    def delete_bucket(self, name: str) -> None:
        """BucketNotEmptyError while anything is in it; uploads that were not completed go."""
        raise NotImplementedError

    def set_versioning(self, name: str, state: Versioning) -> Bucket:
        raise NotImplementedError

    def set_document(self, name: str, document: str, text: str | None) -> Bucket:
        """Keep a document in the bucket's settings; None removes it."""
        raise NotImplementedError

    def usage(self, name: str) -> Usage:
        raise NotImplementedError

    # Objects

    @contextmanager
    def stage(self, bucket: str, *, algorithms: Sequence[str] = ()) -> Iterator[Staged]:
        """Take bytes in, hashed with MD5 and the named checksums; gone afterwards unless put."""
        raise NotImplementedError

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
        raise NotImplementedError

    def head(self, bucket: str, key: str, version: str = "") -> Version:
        """The current version, or the one of an id, which may be a delete marker."""
        raise NotImplementedError

    def open(self, bucket: str, key: str, version: str = "") -> Opened:
        """The same with its bytes; MarkerError for a delete marker. Close it."""
        raise NotImplementedError

    def copy(
        self,
        source: Version,
        bucket: str,
        key: str,
        description: Description | None = None,
        condition: Condition = ALWAYS,
    ) -> Version:
        """Put the bytes of a version again; without a description it keeps that of the source.

        A description whose checksum has no value gets it worked out of the bytes.
        """
        raise NotImplementedError

    def delete(
        self,
        bucket: str,
        key: str,
        version: str | None = None,
        condition: Condition = ALWAYS,
        *,
        bypass: bool = False,
    ) -> Deletion:
        """Without a version, as the bucket's versioning has it; with one, that one for good.

        A key or version that is not there is no error. `bypass` passes by GOVERNANCE.
        """
        raise NotImplementedError

    def set_tags(self, bucket: str, key: str, version: str, tags: Mapping[str, str]) -> Version:
        """An empty version means the current one, here and below."""
        raise NotImplementedError

    def set_acl(self, bucket: str, key: str, version: str, acl: str) -> Version:
        raise NotImplementedError

    def set_retention(
        self, bucket: str, key: str, version: str, lock: Lock, *, bypass: bool = False
    ) -> Version:
        """Takes mode and time of the lock; LockedError where the rules of S3 forbid it."""
        raise NotImplementedError

    def set_hold(self, bucket: str, key: str, version: str, *, hold: bool) -> Version:
        raise NotImplementedError

    # Lists

    def list(self, bucket: str, asked: Asked) -> Page:
        """Current objects by key, in the order of UTF-8, those after a key or common prefix."""
        raise NotImplementedError

    def list_versions(self, bucket: str, asked: Asked) -> Page:
        """All versions and markers by key, newest first."""
        raise NotImplementedError

    # Uploads

    def begin_upload(
        self,
        bucket: str,
        key: str,
        description: Description = PLAIN,
        *,
        algorithm: str = "",
        composite: bool = False,
    ) -> Upload:
        raise NotImplementedError

    def upload(self, bucket: str, key: str, id: str) -> Upload:  # noqa: A002 - S3's word
        raise NotImplementedError

    def put_part(self, upload: Upload, number: int, staged: Staged) -> Part:
        """Stage with the algorithm of the upload; a part of the same number is replaced."""
        raise NotImplementedError

    def copy_part(
        self, upload: Upload, number: int, source: Version, span: tuple[int, int] | None = None
    ) -> Part:
        """`span` is first byte and the one after the last."""
        raise NotImplementedError

    def list_parts(self, upload: Upload, *, after: int = 0, limit: int = 1000) -> PartPage:
        raise NotImplementedError

    def list_uploads(self, bucket: str, asked: Asked) -> UploadPage:
        raise NotImplementedError

    def complete(
        self, upload: Upload, parts: Sequence[Named], condition: Condition = ALWAYS
    ) -> Version:
        """One object of the named parts. A second time it gives the version that came of it."""
        raise NotImplementedError

    def abort(self, upload: Upload) -> None:
        raise NotImplementedError

    # Care

    def rebuild(self) -> None:
        """Make the index anew from the tree alone; nobody else may have the archive open."""
        raise NotImplementedError
