"""Bytes that take long to come: what has come stays, and who tries again goes on behind it.

What is larger than a part waits as an upload of the archive, whose provenance says what it will
be. An upload of the same source is found again, also after a kill.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from dayfly.files.assembling import LEAST
from dayfly.files.checksums import crc_of
from dayfly.files.condition import Condition
from dayfly.files.objects import Asked, Description, Named, Part, Upload, Version
from dayfly.files.repository import Repository
from dayfly.files.staging import Staged
from dayfly.files.store import Store

PART = 16 * 1024 * 1024
_DOUBLED = 1000  # parts after which they are twice as large: 10,000 of them hold terabytes


@dataclass
class Arriving:
    """An object on its way. Nobody sees it before `store` has all of it."""

    store_: Store
    bucket: str
    key: str
    description: Description
    part_bytes: int  # of the first ones
    upload: Upload | None = None
    parts: list[Part] = field(default_factory=list)
    _left: bytes = b""  # of a piece that went beyond its part

    @property
    def repository(self) -> Repository:
        """Only where there are uploads that can be gone on with."""
        if not isinstance(self.store_, Repository):
            raise TypeError
        return self.store_

    @property
    def size(self) -> int:
        """How much is on disk."""
        return sum(each.size for each in self.parts)

    def kept(self) -> Iterator[bytes]:
        """What is on disk."""
        if self.upload:
            yield from self.repository.part_pieces(self.upload, self.parts)

    def keep(self, parts: Sequence[Part]) -> None:
        """Of what is there only these first parts; the others will be written over."""
        self.parts = list(parts)

    def forget(self) -> None:
        """What is there is of no use any more."""
        if self.upload:
            self.repository.abort(self.upload)
        self.upload, self.parts = None, []

    def store(self, pieces: Iterable[bytes], condition: Condition) -> Version:
        """All that follows what is there. Where `pieces` fails, whole parts stay."""
        rest = iter(pieces)
        while True:
            with self.store_.stage(self.bucket) as staged:
                try:
                    ended = self._fill(staged, rest)
                except BaseException:
                    if staged.size >= LEAST:
                        self._put(staged)
                    raise
                if ended and self.upload is None:
                    return self.store_.put(staged, self.key, self.description, condition)
                if staged.size:
                    self._put(staged)
            if ended:
                return self._complete(condition)

    def _fill(self, staged: Staged, pieces: Iterator[bytes]) -> bool:
        """Up to the size of a part; whether nothing follows."""
        most = self.part_bytes << len(self.parts) // _DOUBLED
        while staged.size < most:
            piece = self._left or next(pieces, b"")
            if not piece:
                return True
            taken = most - staged.size
            self._left = piece[taken:]
            staged.write(piece[:taken])
        return False

    def _put(self, staged: Staged) -> None:
        if self.upload is None:
            self.upload = self.repository.begin_upload(self.bucket, self.key, self.description)
        number = len(self.parts) + 1
        self.parts.append(self.repository.put_part(self.upload, number, staged))

    def _complete(self, condition: Condition) -> Version:
        if self.upload is None:
            raise AssertionError("nothing was put")
        names = [Named(number=each.number, etag=each.etag) for each in self.parts]
        return self.repository.complete(self.upload, names, condition)


def arriving(repository: Store, bucket: str, key: str, description: Description) -> Arriving:
    """Begun, or gone on with: the newest upload of this key that has the same source."""
    if not isinstance(repository, Repository):
        return Arriving(repository, bucket, key, description, part_bytes=sys.maxsize)
    fresh = Arriving(repository, bucket, key, description, part_bytes=PART)
    source = description.provenance.source
    found = [each for each in _uploads(repository, bucket, key) if _source(each) == source]
    if not (found and source):
        return fresh
    upload = max(found, key=lambda each: each.id)
    parts = list(_in_a_row(repository, upload))
    return replace(fresh, description=upload.description, upload=upload, parts=parts)


def same_parts(parts: Sequence[Part], pieces: Iterable[Iterable[bytes]]) -> list[Part]:
    """The first ones whose bytes are these, as their checksums say."""
    found = []
    for part, piece in zip(parts, pieces, strict=False):
        if crc_of(piece) != part.crc:
            break
        found.append(part)
    return found


def _source(upload: Upload) -> str:
    return upload.description.provenance.source


def _uploads(repository: Repository, bucket: str, key: str) -> Iterator[Upload]:
    page = repository.list_uploads(bucket, Asked(prefix=key))
    return (each for each in page.uploads if each.key == key)


def _in_a_row(repository: Repository, upload: Upload) -> Iterator[Part]:
    """From the first one on."""
    after = 0
    while True:
        page = repository.list_parts(upload, after=after)
        for number, part in enumerate(page.parts, after + 1):
            if part.number != number or part.size < LEAST:
                return
            yield part
        if not page.next:
            return
        after = page.next
