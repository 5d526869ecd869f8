"""Tags as XML."""

from collections.abc import Mapping

from dayfly.files.s3.metadata import MOST_TAGS, checked_tags
from dayfly.files.s3.xmlread import Element, element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tags


def tags_of_xml(body: bytes, most: int = MOST_TAGS) -> dict[str, str]:
    found = element_of(body, "Tagging").only("TagSet").first("TagSet")
    if found is None:
        raise malformed("<Tagging> has no <TagSet>.")
    return tags_in(found.only(many=("Tag",)), most)


def tags_in(told: Element, most: int = MOST_TAGS) -> dict[str, str]:
    found = [each.only("Key", "Value") for each in told.all("Tag")]
    return checked_tags(((each.exactly("Key"), each.exactly("Value")) for each in found), most)


def xml_of_tags(told: Mapping[str, str]) -> bytes:
    inside = (around("Tag", tags(Key=key, Value=value)) for key, value in sorted(told.items()))
    return document("Tagging", around("TagSet", *inside))
