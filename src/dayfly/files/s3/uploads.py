"""Uploads in parts: begun, listed, completed, aborted. The parts themselves are in taking.py."""

import re
from collections.abc import Sequence
from dataclasses import replace

from dayfly.files import checksums as sums
from dayfly.files.errors import NoSuchUploadError
from dayfly.files.objects import Bucket, Checksum, Named, Part, Upload, Version
from dayfly.files.s3 import reading, settings
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.checksums import SIZES, algorithm_of, element_of, header_of, kind_of
from dayfly.files.s3.head import Headers
from dayfly.files.s3.partaken import MOST_PARTS, upload_of
from dayfly.files.s3.problem import S3Error, not_implemented
from dayfly.files.s3.request import Request, number_of
from dayfly.files.s3.writes import check_write, condition_of, described
from dayfly.files.s3.xmlread import Element, malformed
from dayfly.files.s3.xmlread import element_of as read
from dayfly.files.s3.xmlwrite import around, document, iso, tag, tags, yes_or_no

MOST_LISTED = 1000
_CHECKSUMS = tuple(map(element_of, SIZES))


def create(request: Request, _: bytes) -> Answer:
    bucket, key = request.bucket(), request.address.key
    told = described(request, bucket)
    check_write(request, bucket, told, key)
    asked = request.headers.get("x-amz-checksum-algorithm", "")
    kind_asked = request.headers.get("x-amz-checksum-type", "")
    if kind_asked and not asked:
        raise S3Error("InvalidRequest", "The checksum type needs a checksum algorithm.")
    algorithm = algorithm_of(asked) if asked else ""
    kind = kind_of(kind_asked, algorithm) if asked else ""
    if asked:
        wanted = Checksum(algorithm=algorithm, value="", composite=kind == "COMPOSITE")
        told = replace(told, checksum=wanted)
    upload = request.repository.begin_upload(bucket.name, key, told)
    headers: Headers = []
    if asked:
        headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)]
    inside = tags(Bucket=bucket.name, Key=key, UploadId=upload.id)
    return xml(document("InitiateMultipartUploadResult", inside), headers=headers)


def abort(request: Request, _: bytes) -> Answer:
    upload = upload_of(request, request.bucket(), "s3:AbortMultipartUpload")
    request.repository.abort(upload)
    return Answer(status=204)


def parts(request: Request, _: bytes) -> Answer:
    bucket = request.bucket()
    upload = upload_of(request, bucket, "s3:ListMultipartUploadParts")
    after = number_of(request.parameters, "part-number-marker", 0)
    most = min(MOST_LISTED, number_of(request.parameters, "max-parts", MOST_LISTED))
    page = request.repository.list_parts(upload, after=after, limit=most)
    owner = _owner(request, bucket, upload)
    inside = (
        tags(Bucket=bucket.name, Key=upload.key, UploadId=upload.id),
        around("Initiator", owner),
        around("Owner", owner),
        tags(
            StorageClass="STANDARD",
            PartNumberMarker=after,
            NextPartNumberMarker=page.next or (page.parts[-1].number if page.parts else 0),
            MaxParts=most,
            IsTruncated=yes_or_no(bool(page.next)),
            ChecksumAlgorithm=upload.algorithm or None,
        ),
        *map(_part, page.parts),
    )
    return xml(document("ListPartsResult", *inside))


def complete(request: Request, body: bytes) -> Answer:
    bucket = request.bucket()
    named = _named(read(body, "CompleteMultipartUpload"))
    repeated = False
    try:
        upload = upload_of(request, bucket, "s3:PutObject")
        _check_announced(request, upload, named)
    except NoSuchUploadError:  # or it was completed before, which then is answered again
        id_, repeated = request.parameters["uploadId"], True
        upload = Upload(bucket=bucket.name, key=request.address.key, id=id_, begun=0)
    version = request.repository.complete(upload, named, condition_of(request.headers))
    if repeated:
        _check_is(request, version)
    headers = [
        *reading.new_version_headers(bucket, version),
        *reading.expiration_headers(bucket, version),
    ]
    inside = tags(
        Location=request.url_of(version.key),
        Bucket=bucket.name,
        Key=version.key,
        ETag=f'"{version.etag}"',
    )
    return xml(_completed(inside, version), headers=headers)


def _completed(inside: str, version: Version) -> bytes:
    return document("CompleteMultipartUploadResult", inside, reading.checksum_xml(version))


def _named(root: Element) -> list[Named]:
    """Of a number that comes twice in a row, as when a part was sent again, the last."""
    found = [_one(each) for each in root.only(many=("Part",)).all("Part")]
    if not 0 < len(found) <= MOST_PARTS:
        raise malformed(f"There must be 1 to {MOST_PARTS} <Part>.")
    following = [*(each.number for each in found[1:]), 0]
    return [each for each, after in zip(found, following, strict=True) if each.number != after]


def _one(told: Element) -> Named:
    for each in told.children:
        if each.name.startswith("Checksum") and each.name not in _CHECKSUMS:
            raise not_implemented(f"<{each.name[:40]}>")
    told.only("PartNumber", "ETag", *_CHECKSUMS)
    number = told.need("PartNumber")
    if not (re.fullmatch(r"\d{1,9}", number, re.ASCII) and 0 < int(number) <= MOST_PARTS):
        raise S3Error("InvalidArgument", f"PartNumber must be from 1 to {MOST_PARTS}.")
    values = [(name, said) for name in SIZES if (said := told.said(element_of(name)))]
    checksum = Checksum(algorithm=values[0][0], value=values[0][1]) if values else None
    return Named(number=int(number), etag=told.need("ETag").strip('"'), checksum=checksum)


def _check_announced(request: Request, upload: Upload, named: Sequence[Named]) -> None:
    """What the client says of the whole, before the whole is there."""
    headers = request.headers
    _check_type(request, upload.algorithm, composite=upload.composite)
    size = headers.get("x-amz-mp-object-size")
    value = headers.get(header_of(upload.algorithm)) if upload.algorithm else None
    if size is None and value is None:
        return
    there = {each.number: each for each in _all_parts(request, upload)}
    chosen = [there[each.number] for each in named if each.number in there]
    if size is not None and str(sum(each.size for each in chosen)) != size:
        raise S3Error("InvalidRequest", "The parts are not as large together as announced.")
    if value is not None and not _agrees(upload, chosen, value):
        raise S3Error("BadDigest", f"The {upload.algorithm} of the parts is not the one announced.")


def _check_is(request: Request, version: Version) -> None:
    """The same of what was completed before."""
    there, headers = version.description.checksum, request.headers
    if there:
        _check_type(request, there.algorithm, composite=there.composite)
    value = headers.get(header_of(there.algorithm)) if there else None
    if there and value not in (None, there.value, there.value.partition("-")[0]):
        raise S3Error("BadDigest", f"The {there.algorithm} of the object is another one.")
    if headers.get("x-amz-mp-object-size", str(version.size)) != str(version.size):
        raise S3Error("InvalidRequest", "The object is not as large as announced.")


def _check_type(request: Request, algorithm: str, *, composite: bool) -> None:
    """BadDigest, as Amazon has it, unless it is the one that the upload was begun with."""
    told = request.headers.get("x-amz-checksum-type")
    if told is None:
        return
    kind = "COMPOSITE" if composite else "FULL_OBJECT"
    if told.strip().upper() != kind:
        of = f"{kind}, of {algorithm}" if algorithm else "none"
        raise S3Error("BadDigest", f"The checksum type is {told[:20]}, that of the upload is {of}.")


def _agrees(upload: Upload, chosen: Sequence[Part], value: str) -> bool:
    values = [(each.checksum.value, each.size) for each in chosen if each.checksum]
    if len(values) < len(chosen):
        return False
    if upload.composite:
        whole = sums.composite(upload.algorithm, (each for each, _ in values))
        return value in (whole, whole.partition("-")[0])
    return value == sums.joined(upload.algorithm, values)


def _all_parts(request: Request, upload: Upload) -> list[Part]:
    return list(request.repository.list_parts(upload, limit=MOST_PARTS).parts)


def _part(part: Part) -> str:
    value = tag(element_of(part.checksum.algorithm), part.checksum.value) if part.checksum else ""
    told = tags(
        PartNumber=part.number,
        LastModified=iso(part.modified),
        ETag=f'"{part.etag}"',
        Size=part.size,
    )
    return around("Part", told, value)


def _owner(request: Request, bucket: Bucket, upload: Upload) -> str:
    owner = settings.owner_of(upload.description.owner, bucket)
    return tags(ID=owner, DisplayName=request.service.accounts.name_of(owner))
