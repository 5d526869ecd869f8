"""GetObject and HeadObject, and what other requests read of an object."""

from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from dayfly.clock import SECOND
from dayfly.files.errors import NoSuchKeyError
from dayfly.files.objects import Bucket, Version, Versioning
from dayfly.files.opened import Opened
from dayfly.files.s3 import conditions, lifecycle, rights, settings
from dayfly.files.s3.answer import Answer, Lent
from dayfly.files.s3.checksums import element_of, header_of
from dayfly.files.s3.head import Headers
from dayfly.files.s3.metadata import DEFAULT_TYPE, USER
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.ranges import Range, is_of_state, range_of
from dayfly.files.s3.request import Request, number_of
from dayfly.files.s3.xmlwrite import iso, tag

MOST_HELD = 64 * 1024  # bytes of an answer that is not sent from its file
_OVERRIDES = (
    "cache-control", "content-disposition", "content-encoding", "content-language",
    "content-type", "expires",
)  # fmt: skip


def get(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    return sent(request, bucket, found(request, bucket))


def sent(request: Request, bucket: Bucket, opened: Opened) -> Answer:
    """Closes what is opened, or leaves it to who sends it."""
    lent = False
    try:
        status, headers, part = told(request, bucket, opened.version)
        if part.size > MOST_HELD:
            lent = True
            return Answer(status=status, headers=headers, body=Lent(opened, part))
        body = b"".join(opened.pieces(part.start, part.end))
        return Answer(status=status, headers=headers, body=body)
    finally:
        if not lent:
            opened.close()


def head(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    opened = found(request, bucket)
    with opened:
        status, headers, part = told(request, bucket, opened.version)
    return Answer(status=status, headers=[*headers, ("content-length", str(part.size))])


def found(request: Request, bucket: Bucket, kind: str = "") -> Opened:
    """What is asked for, if the caller may have it; close it. Else NoSuchKey, or AccessDenied."""
    key, version_id = request.address.key, request.version
    action = f"s3:GetObject{'Version' if version_id else ''}{kind}"
    try:
        opened = request.repository.open(bucket.name, key, version_id)
    except NoSuchKeyError as error:
        if not rights.may(request, bucket, "s3:ListBucket", more={"s3:prefix": (key,)}):
            raise S3Error("AccessDenied") from error
        raise
    try:
        rights.check(request, bucket, action, key=key, version=opened.version)
    except S3Error:
        opened.close()
        raise
    return opened


def checksum_xml(version: Version) -> str:
    checksum = version.description.checksum
    if checksum is None:
        return ""
    kind = "COMPOSITE" if checksum.composite else "FULL_OBJECT"
    return tag(element_of(checksum.algorithm), checksum.value) + tag("ChecksumType", kind)


def version_headers(bucket: Bucket, version: Version) -> Headers:
    return [] if bucket.versioning == Versioning.NEVER else [("x-amz-version-id", version.id)]


def new_version_headers(bucket: Bucket, version: Version) -> Headers:
    """Of what was just written: a version of its own, or the one that is always replaced."""
    enabled = bucket.versioning == Versioning.ENABLED
    return [("x-amz-version-id", version.id)] if enabled else []


def checksum_headers(version: Version) -> Headers:
    checksum = version.description.checksum
    if checksum is None:
        return []
    kind = "COMPOSITE" if checksum.composite else "FULL_OBJECT"
    return [(header_of(checksum.algorithm), checksum.value), ("x-amz-checksum-type", kind)]


def expiration_headers(bucket: Bucket, version: Version) -> Headers:
    if settings.LIFECYCLE not in bucket.settings:
        return []
    rules = settings.lifecycle_of(bucket)
    expires = lifecycle.expires(
        rules, version.key, version.size, version.description.tags, version.modified
    )
    return [("x-amz-expiration", lifecycle.header_of(expires))] if expires else []


def told(request: Request, bucket: Bucket, version: Version) -> tuple[int, Headers, Range]:
    """Status, headers, and which part, by conditions and ranges."""
    outcome = conditions.outcome(request.headers, version.etag, version.modified)
    if outcome == "failed":
        raise S3Error("PreconditionFailed")
    if outcome == "not modified":
        raise _not_modified(version)
    overrides = _overrides(request) if request.parameters else {}
    headers = described(bucket, version, overrides)
    if "partNumber" in request.parameters:
        part = _part(request, version)
        count = str(len(version.parts) or 1)
        if version.parts:
            headers.append(("x-amz-mp-parts-count", count))
        headers.append(("content-range", part.told(version.size)))
        return 206, headers + _checksum_of_part(request, version), part
    meant = is_of_state(request.headers.get("if-range"), version.etag, date(version.modified))
    asked = range_of(request.headers.get("range", "") if meant else "", version.size)
    if asked is None:
        if _asks_checksum(request):
            headers += checksum_headers(version)
        return 200, headers, Range(0, version.size)
    headers.append(("content-range", asked.told(version.size)))
    return 206, headers, asked


def _part(request: Request, version: Version) -> Range:
    if "range" in request.headers:
        raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber.")
    number = number_of(request.parameters, "partNumber", 1, least=1, most=10_000)
    if number > max(1, len(version.parts)):
        raise S3Error("InvalidPart", "The object has no such part.")
    if not version.parts:
        return Range(0, version.size)
    start = sum(each.size for each in version.parts[: number - 1])
    return Range(start, start + version.parts[number - 1].size)


def _checksum_of_part(request: Request, version: Version) -> Headers:
    whole = version.description.checksum
    number = number_of(request.parameters, "partNumber", 1)
    part = version.parts[number - 1] if version.parts else None  # as `_part` counts them
    if not part or not part.checksum or not whole or not _asks_checksum(request):
        return []
    kind = "COMPOSITE" if whole.composite else "FULL_OBJECT"
    name = header_of(part.checksum.algorithm)
    return [(name, part.checksum.value), ("x-amz-checksum-type", kind)]


def _asks_checksum(request: Request) -> bool:
    return request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"


def described(bucket: Bucket, version: Version, overrides: Mapping[str, str]) -> Headers:
    """The headers of a version; `overrides` are those that the reader wants to be others."""
    said = version.description
    found = {
        "etag": f'"{version.etag}"',
        "last-modified": date(version.modified),
        "accept-ranges": "bytes",
        "content-type": DEFAULT_TYPE,
        **said.headers,
        **overrides,
    }
    headers = list(found.items())
    headers += [(f"{USER}{name}", value) for name, value in said.metadata.items()]
    headers += version_headers(bucket, version)
    if said.tags:
        headers.append(("x-amz-tagging-count", str(len(said.tags))))
    if settings.locks(bucket):
        headers += _lock_headers(version)
    return headers + expiration_headers(bucket, version)


def _overrides(request: Request) -> Mapping[str, str]:
    found = {
        name: request.parameters[f"response-{name}"]
        for name in _OVERRIDES
        if f"response-{name}" in request.parameters
    }
    if found and request.caller.account is None:
        raise S3Error(
            "InvalidRequest", "Request specific response headers cannot be used for anonymous GETs."
        )
    if any("\r" in value or "\n" in value for value in found.values()):
        raise S3Error("InvalidArgument", "A header has one line.")
    return found


def _lock_headers(version: Version) -> Headers:
    lock = version.description.lock
    found = []
    if lock.mode:
        found.append(("x-amz-object-lock-mode", lock.mode))
        found.append(("x-amz-object-lock-retain-until-date", iso(lock.until)))
    if lock.hold:
        found.append(("x-amz-object-lock-legal-hold", "ON"))
    return found


def _not_modified(version: Version) -> S3Error:
    error = S3Error("NotModified")
    error.headers = (("etag", f'"{version.etag}"'), ("last-modified", date(version.modified)))
    return error


def date(nanoseconds: int) -> str:
    return _whole(nanoseconds // SECOND)


@lru_cache(maxsize=4096)
def _whole(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
