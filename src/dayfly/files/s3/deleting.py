"""DeleteObject, and many at once."""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from dayfly.files.condition import ALWAYS, ANY, Condition
from dayfly.files.errors import FilesError, NoSuchKeyError, NoSuchVersionError
from dayfly.files.objects import Bucket, Deletion
from dayfly.files.s3 import lock, rights
from dayfly.files.s3.answer import Answer, translated, xml
from dayfly.files.s3.head import Headers
from dayfly.files.s3.locking import bypasses
from dayfly.files.s3.problem import S3Error, invalid
from dayfly.files.s3.request import Request
from dayfly.files.s3.writes import etags_of, token_of
from dayfly.files.s3.xmlread import Element, element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tags

MOST = 1000  # keys of one request
_TOLD = ("Key", "VersionId", "ETag", "LastModifiedTime", "Size")


@dataclass(frozen=True, kw_only=True)
class Doomed:
    key: str
    version: str = ""
    condition: Condition = ALWAYS


def one(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    condition = _of_headers(request)
    doomed = Doomed(key=request.address.key, version=request.version, condition=condition)
    found = _deleted(request, bucket, doomed)
    return Answer(status=204, headers=_headers(found))


def many(request: Request, body: bytes) -> Answer:
    bucket = request.bucket()
    root = element_of(body, "Delete").only("Quiet", many=("Object",))
    told = [_whole(each) for each in root.all("Object")]
    if not 0 < len(told) <= MOST:
        raise malformed(f"There must be 1 to {MOST} <Object>.")
    quiet = root.flag("Quiet")
    lines = [_line(request, bucket, each, quiet=quiet) for each in told]
    return xml(document("DeleteResult", *lines))


def _whole(told: Element) -> Element:
    """Itself, read before anything is deleted; MalformedXML where it isn't as it must be."""
    for each in told.only(*_TOLD).children:
        _ = each.plain
    if told.first("Key") is None:
        raise malformed("<Object> has no <Key>.")
    return told


def _line(request: Request, bucket: Bucket, told: Element, *, quiet: bool) -> str:
    key, version = told.exactly("Key"), told.said("VersionId")
    named = tags(Key=key, VersionId=version)
    try:
        doomed = Doomed(key=key, version=version or "", condition=_of_xml(told))
        found = _deleted(request, bucket, doomed)
    except S3Error as error:
        return around("Error", named, tags(Code=error.code, Message=error.message))
    except FilesError as error:
        said = translated(error)
        return around("Error", named, tags(Code=said.code, Message=said.message))
    if quiet:
        return ""
    marker = tags(DeleteMarker="true", DeleteMarkerVersionId=found.id) if found.marker else ""
    return around("Deleted", named, marker)


def _deleted(request: Request, bucket: Bucket, doomed: Doomed) -> Deletion:
    action = "s3:DeleteObjectVersion" if doomed.version else "s3:DeleteObject"
    if not doomed.key:
        raise S3Error("InvalidArgument", "A key is needed.")
    rights.check(request, bucket, action, key=doomed.key)
    try:
        return request.repository.delete(
            bucket.name,
            doomed.key,
            doomed.version or None,
            doomed.condition,
            bypass=bypasses(request, bucket),
            by=request.origin,
        )
    except (NoSuchKeyError, NoSuchVersionError):
        return _absent(request, bucket, doomed)


def _absent(request: Request, bucket: Bucket, doomed: Doomed) -> Deletion:
    """What is not there needs no deleting, whatever it was to be; a marker is there, as nothing."""
    told = doomed.condition
    if not doomed.version and _marked(request, bucket, doomed.key):
        if told.if_match != (ANY,) or told.size is not None or told.modified is not None:
            raise S3Error("PreconditionFailed")
        return request.repository.delete(bucket.name, doomed.key, by=request.origin)
    return Deletion()


def _marked(request: Request, bucket: Bucket, key: str) -> bool:
    try:
        request.repository.head(bucket.name, key)
    except NoSuchKeyError as error:
        return bool(error.marker)
    return False


def _headers(found: Deletion) -> Headers:
    headers = [("x-amz-version-id", found.id)] if found.id else []
    return [*headers, ("x-amz-delete-marker", "true")] if found.marker else headers


def _of_headers(request: Request) -> Condition:
    headers = request.headers
    size = headers.get("x-amz-if-match-size")
    modified = headers.get("x-amz-if-match-last-modified-time")
    return Condition(
        if_match=etags_of(headers.get("if-match")),
        size=None if size is None else _size(size),
        modified=None if modified is None else _instant(modified),
        token=token_of(headers),
    )


def _of_xml(told: Element) -> Condition:
    size, modified = told.said("Size"), told.said("LastModifiedTime")
    return Condition(
        if_match=etags_of(told.said("ETag")),
        size=None if size is None else _size(size),
        modified=None if modified is None else _instant(modified),
    )


def _size(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise invalid("The size", text, "a whole number")
    return int(text)


def _instant(text: str) -> int:
    try:
        return round(parsedate_to_datetime(text).timestamp()) * 10**9
    except (ValueError, TypeError, OverflowError):
        return lock.instant(text)
