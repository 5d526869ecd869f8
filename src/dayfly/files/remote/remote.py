"""The bucket as a store: what the archive's commands ask of it, as far as S3 has it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from dayfly.files.changing import with_checksum
from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.errors import FilesError, MarkerError, NotKeptError
from dayfly.files.mount import LOCAL, Mount
from dayfly.files.objects import (
    NOBODY,
    NULL,
    PLAIN,
    Asked,
    Bucket,
    Deletion,
    Description,
    Page,
    Provenance,
    Usage,
    Version,
    Versioning,
)
from dayfly.files.remote import read
from dayfly.files.remote.elsewhere import Elsewhere, ElsewhereError, client_of, translated
from dayfly.files.remote.told import extra_of
from dayfly.files.staging import MD5, Staged

MOST_AT_ONCE = 5 * 1024**3  # bytes of a PUT, and of a copy
PIECE = 1 << 20


@dataclass
class Remote:
    """`mount` is what a race over it has shown."""

    elsewhere: Elsewhere
    mount: Mount = LOCAL
    client: Any = field(default=None)

    def __post_init__(self) -> None:
        if self.client is None:
            self.client = client_of(self.elsewhere)

    def close(self) -> None:
        self.client.close()

    def create_bucket(self, name: str, *, owner: str, object_lock: bool = False) -> Bucket:
        """The owner is whoever the keys are of."""
        del owner
        region = self.elsewhere.region
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        more = {"CreateBucketConfiguration": place} if place else {}
        with self._saying(name):
            self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=object_lock, **more)
        return self.bucket(name)

    def bucket(self, name: str) -> Bucket:
        with self._saying(name, absent="NoSuchBucket"):
            self.client.head_bucket(Bucket=name)
            versioning = self.client.get_bucket_versioning(Bucket=name).get("Status", "")
        return Bucket(name=name, owner="", created=0, versioning=Versioning(versioning))

    def buckets(self) -> Sequence[Bucket]:
        with self._saying(self.elsewhere.name):
            found = self.client.list_buckets().get("Buckets", [])
        return [self.bucket(each["Name"]) for each in found]

    def set_versioning(self, name: str, state: Versioning) -> Bucket:
        told = {"Status": str(state)}
        with self._saying(name):
            self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration=told)
        return self.bucket(name)

    def usage(self, name: str) -> Usage:
        """By reading all lists of it."""
        objects = size = versions = all_bytes = 0
        for entry in self._all(name):
            versions, all_bytes = versions + 1, all_bytes + entry.size
            if entry.latest and not entry.marker:
                objects, size = objects + 1, size + entry.size
        return Usage(objects=objects, bytes=size, versions=versions, all_bytes=all_bytes)

    def _all(self, name: str) -> Iterator[Any]:
        page = self.list_versions(name, Asked())
        yield from page.entries
        while page.next:
            page = self.list_versions(name, Asked(after=page.next, after_id=page.next_id))
            yield from page.entries

    @contextmanager
    def stage(self, bucket: str, *, algorithms: Sequence[str] = ()) -> Iterator[Staged]:
        """In a file of this host, until it is put."""
        with TemporaryDirectory(prefix="dayfly-") as folder:
            staged = Staged(bucket, Path(folder) / "staged", algorithms)
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
        what = f"{staged.bucket}/{key}"
        where = {"Bucket": staged.bucket, "Key": key}
        extra = extra_of(with_checksum(description, staged))
        conditions = self._conditions(condition, what)
        with self._saying(what), staged.path.open("rb") as file:
            if staged.size > MOST_AT_ONCE:
                if conditions:
                    raise NotKeptError(f"{what}: over 5 GiB S3 knows no condition")
                self.client.upload_fileobj(file, **where, ExtraArgs=extra)
            else:
                sums = {"ContentMD5": staged.digest(MD5), "ContentLength": staged.size}
                self.client.put_object(**where, Body=file, **sums, **extra, **conditions)
        return self.head(staged.bucket, key)

    def head(self, bucket: str, key: str, version: str = "") -> Version:
        what, absent = f"{bucket}/{key}", "NoSuchVersion" if version else "NoSuchKey"
        try:
            with self._saying(what, absent=absent):
                found = self.client.head_object(
                    **_where(bucket, key, version), ChecksumMode="ENABLED"
                )
        except MarkerError as error:
            return read.marker(bucket, key, version, error.__cause__)
        return read.version(bucket, key, found, self._tags(found, bucket, key, version))

    def _tags(
        self, found: Mapping[str, Any], bucket: str, key: str, version: str
    ) -> Mapping[str, str]:
        if not found.get("TagCount"):
            return {}
        with self._saying(f"{bucket}/{key}"):
            told = self.client.get_object_tagging(**_where(bucket, key, version))
        return {each["Key"]: each["Value"] for each in told["TagSet"]}

    def open(self, bucket: str, key: str, version: str = "") -> "Opened":
        return Opened(self, self.head(bucket, key, version), version)

    def copy(
        self,
        source: Version,
        bucket: str,
        key: str,
        description: Description | None = None,
        condition: Condition = ALWAYS,
    ) -> Version:
        what = f"{bucket}/{key}"
        if condition != ALWAYS:
            raise NotKeptError(
                f"{what}: {self.elsewhere.name} copies without conditions and leases"
            )
        told = extra_of(description or source.description)
        origin = {"Bucket": source.bucket, "Key": source.key}
        if source.id != NULL:
            origin["VersionId"] = source.id
        with self._saying(what):
            replaced = {"MetadataDirective": "REPLACE", "TaggingDirective": "REPLACE", **told}
            replaced["CopySourceIfMatch"] = f'"{source.etag}"'  # its id may be another one's by now
            self.client.copy(origin, bucket, key, ExtraArgs=replaced)
        return self.head(bucket, key)

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
        """S3 does not keep who deleted."""
        del by
        what = f"{bucket}/{key}"
        more = {"BypassGovernanceRetention": True} if bypass else {}
        with self._saying(what):
            found = self.client.delete_object(
                **_where(bucket, key, version or ""), **self._conditions(condition, what), **more
            )
        return Deletion(
            id=found.get("VersionId") or version or "", marker=bool(found.get("DeleteMarker"))
        )

    def list(self, bucket: str, asked: Asked) -> Page:
        """`next` is S3's own token."""
        more = {"ContinuationToken": asked.after} if asked.after else {}
        with self._saying(bucket):
            found = self.client.list_objects_v2(**_asked(bucket, asked), FetchOwner=True, **more)
        return read.page(found)

    def list_versions(self, bucket: str, asked: Asked) -> Page:
        markers = {"KeyMarker": asked.after, "VersionIdMarker": asked.after_id}
        more = {name: text for name, text in markers.items() if text}
        with self._saying(bucket):
            found = self.client.list_object_versions(**_asked(bucket, asked), **more)
        return read.versions_page(found)

    def pieces(self, version: Version, id_: str, start: int, end: int) -> Iterator[bytes]:
        """From `start` to before `end`."""
        where = _where(version.bucket, version.key, id_)
        with self._saying(f"{version.bucket}/{version.key}"):
            if not id_:  # nobody puts another one in its place meanwhile
                where["IfMatch"] = f'"{version.etag}"'
            answer = self.client.get_object(**where, Range=f"bytes={start}-{end - 1}")
            yield from answer["Body"].iter_chunks(PIECE)

    def _conditions(self, condition: Condition, what: str) -> dict[str, str]:
        """Only those that this S3 was seen to keep."""
        if condition.token is not None:
            raise NotKeptError(f"{what}: {self.elsewhere.name} has no leases")
        if condition.of_state and not self.mount.exclusive:
            raise NotKeptError(
                f"{what}: {self.elsewhere.name} keeps no conditional writes ({self.mount.why})"
            )
        wanted = {"IfMatch": condition.if_match, "IfNoneMatch": condition.if_none_match}
        plain = Condition(if_match=condition.if_match, if_none_match=condition.if_none_match)
        if condition != plain or any(len(etags) > 1 for etags in wanted.values()):
            raise NotKeptError(f"{what}: S3 takes one ETag as a condition, and no other")
        return {name: etags[0] for name, etags in wanted.items() if etags}

    @contextmanager
    def _saying(self, what: str, *, absent: str = "") -> Iterator[None]:
        """FilesError for what boto3 says; `absent` is what a bare 404 means."""
        from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
            BotoCoreError,
            ClientError,
        )

        try:
            yield
        except ClientError as error:
            raise translated(error, what, absent) from error
        except BotoCoreError as error:
            raise ElsewhereError(f"{self.elsewhere.name}: {error}") from error


@dataclass
class Opened:
    """Read where it is wanted; a line that breaks is told."""

    remote: Remote
    version: Version
    id: str

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        stop = self.version.size if end is None else end
        got = start
        if start < stop:
            for piece in self.remote.pieces(self.version, self.id, start, stop):
                got += len(piece)
                yield piece
        if got < stop:
            raise FilesError(f"{self.version.key}: ended after {got} of {stop} bytes")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is open between pieces."""


def _where(bucket: str, key: str, version: str) -> dict[str, str]:
    where = {"Bucket": bucket, "Key": key}
    return {**where, "VersionId": version} if version else where


def _asked(bucket: str, asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {"Bucket": bucket, "MaxKeys": asked.limit}
    if asked.prefix:
        found["Prefix"] = asked.prefix
    return {**found, "Delimiter": asked.delimiter} if asked.delimiter else found
