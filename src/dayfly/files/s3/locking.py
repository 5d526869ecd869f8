"""Object lock: a bucket's default, and the retention and the legal hold of a version."""

from dayfly.files.objectlock import GOVERNANCE
from dayfly.files.objects import Bucket, Lock, Versioning
from dayfly.files.s3 import rights, settings
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.lock import default_of, default_xml, hold_of, retention_of
from dayfly.files.s3.marked import found
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.request import Request
from dayfly.files.s3.xmlwrite import document, iso, tags


def get_default(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    rights.check(request, bucket, "s3:GetBucketObjectLockConfiguration")
    if not settings.locks(bucket):
        raise S3Error("ObjectLockConfigurationNotFoundError", BucketName=bucket.name)
    return xml(default_xml(settings.lock_of(bucket)))


def put_default(request: Request, body: bytes) -> Answer:
    bucket = request.bucket()
    rights.check(request, bucket, "s3:PutBucketObjectLockConfiguration")
    told = default_of(body)
    if bucket.versioning != Versioning.ENABLED:
        raise S3Error(
            "InvalidBucketState", "Versioning must be Enabled on the bucket to lock its objects."
        )
    request.repository.enable_object_lock(bucket.name)
    request.repository.set_document(bucket.name, settings.LOCK, settings.written(told))
    return Answer()


def get_retention(request: Request, _: bytes) -> Answer:
    bucket, version = found(request, "GetObjectRetention")
    _check_locks(bucket)
    lock = version.description.lock
    if not lock.mode:
        raise S3Error("NoSuchObjectLockConfiguration")
    return xml(document("Retention", tags(Mode=lock.mode, RetainUntilDate=iso(lock.until))))


def put_retention(request: Request, body: bytes) -> Answer:
    bucket, version = found(request, "PutObjectRetention")
    _check_locks(bucket)
    mode, until = retention_of(body)
    if mode and until <= request.now:
        raise S3Error("InvalidArgument", "The retain until date must be in the future!")
    bypass, had = bypasses(request, bucket), version.description.lock
    if had.mode == GOVERNANCE != mode and had.until > request.now and not bypass:
        raise S3Error("AccessDenied", "The mode can be changed by who may bypass it.")
    request.repository.set_retention(
        bucket.name, version.key, request.version, Lock(mode=mode, until=until), bypass=bypass
    )
    return Answer()


def get_hold(request: Request, _: bytes) -> Answer:
    bucket, version = found(request, "GetObjectLegalHold")
    _check_locks(bucket)
    status = "ON" if version.description.lock.hold else "OFF"
    return xml(document("LegalHold", tags(Status=status)))


def put_hold(request: Request, body: bytes) -> Answer:
    bucket, version = found(request, "PutObjectLegalHold")
    _check_locks(bucket)
    hold = hold_of(body)
    request.repository.set_hold(bucket.name, version.key, request.version, hold=hold)
    return Answer()


def bypasses(request: Request, bucket: Bucket) -> bool:
    """Whether GOVERNANCE does not hold the caller up, who has to say so and to be allowed to."""
    asked = request.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    action = "s3:BypassGovernanceRetention"
    return asked and rights.may(request, bucket, action, key=request.address.key)


def _check_locks(bucket: Bucket) -> None:
    if not settings.locks(bucket):
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
