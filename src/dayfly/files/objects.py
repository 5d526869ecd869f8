"""What the archive holds, as values. Times are nanoseconds since 1970, names are S3's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

NULL = "null"  # id of a version that was put while versioning was not enabled
NOTHING: Mapping[str, str] = {}


class Versioning(StrEnum):
    """Of a bucket; it never goes back to NEVER."""

    NEVER = ""
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """`settings` are documents by name (cors, policy, …), kept as they came and not read here."""

    name: str
    owner: str
    created: int
    versioning: Versioning = Versioning.NEVER
    quota: int = 0  # bytes of all versions together; 0 is no limit
    trash_seconds: int = 0  # how long what was deleted for good stays in the trash
    object_lock: bool = False  # whether its versions may be locked; needs versioning
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """`algorithm` as S3 writes it (CRC32, CRC32C, CRC64NVME, SHA1, SHA256), `value` in base64."""

    algorithm: str
    value: str
    composite: bool = False  # made of the checksums of the parts


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What keeps a version from being deleted. `mode` is GOVERNANCE, COMPLIANCE or empty."""

    mode: str = ""
    until: int = 0
    hold: bool = False


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where an object came from; `source` is a URL, or says that a hand put it there.

    `validator` is the ETag or Last-Modified that it had there.
    """

    who: str = ""
    release: str = ""
    commit: str = ""
    machine: str = ""
    job: str = ""
    source: str = ""
    validator: str = ""


NOBODY = Provenance()


NOBODY = Provenance()


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a writer says about an object.

    `headers` are those that S3 gives back: content-type, cache-control, content-disposition,
    content-encoding, content-language, expires. `acl` is a document that is not read here.
    """

    owner: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    acl: str = ""
    checksum: Checksum | None = None
    lock: Lock = field(default_factory=Lock)
    provenance: Provenance = field(default_factory=Provenance)
    restored_from: str = ""  # id of the version whose bytes these are


PLAIN = Description()


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of an upload, or of the object that was made of it. `crc` is the archive's own."""

    number: int
    size: int
    etag: str
    modified: int = 0
    checksum: Checksum | None = None
    crc: int = 0


@dataclass(frozen=True, kw_only=True)
class Version:
    """One stored state of an object, or a delete marker. What lies beside it on disk says this.

    `uid` names it on disk and orders the versions of a key; `crc` (CRC64NVME of all bytes) is what
    the archive checks its own files with.
    """

    bucket: str
    key: str
    uid: str
    null: bool = False
    marker: bool = False
    size: int = 0
    etag: str = ""
    modified: int = 0
    crc: int = 0
    path: str = ""  # below the bucket's folder
    parts: tuple[Part, ...] = ()
    upload: str = ""  # id of the upload that it was made of
    description: Description = PLAIN

    @property
    def id(self) -> str:
        """What S3 calls the version id."""
        return NULL if self.null else self.uid


class Entry(NamedTuple):
    """A line of a list: an object, a version or a marker."""

    key: str
    id: str
    latest: bool
    marker: bool
    size: int
    etag: str
    modified: int
    owner: str
    algorithm: str  # of its checksum, if it has one
    composite: bool


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What of a bucket is to be listed. `limit` counts entries and common prefixes together.

    `after` is a key, or a common prefix that was listed; `after_id` is of a version or upload of
    that key.
    """

    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    after_id: str = ""
    limit: int = 1000


@dataclass(frozen=True, kw_only=True)
class Page:
    """Entries and common prefixes, in order of key; `next` is empty where nothing follows.

    `next` goes into `after` for the following page, and `next_id` into `after_id` of versions.
    """

    entries: tuple[Entry, ...] = ()
    prefixes: tuple[str, ...] = ()
    next: str = ""
    next_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A multipart upload that was begun. `algorithm` is the checksum its parts are to have."""

    bucket: str
    key: str
    id: str
    begun: int
    algorithm: str = ""
    composite: bool = False
    description: Description = PLAIN


@dataclass(frozen=True, kw_only=True)
class UploadPage:
    uploads: tuple[Upload, ...] = ()
    prefixes: tuple[str, ...] = ()
    next: str = ""
    next_id: str = ""


@dataclass(frozen=True, kw_only=True)
class PartPage:
    parts: tuple[Part, ...] = ()
    next: int = 0  # number of the last part here, 0 where nothing follows


@dataclass(frozen=True, kw_only=True)
class Named:
    """A part as CompleteMultipartUpload names it."""

    number: int
    etag: str
    checksum: Checksum | None = None


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What a DELETE came to. `id` is empty where no version was made or removed."""

    id: str = ""
    marker: bool = False  # whether what was made, or removed, is a delete marker


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The exclusive right to write a key until a time; `token` is greater for each new owner."""

    bucket: str
    key: str
    owner: str
    until: int
    token: int = 0


class Change(NamedTuple):
    """Something that happened to a key; `sequence` is greater for what happened later."""

    sequence: int
    bucket: str
    key: str
    id: str
    kind: str  # put, marker, removed, described, or hand for what a person did to the files
    at: int


@dataclass(frozen=True, kw_only=True)
class Trashed:
    """A version that was deleted or replaced for good, and since when it is in the trash."""

    version: Version
    since: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a bucket holds: current objects, and all versions with what they take."""

    objects: int = 0
    bytes: int = 0
    versions: int = 0
    all_bytes: int = 0
