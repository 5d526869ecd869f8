"""GetObjectAttributes."""

from dayfly.files.objects import Version
from dayfly.files.s3 import reading
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.checksums import element_of
from dayfly.files.s3.problem import invalid
from dayfly.files.s3.request import Request, number_of
from dayfly.files.s3.xmlwrite import around, document, tag, tags, yes_or_no

MOST_PARTS = 1000
_ATTRIBUTES = frozenset(("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"))


def get(request: Request, _: bytes) -> Answer:
    wanted = {
        each.strip()
        for each in request.headers.get("x-amz-object-attributes", "").split(",")
        if each.strip()
    }
    if not wanted or not wanted <= _ATTRIBUTES:
        raise invalid("x-amz-object-attributes", ",".join(wanted), ", ".join(sorted(_ATTRIBUTES)))
    bucket = request.bucket()
    with reading.found(request, bucket, "Attributes") as opened:
        version = opened.version
    inside = tag("ETag", version.etag) if "ETag" in wanted else ""
    if "Checksum" in wanted and version.description.checksum:
        inside += around("Checksum", reading.checksum_xml(version))
    if "ObjectParts" in wanted and version.parts:
        inside += _parts(request, version)
    if "StorageClass" in wanted:
        inside += tag("StorageClass", "STANDARD")
    if "ObjectSize" in wanted:
        inside += tag("ObjectSize", version.size)
    headers = [
        ("last-modified", reading.date(version.modified)),
        *reading.version_headers(bucket, version),
    ]
    return xml(document("GetObjectAttributesResponse", inside), headers=headers)


def _parts(request: Request, version: Version) -> str:
    headers = request.headers
    most = number_of(headers, "x-amz-max-parts", MOST_PARTS, most=2**31 - 1)
    after = number_of(headers, "x-amz-part-number-marker", 0)
    parts = [each for each in version.parts if each.number > after]
    shown = parts[: min(most, MOST_PARTS)]
    lines = [
        around(
            "Part",
            tags(PartNumber=each.number, Size=each.size),
            tag(element_of(each.checksum.algorithm), each.checksum.value) if each.checksum else "",
        )
        for each in shown
    ]
    last = shown[-1].number if shown else after
    return around(
        "ObjectParts",
        tags(
            PartsCount=len(version.parts),
            PartNumberMarker=after,
            NextPartNumberMarker=last,
            MaxParts=most,
            IsTruncated=yes_or_no(len(shown) < len(parts)),
        ),
        *lines,
    )
