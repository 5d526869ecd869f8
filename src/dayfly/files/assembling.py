"""What parts make together: which of them, and the version that comes of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dayfly.files.checksums import composite, joined, joined_crc
from dayfly.files.errors import BadPartError, PartOrderError, PartTooSmallError
from dayfly.files.objects import Checksum, Named, Part, Upload, Version

LEAST = 5 * 1024 * 1024  # bytes of a part that is not the last one


@dataclass(frozen=True, kw_only=True)
class PartFile:
    """What lies beside a part: what it is, and in which file its bytes are."""

    part: Part
    file: str


def chosen(there: Sequence[PartFile], names: Sequence[Named]) -> list[PartFile]:
    """The parts that are named, if they are there as they are named."""
    by_number = {each.part.number: each for each in there}
    if not names:
        raise BadPartError("no parts are named")
    if any(after.number <= before.number for before, after in pairwise(names)):
        raise PartOrderError("parts are to be named in ascending order")
    found = []
    for name in names:
        each = by_number.get(name.number)
        if each is None or not _is(each.part, name):
            raise BadPartError(f"part {name.number}: was not uploaded, or is another one")
        found.append(each)
    for each in found[:-1]:
        if each.part.size < LEAST:
            raise PartTooSmallError(f"part {each.part.number}: has {each.part.size} bytes")
    return found


def check_made_of(version: Version, names: Sequence[Named]) -> None:
    """BadPartError unless it came of these parts."""
    numbers = [each.number for each in names] == [each.number for each in version.parts]
    if not (numbers and all(map(_is, version.parts, names))):
        raise BadPartError("the upload was completed already, of other parts")


def _is(part: Part, name: Named) -> bool:
    return part.etag == name.etag and name.checksum in (None, part.checksum)


def whole(begun: Version, upload: Upload, files: Sequence[PartFile]) -> Version:
    """The version that the parts make together."""
    parts = [each.part for each in files]
    digests = b"".join(bytes.fromhex(each.etag) for each in parts)
    md5 = hashlib.md5(digests, usedforsecurity=False).hexdigest()
    return replace(
        begun,
        size=sum(each.size for each in parts),
        etag=f"{md5}-{len(parts)}",
        crc=joined_crc((each.crc, each.size) for each in parts),
        parts=tuple(parts),
        upload=upload.id,
        description=replace(upload.description, checksum=_checksum(upload, parts)),
    )


def _checksum(upload: Upload, parts: Sequence[Part]) -> Checksum | None:
    if not upload.algorithm:
        return None
    values = [(each.checksum.value, each.size) for each in parts if each.checksum]
    value = (
        composite(upload.algorithm, (value for value, _ in values))
        if upload.composite
        else joined(upload.algorithm, values)
    )
    return Checksum(algorithm=upload.algorithm, value=value, composite=upload.composite)
