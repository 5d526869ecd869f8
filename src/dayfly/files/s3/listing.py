"""Lists of objects, versions and uploads."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from dayfly.files.objects import Asked, Bucket, Entry, Page, Upload, UploadPage
from dayfly.files.s3 import rights, settings
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.problem import invalid
from dayfly.files.s3.request import Request, number_of
from dayfly.files.s3.xmlwrite import around, document, escaped, iso, tag, tags, yes_or_no

MOST = 1000
Name = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class _List:
    """What all lists are asked with. `name` writes a key as the client wants it."""

    request: Request
    bucket: Bucket
    asked: Asked
    name: Name
    encoding: str | None

    def owner(self, account: str, name: str = "Owner") -> str:
        account = settings.owner_of(account, self.bucket)
        accounts = self.request.service.accounts
        return around(name, tags(ID=account, DisplayName=accounts.name_of(account)))

    def prefixes(self, found: Iterable[str]) -> str:
        return "".join(
            f"<CommonPrefixes><Prefix>{self.name(each)}</Prefix></CommonPrefixes>" for each in found
        )


def objects(request: Request, _: bytes) -> Answer:
    version = request.parameters.get("list-type", "1")
    if version not in ("1", "2"):
        raise invalid("list-type", version, "1 or 2")
    return _second(request) if version == "2" else _first(request)


def _first(request: Request) -> Answer:
    asked = request.parameters
    told = _list(request, "s3:ListBucket", after=asked.get("marker", ""))
    page = _page(told)
    return _document(
        "ListBucketResult",
        told,
        tag("Prefix", told.asked.prefix),  # which no client decodes in this version
        tag_of(told, "Marker", asked.get("marker", "")),
        tag_of(told, "NextMarker", page.next) if page.next and told.asked.delimiter else "",
        tags(IsTruncated=yes_or_no(bool(page.next))),
        "".join(_content(told, entry, owned=True) for entry in page.entries),
        told.prefixes(page.prefixes),
    )


def _second(request: Request) -> Answer:
    asked = request.parameters
    token = asked.get("continuation-token")
    start = asked.get("start-after")
    after = _untoken(token) if token else start or ""
    told = _list(request, "s3:ListBucket", after=after)
    page = _page(told)
    owned = asked.get("fetch-owner", "").lower() == "true"
    return _document(
        "ListBucketResult",
        told,
        tag_of(told, "Prefix", told.asked.prefix),
        tags(
            KeyCount=len(page.entries) + len(page.prefixes),
            ContinuationToken=token,
            NextContinuationToken=_token(page.next) if page.next else None,
            IsTruncated=yes_or_no(bool(page.next)),
        ),
        "" if start is None else tag_of(told, "StartAfter", start),
        "".join(_content(told, entry, owned=owned) for entry in page.entries),
        told.prefixes(page.prefixes),
    )


def versions(request: Request, _: bytes) -> Answer:
    asked = request.parameters
    after_id = asked.get("version-id-marker", "")
    if after_id and not asked.get("key-marker"):
        raise invalid("version-id-marker", after_id, "one together with key-marker")
    told = _list(
        request, "s3:ListBucketVersions", after=asked.get("key-marker", ""), after_id=after_id
    )
    page = (
        request.repository.list_versions(told.bucket.name, told.asked)
        if told.asked.limit
        else Page()
    )
    return _document(
        "ListVersionsResult",
        told,
        tag_of(told, "Prefix", told.asked.prefix),
        tag_of(told, "KeyMarker", told.asked.after),
        tags(VersionIdMarker=after_id),
        tag_of(told, "NextKeyMarker", page.next) if page.next else "",
        tags(
            NextVersionIdMarker=page.next_id if page.next else None,
            IsTruncated=yes_or_no(bool(page.next)),
        ),
        "".join(_version(told, entry) for entry in page.entries),
        told.prefixes(page.prefixes),
    )


def uploads(request: Request, _: bytes) -> Answer:
    asked = request.parameters
    told = _list(
        request,
        "s3:ListBucketMultipartUploads",
        after=asked.get("key-marker", ""),
        after_id=asked.get("upload-id-marker", ""),
        limit="max-uploads",
    )
    page = (
        request.repository.list_uploads(told.bucket.name, told.asked)
        if told.asked.limit
        else UploadPage()
    )
    inside = (
        tag("Bucket", told.bucket.name),
        tag_of(told, "KeyMarker", told.asked.after),
        tags(UploadIdMarker=told.asked.after_id),
        tag_of(told, "NextKeyMarker", page.next),
        tags(NextUploadIdMarker=page.next_id, MaxUploads=told.asked.limit),
        tag_of(told, "Prefix", told.asked.prefix),
        tag_of(told, "Delimiter", told.asked.delimiter) if told.asked.delimiter else "",
        tags(EncodingType=told.encoding, IsTruncated=yes_or_no(bool(page.next))),
        "".join(_upload(told, each) for each in page.uploads),
        told.prefixes(page.prefixes),
    )
    return xml(document("ListMultipartUploadsResult", *inside))


def tag_of(told: _List, name: str, text: str) -> str:
    """With a key or a part of one in it."""
    return f"<{name}>{told.name(text)}</{name}>"


def _list(
    request: Request, action: str, *, after: str, after_id: str = "", limit: str = "max-keys"
) -> _List:
    bucket = request.bucket()
    rights.check(request, bucket, action)
    asked = request.parameters
    encoding = asked.get("encoding-type")
    if encoding not in (None, "", "url"):
        raise invalid("encoding-type", encoding, "url")
    if "allow-unordered" in asked and asked.get("delimiter"):  # Ceph's, which is free to ignore
        raise invalid("allow-unordered", "true", "one without a delimiter")
    return _List(
        request=request,
        bucket=bucket,
        asked=Asked(
            prefix=asked.get("prefix", ""),
            delimiter=asked.get("delimiter", ""),
            after=after,
            after_id=after_id,
            limit=min(MOST, number_of(asked, limit, MOST)),
        ),
        name=_url if encoding else escaped,
        encoding=encoding or None,
    )


def _page(told: _List) -> Page:
    if not told.asked.limit:
        return Page()
    return told.request.repository.list(told.bucket.name, told.asked)


def _document(name: str, told: _List, *inside: str) -> Answer:
    asked = told.asked
    shown = number_of(told.request.parameters, "max-keys", MOST)
    begun = (
        tag("Name", told.bucket.name),
        tag_of(told, "Delimiter", asked.delimiter) if asked.delimiter else "",
        tags(MaxKeys=min(shown, MOST), EncodingType=told.encoding),
    )
    return xml(document(name, *begun, *inside))


def _content(told: _List, entry: Entry, *, owned: bool) -> str:
    return (
        f"<Contents><Key>{told.name(entry.key)}</Key>"
        f"<LastModified>{iso(entry.modified)}</LastModified>"
        f"<ETag>&quot;{entry.etag}&quot;</ETag>{_checksum(entry)}<Size>{entry.size}</Size>"
        f"{told.owner(entry.owner) if owned else ''}"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _version(told: _List, entry: Entry) -> str:
    begun = (
        f"<Key>{told.name(entry.key)}</Key><VersionId>{entry.id}</VersionId>"
        f"<IsLatest>{yes_or_no(entry.latest)}</IsLatest>"
        f"<LastModified>{iso(entry.modified)}</LastModified>{told.owner(entry.owner)}"
    )
    if entry.marker:
        return f"<DeleteMarker>{begun}</DeleteMarker>"
    return (
        f"<Version>{begun}<ETag>&quot;{entry.etag}&quot;</ETag>{_checksum(entry)}"
        f"<Size>{entry.size}</Size><StorageClass>STANDARD</StorageClass></Version>"
    )


def _checksum(entry: Entry) -> str:
    if not entry.algorithm:
        return ""
    kind = "COMPOSITE" if entry.composite else "FULL_OBJECT"
    return tags(ChecksumAlgorithm=entry.algorithm, ChecksumType=kind)


def _upload(told: _List, upload: Upload) -> str:
    return around(
        "Upload",
        f"<Key>{told.name(upload.key)}</Key>",
        tags(UploadId=upload.id),
        told.owner(upload.description.owner, "Initiator"),
        told.owner(upload.description.owner),
        tags(StorageClass="STANDARD", Initiated=iso(upload.begun)),
    )


def _url(text: str) -> str:
    return quote(text, safe="/~*")


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _untoken(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid("continuation-token", token, "what the answer before had") from error
