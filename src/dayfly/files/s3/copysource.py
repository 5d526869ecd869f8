"""The object that a copy is made of, as `x-amz-copy-source` names it."""

from urllib.parse import unquote

from dayfly.files.errors import MarkerError, NoSuchKeyError
from dayfly.files.objects import Bucket, Version
from dayfly.files.opened import Opened
from dayfly.files.s3 import conditions, rights
from dayfly.files.s3.problem import S3Error, invalid
from dayfly.files.s3.request import Request, bucket_of


def source_of(request: Request) -> tuple[Bucket, Opened]:
    """What `x-amz-copy-source` names, if the caller may read it and its conditions hold.

    Close it. It is open so that what is copied is what the conditions were decided on.
    """
    bucket_name, key, version_id = copy_source(request.headers["x-amz-copy-source"])
    bucket = bucket_of(request, bucket_name, "x-amz-source-expected-bucket-owner")
    try:
        opened = request.repository.open(bucket_name, key, version_id)
    except MarkerError as error:
        raise S3Error(
            "InvalidRequest", "The source of a copy may not be a delete marker."
        ) from error
    except NoSuchKeyError as error:
        if not rights.may(request, bucket, "s3:ListBucket", more={"s3:prefix": (key,)}):
            raise S3Error("AccessDenied") from error
        raise
    try:
        action = "s3:GetObjectVersion" if version_id else "s3:GetObject"
        _check_source(request, bucket, opened.version, action)
    except BaseException:
        opened.close()
        raise
    return bucket, opened


def _check_source(request: Request, bucket: Bucket, version: Version, action: str) -> None:
    rights.check(request, bucket, action, key=version.key, version=version)
    prefix = "x-amz-copy-source-"
    if conditions.outcome(request.headers, version.etag, version.modified, prefix) != "go":
        raise S3Error("PreconditionFailed")


def copy_source(header: str) -> tuple[str, str, str]:
    """Bucket, key and version's id."""
    path, _, version_id = header.partition("?versionId=")
    bucket, _, key = unquote(path.removeprefix("/")).partition("/")
    if not bucket or not key:
        raise invalid("x-amz-copy-source", header, "BUCKET/KEY?versionId=ID")
    return bucket, key, version_id
