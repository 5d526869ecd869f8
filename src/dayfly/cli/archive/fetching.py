"""What lies at a URL, taken into the archive."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dayfly.cli.archive.moving import SPOKEN, Tell, kind_of
from dayfly.cli.archive.place import Named, by_hand, target_named
from dayfly.files.arriving import Arriving, arriving
from dayfly.files.asking import FetchError, check, shown, tail_of
from dayfly.files.condition import Condition
from dayfly.files.errors import NoSuchKeyError
from dayfly.files.fetching import ChangedError, Download, can_go_on
from dayfly.files.objects import Description, Version
from dayfly.files.store import Store
from dayfly.shown import amount


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What it has to be: `checksum` is ALGORITHM:HEX, `most` a size."""

    checksum: str = ""
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    version: Version
    unchanged: bool = False


class MismatchError(FetchError):
    """It is not what was expected."""


def fetch(
    repository: Store,
    url: str,
    target: str,
    expected: Expected,
    condition: Condition,
    tell: Tell,
) -> Fetched:
    """Nothing is stored before all of it is there and is what was expected."""
    check(url)
    nameless = f"{shown(url)}: has no name at its end"
    wanted = target_named(target, tail_of(url), nameless=nameless)
    stored = _stored(repository, wanted, url)
    coming = arriving(
        repository, wanted.bucket, wanted.key, Description(provenance=by_hand(shown(url)))
    )
    if not coming.size:
        coming.forget()  # killed before its first part was there
    known = coming.description.provenance.validator if coming.upload else _validator(stored)
    download = Download(url, validator=known, at=coming.size)
    if not download.begin() and stored:
        _check_bytes(repository, stored, expected)
        return Fetched(version=stored, unchanged=True)
    if download.at != coming.size:
        coming.forget()
    if coming.upload is None:
        coming.description = _described(repository, wanted, url, download)
    try:
        return Fetched(version=_store(coming, download, expected, condition, tell))
    except BaseException as error:
        wrong = isinstance(error, MismatchError | ChangedError)
        if wrong or not can_go_on(download.validator):
            coming.forget()
        raise


def _store(
    coming: Arriving, download: Download, expected: Expected, condition: Condition, tell: Tell
) -> Version:
    whole = f" of {amount(download.found.size)}" if download.found.size else ""
    check_ = _Check(download.url, expected)
    check_.size(download.found.size or 0)

    def pieces() -> Iterator[bytes]:
        for piece in coming.kept() if expected.checksum else ():
            check_.update(piece)
        spoken = coming.size
        tell(f"{coming.key}: {amount(spoken)}{whole}")
        for piece in download.pieces():
            check_.update(piece)
            check_.size(download.at)
            yield piece
            if download.at - spoken >= SPOKEN:
                spoken = download.at
                tell(f"{coming.key}: {amount(spoken)}{whole}")
        check_.digest()

    return coming.store(pieces(), condition)


class _Check:
    """MismatchError as soon as it can't be what was expected."""

    def __init__(self, url: str, expected: Expected) -> None:
        self._url, self._most = shown(url), expected.most
        algorithm, _, self._wanted = expected.checksum.partition(":")
        self._hash = hashlib.new(algorithm) if algorithm else None

    def update(self, piece: bytes) -> None:
        if self._hash:
            self._hash.update(piece)

    def size(self, found: int) -> None:
        if self._most is not None and found > self._most:
            raise MismatchError(
                f"{self._url}: is larger than {amount(self._most)}", hint="Nothing was stored."
            )

    def digest(self) -> None:
        if self._hash and (found := self._hash.hexdigest()) != self._wanted.lower():
            raise MismatchError(
                f"{self._url}: its {self._hash.name} is {found}, not {self._wanted.lower()}",
                hint="Nothing was stored.",
            )


def _stored(repository: Store, wanted: Named, url: str) -> Version | None:
    """What was fetched from there before."""
    try:
        found = repository.head(wanted.bucket, wanted.key)
    except NoSuchKeyError:
        return None
    return found if found.description.provenance.source == shown(url) else None


def _validator(stored: Version | None) -> str:
    return stored.description.provenance.validator if stored else ""


def _described(repository: Store, wanted: Named, url: str, download: Download) -> Description:
    found = download.found
    headers = {"content-type": found.type or kind_of(wanted.key)}
    if found.encoding:
        headers["content-encoding"] = found.encoding
    return Description(
        owner=repository.bucket(wanted.bucket).owner,
        headers=headers,
        provenance=replace(by_hand(shown(url)), validator=found.validator),
    )


def _check_bytes(repository: Store, stored: Version, expected: Expected) -> None:
    """Also of what is there already."""
    check_ = _Check(stored.description.provenance.source, expected)
    check_.size(stored.size)
    if expected.checksum:
        with repository.open(stored.bucket, stored.key, stored.id) as opened:
            for piece in opened.pieces():
                check_.update(piece)
        check_.digest()
