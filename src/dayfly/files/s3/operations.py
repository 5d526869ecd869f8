"""What a request asks for, by its method and the sub-resource that its query names."""

from collections.abc import Mapping

from dayfly.files.s3.address import Address
from dayfly.files.s3.call import Call
from dayfly.files.s3.problem import S3Error, not_implemented

# By "METHOD sub-resource"; the names are those of Amazon's API, and ours of leases and watches.
SERVICE: Mapping[str, str] = {"GET": "ListBuckets"}
BUCKET: Mapping[str, str] = {
    "GET": "ListObjects",
    "GET acl": "GetBucketAcl",
    "GET cors": "GetBucketCors",
    "GET lifecycle": "GetBucketLifecycleConfiguration",
    "GET location": "GetBucketLocation",
    "GET object-lock": "GetObjectLockConfiguration",
    "GET ownershipControls": "GetBucketOwnershipControls",
    "GET policy": "GetBucketPolicy",
    "GET policyStatus": "GetBucketPolicyStatus",
    "GET publicAccessBlock": "GetPublicAccessBlock",
    "GET tagging": "GetBucketTagging",
    "GET uploads": "ListMultipartUploads",
    "GET versioning": "GetBucketVersioning",
    "GET versions": "ListObjectVersions",
    "GET leases": "ListLeases",
    "GET watch": "WatchBucket",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "PUT acl": "PutBucketAcl",
    "PUT cors": "PutBucketCors",
    "PUT lifecycle": "PutBucketLifecycleConfiguration",
    "PUT object-lock": "PutObjectLockConfiguration",
    "PUT ownershipControls": "PutBucketOwnershipControls",
    "PUT policy": "PutBucketPolicy",
    "PUT publicAccessBlock": "PutPublicAccessBlock",
    "PUT tagging": "PutBucketTagging",
    "PUT versioning": "PutBucketVersioning",
    "POST": "PostObject",
    "POST delete": "DeleteObjects",
    "DELETE": "DeleteBucket",
    "DELETE cors": "DeleteBucketCors",
    "DELETE lifecycle": "DeleteBucketLifecycle",
    "DELETE ownershipControls": "DeleteBucketOwnershipControls",
    "DELETE policy": "DeleteBucketPolicy",
    "DELETE publicAccessBlock": "DeletePublicAccessBlock",
    "DELETE tagging": "DeleteBucketTagging",
}
OBJECT: Mapping[str, str] = {
    "GET": "GetObject",
    "GET acl": "GetObjectAcl",
    "GET attributes": "GetObjectAttributes",
    "GET lease": "GetLease",
    "GET legal-hold": "GetObjectLegalHold",
    "GET retention": "GetObjectRetention",
    "GET tagging": "GetObjectTagging",
    "GET uploadId": "ListParts",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "PUT acl": "PutObjectAcl",
    "PUT lease": "PutLease",
    "PUT legal-hold": "PutObjectLegalHold",
    "PUT retention": "PutObjectRetention",
    "PUT tagging": "PutObjectTagging",
    "PUT uploadId": "UploadPart",
    "POST uploadId": "CompleteMultipartUpload",
    "POST uploads": "CreateMultipartUpload",
    "DELETE": "DeleteObject",
    "DELETE lease": "DeleteLease",
    "DELETE tagging": "DeleteObjectTagging",
    "DELETE uploadId": "AbortMultipartUpload",
}
# What Amazon has and this archive has not: it is never taken for the plain request.
ELSEWHERE = frozenset(
    (
        "abac", "accelerate", "analytics", "append", "encryption", "intelligent-tiering",
        "inventory", "logging", "metadataConfiguration", "metadataInventoryTable",
        "metadataJournalTable", "metadataTable", "metrics", "notification", "renameObject",
        "replication", "requestPayment", "restore", "select", "session", "torrent", "website",
    )
)  # fmt: skip
_SUB = frozenset(
    name.partition(" ")[2] for table in (BUCKET, OBJECT) for name in table if " " in name
)
_ALL = _SUB | ELSEWHERE
_METHODS = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE"))
# Headers that ask for what is not there; a value that asks for nothing special is allowed.
_HEADERS: Mapping[str, frozenset[str]] = {
    "x-amz-mfa": frozenset(),
    "x-amz-object-lambda": frozenset(),
    "x-amz-storage-class": frozenset(("STANDARD",)),
    "x-amz-website-redirect-location": frozenset(),
    "x-amz-write-offset-bytes": frozenset(),
    "x-amz-rename-source": frozenset(),
}
_ENCRYPTION = ("x-amz-server-side-encryption", "x-amz-copy-source-server-side-encryption")


# What would change the meaning of a request, and has none for this one.
_OUT_OF_PLACE: Mapping[str, tuple[str, ...]] = {
    "PutObject": ("partNumber", "versionId"),
    "UploadPart": ("versionId",),
    "CreateMultipartUpload": ("partNumber", "versionId"),
    "CompleteMultipartUpload": ("partNumber", "versionId"),
}


def operation_of(call: Call, address: Address) -> str:
    """S3Error: NotImplemented for what there is elsewhere, MethodNotAllowed for what makes none."""
    refuse_elsewhere(call)
    table = OBJECT if address.key else BUCKET if address.bucket else SERVICE
    sub = next((name for name in call.parameters if name in _ALL), "") if call.pairs else ""
    if sub in ELSEWHERE:
        raise not_implemented(f"?{sub}")
    found = table.get(f"{call.method} {sub}" if sub else call.method)
    if found is None:
        raise _none_of(call, table, sub)
    for name in _OUT_OF_PLACE.get(found, ()) if call.pairs else ():
        if name in call.parameters:
            raise S3Error("InvalidArgument", f"{found} takes no {name}.", ArgumentName=name)
    return f"{found}Copy" if _copies(call, found) else found


def refuse_elsewhere(call: Call) -> None:
    """A header that is not understood would otherwise be a promise that is not kept."""
    for name, value in call.headers.items():
        if name.startswith("x-amz-") and (
            name.startswith(_ENCRYPTION) or value not in _HEADERS.get(name, (value,))
        ):
            raise not_implemented(f"The header {name}")


def _copies(call: Call, name: str) -> bool:
    return name in ("PutObject", "UploadPart") and "x-amz-copy-source" in call.headers


def _none_of(call: Call, table: Mapping[str, str], sub: str) -> S3Error:
    if call.method not in _METHODS:
        return S3Error("MethodNotAllowed", Method=call.method[:20])
    if sub and not any(each.endswith(f" {sub}") for each in table):
        return not_implemented(f"?{sub} here")
    return S3Error("MethodNotAllowed", Method=call.method, ResourceType=sub.upper() or "OBJECT")
