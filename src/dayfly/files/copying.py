"""Bytes that are in the archive already, put again."""

from collections.abc import Sequence
from dataclasses import replace

from dayfly.files.errors import LostError
from dayfly.files.objects import Checksum, Description, Version
from dayfly.files.opened import Opened
from dayfly.files.staging import Staged


def algorithm_of(checksum: Checksum | None) -> Sequence[str]:
    return [checksum.algorithm] if checksum else []


def described(source: Version, description: Description | None) -> Description:
    """That of a copy; checksums that are not of the bytes as a whole are worked out anew."""
    wanted = description or source.description
    checksum = wanted.checksum or source.description.checksum
    if checksum is None:
        return wanted
    had = source.description.checksum
    value = had.value if had and had.algorithm == checksum.algorithm and not had.composite else ""
    return replace(wanted, checksum=Checksum(algorithm=checksum.algorithm, value=value))


def copied(opened: Opened, staged: Staged, description: Description) -> None:
    """By the kernel alone, where no new hash is needed."""
    source = opened.version
    needs_hash = bool(source.parts) or bool(description.checksum and not description.checksum.value)
    if not needs_hash:
        staged.take_over(opened)
        return
    for piece in opened.pieces():
        staged.write(piece)
    if staged.crc != source.crc:
        raise LostError(f"{source.key}: the bytes of version {source.id} are damaged")
