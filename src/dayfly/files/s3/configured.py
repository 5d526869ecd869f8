"""What a bucket is told to be like: CORS, lifecycle, policy, tags, versioning, locks, access."""

from collections.abc import Callable

from dayfly.files.objects import Bucket, Versioning
from dayfly.files.s3 import acl as acls
from dayfly.files.s3 import cors, lifecyclexml, policy, rights, settings
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.metadata import MOST_BUCKET_TAGS
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.request import Request
from dayfly.files.s3.tagging import tags_of_xml, xml_of_tags
from dayfly.files.s3.xmlread import element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tags, yes_or_no

Handler = Callable[[Request, bytes], Answer]
_PUBLIC = {
    "BlockPublicAcls": "block_acls",
    "IgnorePublicAcls": "ignore_acls",
    "BlockPublicPolicy": "block_policy",
    "RestrictPublicBuckets": "restrict",
}


def getting(action: str, name: str, missing: str, write: Callable[[Bucket], bytes]) -> Handler:
    """A handler that shows a document; `missing` is the code where there is none."""

    def handler(request: Request, _: bytes) -> Answer:
        bucket = _allowed(request, action)
        if name not in bucket.settings:
            raise S3Error(missing, BucketName=bucket.name)
        return xml(write(bucket))

    return handler


def putting(
    action: str, name: str, read: Callable[[bytes, Bucket], object], status: int = 200
) -> Handler:
    def handler(request: Request, body: bytes) -> Answer:
        bucket = _allowed(request, action)
        found = read(body, bucket)
        text = found if isinstance(found, str) else settings.written(found)
        request.repository.set_document(bucket.name, name, text)
        return Answer(status=status)

    return handler


def deleting(action: str, name: str) -> Handler:
    def handler(request: Request, _: bytes) -> Answer:
        bucket = _allowed(request, action)
        request.repository.set_document(bucket.name, name, None)
        return Answer(status=204)

    return handler


def _allowed(request: Request, action: str) -> Bucket:
    bucket = request.bucket()
    rights.check(request, bucket, action)
    return bucket


def cors_xml(bucket: Bucket) -> bytes:
    return cors.xml_of(settings.cors_of(bucket))


def cors_read(body: bytes, _: Bucket) -> object:
    return cors.of_xml(body)


def lifecycle_xml(bucket: Bucket) -> bytes:
    return lifecyclexml.xml_of(settings.lifecycle_of(bucket))


def lifecycle_read(body: bytes, _: Bucket) -> object:
    return lifecyclexml.of_xml(body)


def tags_xml(bucket: Bucket) -> bytes:
    return xml_of_tags(settings.tags_of(bucket) or {})


def tags_read(body: bytes, _: Bucket) -> object:
    return tags_of_xml(body, MOST_BUCKET_TAGS)


def ownership_xml(bucket: Bucket) -> bytes:
    rule = around("Rule", tags(ObjectOwnership=bucket.settings[settings.OWNERSHIP]))
    return document("OwnershipControls", rule)


def ownership_read(body: bytes, bucket: Bucket) -> object:
    rule = element_of(body, "OwnershipControls").only("Rule").first("Rule")
    told = rule.only("ObjectOwnership").need("ObjectOwnership") if rule else ""
    if told not in settings.OWNERSHIPS:
        raise malformed(f"<ObjectOwnership> must be one of {', '.join(settings.OWNERSHIPS)}.")
    others = [each for each in settings.acl_of(bucket).grants if each.to != bucket.owner]
    if told == "BucketOwnerEnforced" and others:
        raise S3Error("InvalidBucketAclWithObjectOwnership")
    return told


def public_xml(bucket: Bucket) -> bytes:
    found = settings.public_of(bucket)
    told = {name: yes_or_no(getattr(found, field)) for name, field in _PUBLIC.items()}
    return document("PublicAccessBlockConfiguration", tags(**told))


def public_read(body: bytes, _: Bucket) -> object:
    root = element_of(body, "PublicAccessBlockConfiguration").only(*_PUBLIC)
    return settings.PublicBlock(**{field: root.flag(name) for name, field in _PUBLIC.items()})


def get_policy(request: Request, _: bytes) -> Answer:
    bucket = _allowed(request, "s3:GetBucketPolicy")
    text = bucket.settings.get(settings.POLICY)
    if text is None:
        raise S3Error("NoSuchBucketPolicy", BucketName=bucket.name)
    return Answer(headers=[("content-type", "application/json")], body=text.encode())


def put_policy(request: Request, body: bytes) -> Answer:
    bucket = _allowed(request, "s3:PutBucketPolicy")
    found = policy.policy_of(body, bucket.name)
    block = settings.public_of(bucket)
    if found.is_public and block and block.block_policy:
        raise S3Error("AccessDenied", "The bucket's public access block forbids this policy.")
    request.repository.set_document(bucket.name, settings.POLICY, body.decode())
    return Answer(status=204)


def get_policy_status(request: Request, _: bytes) -> Answer:
    bucket = _allowed(request, "s3:GetBucketPolicyStatus")
    found = settings.policy_of(bucket)
    public = settings.acl_of(bucket).is_public or (found is not None and found.is_public)
    return xml(document("PolicyStatus", tags(IsPublic=yes_or_no(public))))


def get_versioning(request: Request, _: bytes) -> Answer:
    bucket = _allowed(request, "s3:GetBucketVersioning")
    state = bucket.versioning.value or None
    return xml(document("VersioningConfiguration", tags(Status=state)))


def put_versioning(request: Request, body: bytes) -> Answer:
    bucket = _allowed(request, "s3:PutBucketVersioning")
    root = element_of(body, "VersioningConfiguration").only("Status", "MfaDelete")
    if (root.said("MfaDelete") or "Disabled") != "Disabled":
        raise S3Error("NotImplemented", "MFA delete is not implemented.")
    told = root.said("Status")
    if told not in ("Enabled", "Suspended"):
        raise malformed("<Status> must be Enabled or Suspended.")
    if settings.locks(bucket) and told == "Suspended":
        raise S3Error("InvalidBucketState", "Object lock needs versioning.")
    request.repository.set_versioning(bucket.name, Versioning(told))
    return Answer()


def get_acl(request: Request, _: bytes) -> Answer:
    bucket = _allowed(request, "s3:GetBucketAcl")
    return xml(acls.xml_of(settings.acl_of(bucket), request.service.accounts))


def put_acl(request: Request, body: bytes) -> Answer:
    bucket = _allowed(request, "s3:PutBucketAcl")
    accounts = request.service.accounts
    found = acls.of_headers(request.headers, bucket.owner, bucket.owner, accounts)
    if found is None:
        found = acls.of_xml(body, bucket.owner, accounts)
    elif body:
        raise S3Error("InvalidRequest", "Either headers or a body say what the ACL is to be.")
    check_acl(bucket, found)
    request.repository.set_document(bucket.name, settings.ACL, settings.written(found))
    return Answer()


def check_acl(bucket: Bucket, acl: acls.Acl) -> None:
    """S3Error where the bucket does not allow it."""
    if settings.enforced(bucket):
        raise S3Error("AccessControlListNotSupported")
    block = settings.public_of(bucket)
    if acl.is_public and block and block.block_acls:
        raise S3Error("AccessDenied", "The bucket's public access block forbids this ACL.")
