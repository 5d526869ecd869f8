"""The actions that a bucket policy may be about: those of Amazon, also without a request here.

What is no action of theirs is a mistake, and a denial with one would deny nothing.
"""

from collections.abc import Callable

PREFIX = "s3:"
_BUCKET = """
    Acl CORS Location Logging MetadataTableConfiguration Notification ObjectLockConfiguration
    OwnershipControls Policy PolicyStatus PublicAccessBlock RequestPayment Tagging Versioning
    Website
"""
_CONFIGURED = "Accelerate Analytics Encryption IntelligentTiering Inventory Lifecycle Metrics"
_OBJECT = "Acl LegalHold Retention Tagging VersionAcl VersionTagging"
_OTHER = """
    AbortMultipartUpload BypassGovernanceRetention CreateBucket
    CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration
    DeleteBucketPolicy DeleteBucketWebsite DeleteObject DeleteObjectTagging DeleteObjectVersion
    DeleteObjectVersionTagging GetObject GetObjectAttributes GetObjectTorrent GetObjectVersion
    GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTorrent
    GetReplicationConfiguration InitiateReplication ListAllMyBuckets ListBucket
    ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts
    ObjectOwnerOverrideToBucketOwner PauseReplication PutObject PutReplicationConfiguration
    ReplicateDelete ReplicateObject ReplicateTags RestoreObject
"""
ACTIONS = frozenset(
    f"{PREFIX}{name}".lower()
    for name in (
        *_OTHER.split(),
        *(f"{verb}Bucket{name}" for verb in ("Get", "Put") for name in _BUCKET.split()),
        *(f"{verb}{name}Configuration" for verb in ("Get", "Put") for name in _CONFIGURED.split()),
        *(f"{verb}Object{name}" for verb in ("Get", "Put") for name in _OBJECT.split()),
    )
)


def is_known(action: str, like: Callable[[str, str], bool]) -> bool:
    """Whether it names one, or with `*` and `?` some of them. Their case does not matter."""
    small = action.lower()
    return small == "*" or (small.startswith(PREFIX) and any(like(small, each) for each in ACTIONS))
