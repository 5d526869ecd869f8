"""Buckets themselves: made, listed, looked for, deleted."""

from contextlib import suppress

from dayfly.files.errors import BucketExistsError, NoSuchBucketError
from dayfly.files.objects import Bucket
from dayfly.files.s3 import acl as acls
from dayfly.files.s3 import rights, settings
from dayfly.files.s3.accounts import Account
from dayfly.files.s3.address import check_bucket_name
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.problem import S3Error, invalid, not_implemented
from dayfly.files.s3.request import Request, number_of
from dayfly.files.s3.xmlread import element_of
from dayfly.files.s3.xmlwrite import around, document, iso, tags

MOST_BUCKETS = 10_000
NOBODY = Account(id="")
_MISSING = {
    "Bucket": "A directory bucket",
    "Location": "A directory bucket",
    "Tags": "Tagging a bucket while it is made",
}


def listed(request: Request, _: bytes) -> Answer:
    account = request.caller.account or NOBODY
    asked = request.parameters
    most = number_of(asked, "max-buckets", MOST_BUCKETS, least=1, most=MOST_BUCKETS)
    after, prefix = asked.get("continuation-token", ""), asked.get("prefix", "")
    own = [
        each
        for each in request.repository.buckets()
        if account.operator or each.owner == account.id
    ]
    own = [each for each in own if each.name > after and each.name.startswith(prefix)]
    shown = own[:most]
    more = {"ContinuationToken": shown[-1].name} if len(own) > most else {}
    return xml(
        document(
            "ListAllMyBucketsResult",
            around("Owner", tags(ID=account.id, DisplayName=account.display_name)),
            around("Buckets", *map(_line, shown)),
            tags(Prefix=asked.get("prefix"), **more),
        )
    )


def _line(bucket: Bucket) -> str:
    return around("Bucket", tags(Name=bucket.name, CreationDate=iso(bucket.created)))


def create(request: Request, body: bytes) -> Answer:
    account, name = request.account(), request.address.bucket
    check_bucket_name(name)
    _check_may_make(request, account, name)
    if body:
        _check_place(body, request)
    headers = request.headers
    ownership = headers.get("x-amz-object-ownership", "")
    if ownership and ownership not in settings.OWNERSHIPS:
        raise invalid("x-amz-object-ownership", ownership, ", ".join(settings.OWNERSHIPS))
    acl = acls.of_headers(headers, account.id, account.id, request.service.accounts)
    if acl and acl.is_public and ownership == "BucketOwnerEnforced":
        raise S3Error("InvalidBucketAclWithObjectOwnership")
    locks = headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true"
    try:
        request.repository.create_bucket(name, owner=account.id, object_lock=locks)
    except BucketExistsError as error:
        if error.owner != account.id:
            raise
        return _made_again(request, acl or acls.private(account.id))
    if ownership:
        request.repository.set_document(name, settings.OWNERSHIP, ownership)
    if acl:
        request.repository.set_document(name, settings.ACL, settings.written(acl))
    return Answer(headers=[("location", f"/{name}")])


def _check_may_make(request: Request, account: Account, name: str) -> None:
    """What is its own already it may say again."""
    if account.may_make(name):
        return
    with suppress(NoSuchBucketError):
        if request.repository.bucket(name).owner == account.id:
            return
    raise S3Error(
        "AccessDenied",
        f"The application {account.id} makes buckets whose names begin with {account.id!r} and a"
        " dot, as any other name may be another application's.",
        BucketName=name,
    )


def _made_again(request: Request, acl: acls.Acl) -> Answer:
    """By its owner, as it is: many programs make sure of their bucket in this way."""
    bucket = request.bucket()
    if settings.acl_of(bucket) != acl:
        raise S3Error("BucketAlreadyExists", BucketName=bucket.name)
    return Answer(headers=[("location", f"/{bucket.name}")])


def _check_place(body: bytes, request: Request) -> None:
    root = element_of(body, "CreateBucketConfiguration").only("LocationConstraint", *_MISSING)
    place = root.said("LocationConstraint")
    if place and place not in (request.service.region, "default", ""):
        raise S3Error(
            "InvalidArgument", f"The archive is in {request.service.region}, not in {place[:40]}."
        )
    for name, what in _MISSING.items():
        if root.first(name):
            raise not_implemented(what)


def head(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    rights.check(request, bucket, "s3:ListBucket")
    return Answer(headers=[("x-amz-bucket-region", request.service.region)])


def delete(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    rights.check(request, bucket, "s3:DeleteBucket")
    request.repository.delete_bucket(bucket.name)
    return Answer(status=204)


def location(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    rights.check(request, bucket, "s3:GetBucketLocation")
    region = request.service.region
    return xml(document("LocationConstraint", "" if region == "us-east-1" else region))
