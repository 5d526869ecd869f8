"""What S3 answers, as values of the archive."""

import base64
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dayfly.files.objects import NULL, Entry, Page, Version
from dayfly.files.remote.told import description_of


def version(bucket: str, key: str, found: Mapping[str, Any], tags: Mapping[str, str]) -> Version:
    id_ = found.get("VersionId") or NULL
    crc = found.get("ChecksumCRC64NVME", "") if "-" not in found.get("ETag", "") else ""
    return Version(
        bucket=bucket,
        key=key,
        uid=found["ETag"].strip('"') if id_ == NULL else id_,
        null=id_ == NULL,
        size=int(found["ContentLength"]),
        etag=found["ETag"].strip('"'),
        modified=_nanoseconds(found["LastModified"]),
        crc=int.from_bytes(base64.b64decode(crc)) if crc else 0,
        description=description_of(found, tags),
    )


def marker(bucket: str, key: str, id_: str, said: object) -> Version:
    """A delete marker, of which S3 has no more than what it says in its refusal."""
    headers = getattr(said, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders", {})
    date = headers.get("last-modified", "")
    return Version(
        bucket=bucket,
        key=key,
        uid=id_,
        null=id_ == NULL,
        marker=True,
        modified=_nanoseconds(parsedate_to_datetime(date)) if date else 0,
    )


def page(found: Mapping[str, Any]) -> Page:
    return Page(
        entries=tuple(_entry(each, latest=True) for each in found.get("Contents", ())),
        prefixes=_prefixes(found),
        next=found.get("NextContinuationToken", ""),
    )


def versions_page(found: Mapping[str, Any]) -> Page:
    entries = [_entry(each, latest=each["IsLatest"]) for each in found.get("Versions", ())]
    entries += [
        _entry(each, latest=each["IsLatest"], marker=True)
        for each in found.get("DeleteMarkers", ())
    ]
    entries.sort(key=lambda each: (each.key, -each.modified, not each.latest))
    more = found.get("IsTruncated", False)
    return Page(
        entries=tuple(entries),
        prefixes=_prefixes(found),
        next=found.get("NextKeyMarker", "") if more else "",
        next_id=found.get("NextVersionIdMarker", "") if more else "",
    )


def _entry(each: Mapping[str, Any], *, latest: bool, marker: bool = False) -> Entry:
    return Entry(
        key=each["Key"],
        id=each.get("VersionId") or NULL,
        latest=latest,
        marker=marker,
        size=each.get("Size", 0),
        etag=each.get("ETag", "").strip('"'),
        modified=_nanoseconds(each["LastModified"]),
        owner=each.get("Owner", {}).get("ID", ""),
        algorithm="",
        composite=False,
    )


def _prefixes(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["Prefix"] for each in found.get("CommonPrefixes", ()))


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000
