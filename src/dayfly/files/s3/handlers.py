"""Which function answers which operation."""

from collections.abc import Mapping

from dayfly.files.s3 import (
    attributes,
    buckets,
    configured,
    copying,
    deleting,
    leasing,
    listing,
    locking,
    marked,
    reading,
    settings,
    taking,
    uploads,
    watching,
)
from dayfly.files.s3.configured import Handler, getting, putting
from dayfly.files.s3.taking import Opener

# Their bodies come piece by piece.
STREAMED: Mapping[str, Opener] = {"PutObject": taking.of_object, "UploadPart": taking.of_part}
_deleted = configured.deleting

HANDLERS: Mapping[str, Handler] = {
    "ListBuckets": buckets.listed,
    "CreateBucket": buckets.create,
    "HeadBucket": buckets.head,
    "DeleteBucket": buckets.delete,
    "GetBucketLocation": buckets.location,
    "ListObjects": listing.objects,
    "ListObjectVersions": listing.versions,
    "ListMultipartUploads": listing.uploads,
    "GetObject": reading.get,
    "HeadObject": reading.head,
    "GetObjectAttributes": attributes.get,
    "PutObjectCopy": copying.whole,
    "UploadPartCopy": copying.part,
    "DeleteObject": deleting.one,
    "DeleteObjects": deleting.many,
    "CreateMultipartUpload": uploads.create,
    "CompleteMultipartUpload": uploads.complete,
    "AbortMultipartUpload": uploads.abort,
    "ListParts": uploads.parts,
    "GetObjectAcl": marked.get_acl,
    "PutObjectAcl": marked.put_acl,
    "GetObjectTagging": marked.get_tags,
    "PutObjectTagging": marked.put_tags,
    "DeleteObjectTagging": marked.delete_tags,
    "GetObjectRetention": locking.get_retention,
    "PutObjectRetention": locking.put_retention,
    "GetObjectLegalHold": locking.get_hold,
    "PutObjectLegalHold": locking.put_hold,
    "GetObjectLockConfiguration": locking.get_default,
    "PutObjectLockConfiguration": locking.put_default,
    "PutLease": leasing.take,
    "GetLease": leasing.look,
    "DeleteLease": leasing.release,
    "ListLeases": leasing.listed,
    "WatchBucket": watching.watch,
    "GetBucketAcl": configured.get_acl,
    "PutBucketAcl": configured.put_acl,
    "GetBucketVersioning": configured.get_versioning,
    "PutBucketVersioning": configured.put_versioning,
    "GetBucketPolicy": configured.get_policy,
    "PutBucketPolicy": configured.put_policy,
    "DeleteBucketPolicy": _deleted("s3:DeleteBucketPolicy", settings.POLICY),
    "GetBucketPolicyStatus": configured.get_policy_status,
    "GetBucketCors": getting(
        "s3:GetBucketCORS", settings.CORS, "NoSuchCORSConfiguration", configured.cors_xml
    ),
    "PutBucketCors": putting("s3:PutBucketCORS", settings.CORS, configured.cors_read),
    "DeleteBucketCors": _deleted("s3:PutBucketCORS", settings.CORS),
    "GetBucketLifecycleConfiguration": getting(
        "s3:GetLifecycleConfiguration",
        settings.LIFECYCLE,
        "NoSuchLifecycleConfiguration",
        configured.lifecycle_xml,
    ),
    "PutBucketLifecycleConfiguration": putting(
        "s3:PutLifecycleConfiguration", settings.LIFECYCLE, configured.lifecycle_read
    ),
    "DeleteBucketLifecycle": _deleted("s3:PutLifecycleConfiguration", settings.LIFECYCLE),
    "GetBucketTagging": getting(
        "s3:GetBucketTagging", settings.TAGGING, "NoSuchTagSet", configured.tags_xml
    ),
    "PutBucketTagging": putting("s3:PutBucketTagging", settings.TAGGING, configured.tags_read, 204),
    "DeleteBucketTagging": _deleted("s3:PutBucketTagging", settings.TAGGING),
    "GetBucketOwnershipControls": getting(
        "s3:GetBucketOwnershipControls",
        settings.OWNERSHIP,
        "OwnershipControlsNotFoundError",
        configured.ownership_xml,
    ),
    "PutBucketOwnershipControls": putting(
        "s3:PutBucketOwnershipControls", settings.OWNERSHIP, configured.ownership_read
    ),
    "DeleteBucketOwnershipControls": _deleted("s3:PutBucketOwnershipControls", settings.OWNERSHIP),
    "GetPublicAccessBlock": getting(
        "s3:GetBucketPublicAccessBlock",
        settings.PUBLIC,
        "NoSuchPublicAccessBlockConfiguration",
        configured.public_xml,
    ),
    "PutPublicAccessBlock": putting(
        "s3:PutBucketPublicAccessBlock", settings.PUBLIC, configured.public_read
    ),
    "DeletePublicAccessBlock": _deleted("s3:PutBucketPublicAccessBlock", settings.PUBLIC),
}
