"""Tags as XML."""

from collections.abc import Mapping

from dayfly.files.s3.metadata import MOST_TAGS, checked_tags
from dayfly.files.s3.xmlread import element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tags


def tags_of_xml(body: bytes, most: int = MOST_TAGS) -> dict[str, str]:
    found = element_of(body, "Tagging").first("TagSet")
    if found is None:
        raise malformed("<Tagging> has no <TagSet>.")
    return checked_tags(
        ((one.exactly("Key"), one.exactly("Value")) for one in found.all("Tag")), most
    )


def xml_of_tags(told: Mapping[str, str]) -> bytes:
    inside = (around("Tag", tags(Key=key, Value=value)) for key, value in sorted(told.items()))
    return document("Tagging", around("TagSet", *inside))
