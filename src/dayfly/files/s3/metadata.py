"""What a writer says of an object: its own metadata, and the headers that come back with it."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from dayfly.files.s3.problem import S3Error, invalid

USER = "x-amz-meta-"
MOST_USER = 2 * 1024  # bytes of names and values
KEPT = (
    "cache-control", "content-disposition", "content-encoding", "content-language",
    "content-type", "expires",
)  # fmt: skip
DEFAULT_TYPE = "binary/octet-stream"
MOST_TAGS = 10
MOST_BUCKET_TAGS = 50
_TAG = re.compile(r"[\w\s+\-=._:/@]*")


def user_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    found = {
        name.removeprefix(USER): value for name, value in headers.items() if name.startswith(USER)
    }
    if sum(len(name) + len(value.encode()) for name, value in found.items()) > MOST_USER:
        raise S3Error("MetadataTooLarge", MaxSizeAllowed=str(MOST_USER))
    return found


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`aws-chunked` is how the body came, not what it is."""
    found = {name: headers[name] for name in KEPT if headers.get(name)}
    encodings = [each.strip() for each in found.pop("content-encoding", "").split(",")]
    left = ", ".join(each for each in encodings if each and each != "aws-chunked")
    if left:
        found["content-encoding"] = left
    return found


def tags_of_header(text: str) -> dict[str, str]:
    """`x-amz-tagging`, written as a query."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise invalid("x-amz-tagging", text, "KEY=VALUE&…") from error
    return checked_tags(pairs)


def checked_tags(pairs: Iterable[tuple[str, str]], most: int = MOST_TAGS) -> dict[str, str]:
    found = dict[str, str]()
    for key, value in pairs:
        if not (0 < len(key) <= 128 and len(value) <= 256):  # noqa: PLR2004 - Amazon's limits
            raise S3Error("InvalidTag", "A key has 1 to 128 characters, a value at most 256.")
        if not (_TAG.fullmatch(key) and _TAG.fullmatch(value)):
            raise S3Error("InvalidTag", "Allowed are letters, digits, spaces and + - = . _ : / @")
        if key in found:
            raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
        found[key] = value
    if len(found) > most:
        raise S3Error("InvalidTag", f"There may be no more than {most} tags.")
    return found
