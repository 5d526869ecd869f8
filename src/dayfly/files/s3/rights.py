"""Who may do what: policy first, then ownership, then ACLs. Deciding is pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from dayfly.files.objects import Bucket, Version
from dayfly.files.s3 import settings
from dayfly.files.s3.policy import Asked, Policy
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.request import Request

Values = Mapping[str, tuple[str, ...]]
# What an ACL has to grant for an action; for the others one has to own the bucket.
OF_BUCKET: Mapping[str, str] = {
    "s3:ListBucket": "READ",
    "s3:ListBucketVersions": "READ",
    "s3:ListBucketMultipartUploads": "READ",
    "s3:PutObject": "WRITE",
    "s3:DeleteObject": "WRITE",
    "s3:AbortMultipartUpload": "WRITE",
    "s3:ListMultipartUploadParts": "WRITE",
    "s3:GetBucketAcl": "READ_ACP",
    "s3:PutBucketAcl": "WRITE_ACP",
}
OF_OBJECT: Mapping[str, str] = {
    "s3:GetObject": "READ",
    "s3:GetObjectVersion": "READ",
    "s3:GetObjectAttributes": "READ",
    "s3:GetObjectVersionAttributes": "READ",
    "s3:GetObjectAcl": "READ_ACP",
    "s3:GetObjectVersionAcl": "READ_ACP",
    "s3:PutObjectAcl": "WRITE_ACP",
    "s3:PutObjectVersionAcl": "WRITE_ACP",
    "s3:GetObjectTagging": "owner",
    "s3:GetObjectVersionTagging": "owner",
    "s3:PutObjectTagging": "owner",
    "s3:PutObjectVersionTagging": "owner",
    "s3:DeleteObjectTagging": "owner",
    "s3:DeleteObjectVersionTagging": "owner",
}
# The owner can always undo a policy that shuts everybody out.
_NEVER_SHUT = frozenset(("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"))
_OF_HEADERS = (
    "x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-grant-full-control",
    "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp",
    "x-amz-storage-class", "x-amz-content-sha256", "x-amz-object-ownership", "if-match",
    "if-none-match", "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
)  # fmt: skip
# Whether what is written is there at once; the parts of an upload are not.
_CREATES: Mapping[str, str] = {
    "PutObject": "true",
    "PutObjectCopy": "true",
    "PostObject": "true",
    "CompleteMultipartUpload": "true",
    "CreateMultipartUpload": "false",
    "UploadPart": "false",
    "UploadPartCopy": "false",
}
_OF_PARAMETERS = ("prefix", "delimiter", "max-keys")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to do; `key` and `version` where it is about an object."""

    action: str
    account: str | None
    bucket: Bucket
    key: str = ""
    version: Version | None = None


def permitted(wish: Wish, values: Callable[[], Values]) -> bool:
    """`values` are what conditions of a policy are about; they cost something to find out."""
    verdict = _by_policy(wish, settings.policy_of(wish.bucket), values)
    owns = wish.account is not None and wish.account == wish.bucket.owner
    if verdict == "deny":
        return owns and wish.action in _NEVER_SHUT
    return verdict == "allow" or _by_owner(wish, owns=owns) or _by_acl(wish)


def _by_policy(wish: Wish, policy: Policy | None, values: Callable[[], Values]) -> str:
    if policy is None:
        return ""
    resource = f"{wish.bucket.name}/{wish.key}" if wish.key else wish.bucket.name
    asked = Asked(
        action=wish.action,
        resource=resource,
        account=wish.account,
        values=values() if any(each.condition for each in policy.statements) else {},
    )
    verdict = policy.decides(asked)
    block = settings.public_of(wish.bucket)
    shut = block and block.restrict and policy.is_public and wish.account != wish.bucket.owner
    return "" if shut and verdict == "allow" else verdict


def _by_owner(wish: Wish, *, owns: bool) -> bool:
    """Objects belong to who wrote them, so the bucket's owner has no right to all of them."""
    if wish.version is not None and wish.action in OF_OBJECT:
        permission = OF_OBJECT[wish.action]
        owner = settings.object_acl(wish.version, wish.bucket).owner
        acts = permission == "owner" or permission.endswith("_ACP")
        return wish.account == owner and (acts or settings.enforced(wish.bucket))
    return owns


def _by_acl(wish: Wish) -> bool:
    block = settings.public_of(wish.bucket)
    public = not (block and block.ignore_acls)
    permission = OF_OBJECT.get(wish.action)
    if wish.version is not None and permission:
        found = settings.object_acl(wish.version, wish.bucket)
        return permission != "owner" and found.permits(wish.account, permission, public=public)
    permission = OF_BUCKET.get(wish.action)
    if not permission or settings.enforced(wish.bucket):
        return False
    return settings.acl_of(wish.bucket).permits(wish.account, permission, public=public)


def check(
    request: Request,
    bucket: Bucket,
    action: str,
    *,
    key: str = "",
    version: Version | None = None,
    more: Values | None = None,
) -> None:
    """AccessDenied unless the caller may."""
    if not may(request, bucket, action, key=key, version=version, more=more):
        raise S3Error("AccessDenied")


def check_not_denied(request: Request, bucket: Bucket, action: str, key: str, more: Values) -> None:
    """AccessDenied where a policy denies it, for what comes with a put that is allowed."""
    wish = Wish(action=action, account=request.caller.id, bucket=bucket, key=key)
    policy = settings.policy_of(bucket)
    if _by_policy(wish, policy, lambda: {**values_of(request, None), **more}) == "deny":
        raise S3Error("AccessDenied")


def may(
    request: Request,
    bucket: Bucket,
    action: str,
    *,
    key: str = "",
    version: Version | None = None,
    more: Values | None = None,
) -> bool:
    if request.caller.operator:
        return True
    wish = Wish(action=action, account=request.caller.id, bucket=bucket, key=key, version=version)
    return permitted(wish, lambda: {**values_of(request, version), **(more or {})})


def values_of(request: Request, version: Version | None) -> dict[str, tuple[str, ...]]:
    call = request.call
    found = {
        "aws:sourceip": call.client,
        "aws:securetransport": "true" if call.secure else "false",
        "aws:currenttime": datetime.fromtimestamp(request.now // 10**9, UTC).isoformat(),
        "aws:epochtime": str(request.now // 10**9),
        "aws:useragent": call.headers.get("user-agent"),
        "aws:referer": call.headers.get("referer"),
        "aws:userid": request.caller.id,
        "aws:username": request.caller.id,
        "s3:authtype": _auth_type(request),
        "s3:signatureversion": request.caller.signed or None,
        "s3:objectcreationoperation": _CREATES.get(request.operation),
        "s3:versionid": request.version or None,
        "s3:locationconstraint": request.service.region,
        "s3:object-lock-mode": call.headers.get("x-amz-object-lock-mode"),
        "s3:object-lock-legal-hold": call.headers.get("x-amz-object-lock-legal-hold"),
        "s3:object-lock-retain-until-date": call.headers.get("x-amz-object-lock-retain-until-date"),
    }
    found |= {f"s3:{name}": call.headers.get(name) for name in _OF_HEADERS}
    found |= {f"s3:{name}": call.parameters.get(name) for name in _OF_PARAMETERS}
    if source := found.get("s3:x-amz-copy-source"):
        found["s3:x-amz-copy-source"] = source.lstrip("/")
    if version is not None:
        tags = version.description.tags
        found |= {f"s3:existingobjecttag/{name}": value for name, value in tags.items()}
    return {name: (value,) for name, value in found.items() if value is not None}


def _auth_type(request: Request) -> str | None:
    if not request.caller.signed:
        return None
    if request.operation == "PostObject":
        return "POST"
    return "REST-HEADER" if "authorization" in request.headers else "REST-QUERY-STRING"


def of_tags(tags: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What conditions may say about the tags that a request brings."""
    found: dict[str, tuple[str, ...]] = {
        f"s3:requestobjecttag/{name}": (value,) for name, value in tags.items()
    }
    return found | ({"s3:requestobjecttagkeys": tuple(tags)} if tags else {})
