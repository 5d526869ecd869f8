"""What a writer says about an object, and under which conditions it is to be written."""

import re
from collections.abc import Mapping

from dayfly.clock import SECOND
from dayfly.files.condition import Condition
from dayfly.files.objects import Bucket, Checksum, Description, Lock
from dayfly.files.s3 import acl as acls
from dayfly.files.s3 import lock, rights, settings
from dayfly.files.s3.conditions import instant
from dayfly.files.s3.configured import check_acl
from dayfly.files.s3.metadata import kept_headers, tags_of_header, user_metadata
from dayfly.files.s3.problem import S3Error, invalid, not_implemented
from dayfly.files.s3.request import Request

LEASE = "x-dayfly-lease"


def etags_of(header: str | None) -> tuple[str, ...]:
    if header is None:
        return ()
    return tuple(each.strip().removeprefix("W/").strip('"') for each in header.split(","))


def condition_of(headers: Mapping[str, str]) -> Condition:
    if "if-modified-since" in headers:
        raise not_implemented("The header if-modified-since of a write")
    return Condition(
        if_match=etags_of(headers.get("if-match")),
        if_none_match=etags_of(headers.get("if-none-match")),
        if_unmodified_since=_unmodified_since(headers),
        token=token_of(headers),
    )


def _unmodified_since(headers: Mapping[str, str]) -> int | None:
    """As of a reader: an ETag outweighs it. But what can't be read is no leave to write."""
    told = headers.get("if-unmodified-since")
    if told is None or "if-match" in headers:
        return None
    since = instant(told)
    if since is None:
        raise invalid("if-unmodified-since", told, "a date of HTTP, or of ISO 8601")
    return round(since) * SECOND


def token_of(headers: Mapping[str, str]) -> int | None:
    """Of the lease under which somebody writes."""
    text = headers.get(LEASE)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise invalid(LEASE, text, "the token of a lease")
    return int(text)


def owner_of(request: Request, bucket: Bucket) -> str:
    """What nobody in particular writes belongs to the bucket's owner."""
    if request.caller.operator:
        return bucket.owner
    return settings.owner_of(request.caller.id or "", bucket)


def described(
    request: Request,
    bucket: Bucket,
    checksum: Checksum | None = None,
    fields: Mapping[str, str] | None = None,
) -> Description:
    """By the headers, or by the fields of a form. S3Error where the caller may not say it."""
    told = request.headers if fields is None else fields
    tags = tags_of_header(told["x-amz-tagging"]) if told.get("x-amz-tagging") else {}
    return Description(
        owner=bucket.owner if _given_up(bucket, told) else owner_of(request, bucket),
        metadata=user_metadata(told),
        headers=kept_headers(told),
        tags=tags,
        acl=acl_of(request, bucket, told),
        checksum=checksum,
        lock=lock_of(request, bucket, told),
        provenance=request.origin,
    )


def acl_of(request: Request, bucket: Bucket, told: Mapping[str, str]) -> str:
    owner = owner_of(request, bucket)
    found = acls.of_headers(told, owner, bucket.owner, request.service.accounts)
    if found is None:
        return ""
    if settings.enforced(bucket):
        if told.get("x-amz-acl") != "bucket-owner-full-control":
            raise S3Error("AccessControlListNotSupported")
        return ""
    check_acl(bucket, found)
    if _given_up(bucket, told):
        found = acls.private(bucket.owner)
    return settings.written(found)


def _given_up(bucket: Bucket, told: Mapping[str, str]) -> bool:
    """With BucketOwnerPreferred who gives full control gives the object."""
    preferred = bucket.settings.get(settings.OWNERSHIP) == "BucketOwnerPreferred"
    return preferred and told.get("x-amz-acl") == "bucket-owner-full-control"


def lock_of(request: Request, bucket: Bucket, told: Mapping[str, str]) -> Lock:
    mode = told.get("x-amz-object-lock-mode", "")
    until = told.get("x-amz-object-lock-retain-until-date", "")
    hold = told.get("x-amz-object-lock-legal-hold", "")
    if not settings.locks(bucket):
        if mode or until or hold:
            raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
        return Lock()
    held = bool(hold) and lock.held(hold)
    if not mode and not until:
        default = settings.lock_of(bucket)
        at = default.until(request.now) if default.mode else 0
        return Lock(mode=default.mode, until=at, hold=held)
    if not (mode and until):
        raise S3Error("InvalidArgument", "A lock has both a mode and a retain until date.")
    at = lock.instant(until)
    if at <= request.now:
        raise S3Error("InvalidArgument", "The retain until date must be in the future!")
    return Lock(mode=lock.mode_of(mode), until=at, hold=held)


def check_write(request: Request, bucket: Bucket, description: Description, key: str) -> None:
    """Whether the caller may put the object, with all that is said about it."""
    more = rights.of_tags(description.tags)
    rights.check(request, bucket, "s3:PutObject", key=key, more=more)
    if description.acl:
        rights.check_not_denied(request, bucket, "s3:PutObjectAcl", key, more)
    if description.tags:
        rights.check_not_denied(request, bucket, "s3:PutObjectTagging", key, more)
