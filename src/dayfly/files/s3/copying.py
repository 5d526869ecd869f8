"""CopyObject and UploadPartCopy: bytes that are here already."""

from dataclasses import replace

from dayfly.files.objects import Bucket, Checksum, Description, Version
from dayfly.files.s3 import reading, rights
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.checksums import algorithm_of, element_of
from dayfly.files.s3.copysource import source_of
from dayfly.files.s3.head import Headers
from dayfly.files.s3.incoming import MOST_BYTES
from dayfly.files.s3.partaken import part_number, upload_of
from dayfly.files.s3.problem import S3Error, invalid
from dayfly.files.s3.ranges import copied_range
from dayfly.files.s3.request import Request
from dayfly.files.s3.writes import check_write, condition_of, described
from dayfly.files.s3.xmlwrite import document, iso, tag, tags


def whole(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    source_bucket, opened = source_of(request)
    with opened:
        source = opened.version
        told = _described(request, bucket, source)
        check_write(request, bucket, told, request.address.key)
        if source.size > MOST_BYTES:
            raise S3Error("InvalidRequest", "The source is larger than 5 GiB: copy it in parts.")
        version = request.repository.copy(
            opened, bucket.name, request.address.key, told, condition_of(request.headers)
        )
    headers = [
        *_source_headers(source_bucket, source),
        *reading.new_version_headers(bucket, version),
    ]
    inside = tags(LastModified=iso(version.modified), ETag=f'"{version.etag}"')
    return xml(document("CopyObjectResult", inside, reading.checksum_xml(version)), headers=headers)


def part(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    upload = upload_of(request, bucket, "s3:PutObject")
    number = part_number(request)
    source_bucket, opened = source_of(request)
    with opened:
        source = opened.version
        span = copied_range(request.headers.get("x-amz-copy-source-range", ""), source.size)
        if span.size > MOST_BYTES:
            raise S3Error("InvalidRequest", "A part may have 5 GiB.")
        found = request.repository.copy_part(upload, number, opened, (span.start, span.end))
    inside = tags(LastModified=iso(found.modified), ETag=f'"{found.etag}"')
    if found.checksum:
        inside += tag(element_of(found.checksum.algorithm), found.checksum.value)
    return xml(document("CopyPartResult", inside), headers=_source_headers(source_bucket, source))


def _described(request: Request, bucket: Bucket, source: Version) -> Description:
    headers = request.headers
    told = described(request, bucket)
    replaced = _directive(request, "x-amz-metadata-directive")
    tagged = _directive(request, "x-amz-tagging-directive")
    if not (replaced or tagged) and _changes_nothing(request, source):
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location "
            "or encryption attributes.",
        )
    if not replaced:
        had = source.description
        told = replace(told, headers=had.headers, metadata=had.metadata)
    if not tagged:
        _check_tags(request, source)
        told = replace(told, tags=source.description.tags)
    return replace(told, checksum=_checksum(headers.get("x-amz-checksum-algorithm"), source))


def _checksum(asked: str | None, source: Version) -> Checksum | None:
    """That of the source, unless it was made of parts, or another one is asked for."""
    had = source.description.checksum
    if asked:
        return Checksum(algorithm=algorithm_of(asked), value="")
    if had is None:
        return None
    return Checksum(algorithm=had.algorithm, value="") if had.composite else had


def _check_tags(request: Request, source: Version) -> None:
    """Who may not read the tags of the source, gets none of them by copying."""
    tags_there = source.description.tags
    if tags_there:
        owner = request.repository.bucket(source.bucket)
        action = "s3:GetObjectTagging"
        rights.check(request, owner, action, key=source.key, version=source)


def _changes_nothing(request: Request, source: Version) -> bool:
    same = (source.bucket, source.key) == (request.address.bucket, request.address.key)
    current = "?versionId=" not in request.headers["x-amz-copy-source"]
    return same and current and "x-amz-checksum-algorithm" not in request.headers


def _directive(request: Request, name: str) -> bool:
    """Whether it says REPLACE."""
    told = request.headers.get(name, "COPY").upper()
    if told not in ("COPY", "REPLACE"):
        raise invalid(name, told, "COPY or REPLACE")
    return told == "REPLACE"


def _source_headers(bucket: Bucket, source: Version) -> Headers:
    return [
        ("x-amz-copy-source-version-id", value)
        for _, value in reading.version_headers(bucket, source)
    ]
