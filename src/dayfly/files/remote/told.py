"""What is said of an object, as S3 keeps it and as the archive has it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

from dayfly.files.objects import Description, Provenance

_HEADERS = {
    "content-type": "ContentType",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
}
_OURS = "dayfly-"  # before the names of metadata that say where it came from


def extra_of(told: Description) -> dict[str, Any]:
    """As boto3's calls take it. Metadata is ASCII in S3, so ours is quoted."""
    found: dict[str, Any] = {
        _HEADERS[name]: text for name, text in told.headers.items() if name in _HEADERS
    }
    ours = {
        f"{_OURS}{name}": quote(text, safe=":/?&=@+,;!*'() #\"")
        for name, text in vars(told.provenance).items()
        if text
    }
    if told.restored_from:
        ours[f"{_OURS}restored-from"] = told.restored_from
    if metadata := {**told.metadata, **ours}:
        found["Metadata"] = metadata
    if told.tags:
        found["Tagging"] = urlencode(told.tags)
    return found


def description_of(found: Mapping[str, Any], tags: Mapping[str, str]) -> Description:
    """Of what a HEAD has brought."""
    metadata = found.get("Metadata", {})
    ours = {
        name.removeprefix(_OURS): unquote(text)
        for name, text in metadata.items()
        if name.startswith(_OURS)
    }
    restored = ours.pop("restored-from", "")
    known = Provenance.__dataclass_fields__
    return Description(
        metadata={name: text for name, text in metadata.items() if not name.startswith(_OURS)},
        headers={name: found[key] for name, key in _HEADERS.items() if key in found},
        tags=tags,
        provenance=Provenance(**{name: text for name, text in ours.items() if name in known}),
        restored_from=restored,
    )
