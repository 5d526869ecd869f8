"""Versions found and opened; what differs from the catalogue is settled before it is read."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dayfly.files.catalogue import Known
from dayfly.files.errors import LostError, MarkerError, NoSuchKeyError, NoSuchVersionError
from dayfly.files.ground import Ground
from dayfly.files.holding import agrees, holding
from dayfly.files.keys import check_key
from dayfly.files.objects import NULL, Version
from dayfly.files.opened import Opened
from dayfly.files.system import Stamp

_NO_FILE = {errno.ELOOP, errno.ENXIO}  # a link, and a socket


def find(ground: Ground, bucket: str, key: str, version: str = "") -> Known:
    """The version of an id, the current one without; it is what lies on disk."""
    with ground.guarded(bucket):
        latest = ground.catalogue.latest(bucket, key)
        if latest is None:
            check_key(key)
            ground.bucket(bucket)
        if not agrees(ground.tree, bucket, key, latest):
            with holding(ground, bucket, key) as held:
                latest = held.latest
    return named(ground, bucket, key, version) if version else _present(bucket, key, latest)


def named(ground: Ground, bucket: str, key: str, version: str) -> Known:
    known = of_id(ground, bucket, key, version)
    if known is None:
        raise NoSuchVersionError(f"{bucket}/{key}: has no version {version}")
    return known


def of_id(ground: Ground, bucket: str, key: str, version: str) -> Known | None:
    if version == NULL:
        return ground.catalogue.null(bucket, key)
    known = ground.catalogue.of_uid(bucket, key, version)
    return None if known and known.version.null else known


def _present(bucket: str, key: str, latest: Known | None) -> Known:
    if latest is None or latest.version.marker:
        marker = latest.version.id if latest else ""
        raise NoSuchKeyError(f"{bucket}/{key}: no such key", marker=marker)
    return latest


def open_(ground: Ground, bucket: str, key: str, version: str = "") -> Opened:
    with ground.guarded(bucket):
        catalogue = ground.catalogue
        known = of_id(ground, bucket, key, version) if version else catalogue.latest(bucket, key)
        if known and not known.version.marker and (opened := _opened(ground, known, version)):
            return opened
        known = find(ground, bucket, key, version)
        if known.version.marker:
            raise MarkerError(f"{bucket}/{key}: version {version} is a delete marker")
        return _opened_locked(ground, known, version)


@contextmanager
def source(ground: Ground, wanted: Version | Opened) -> Iterator[Opened]:
    """That very state, not what has its id by now: without versioning all have the id `null`."""
    if isinstance(wanted, Opened):
        yield wanted
        return
    with open_(ground, wanted.bucket, wanted.key, wanted.id) as opened:
        found = opened.version
        if (found.uid, found.size, found.crc) != (wanted.uid, wanted.size, wanted.crc):
            raise NoSuchVersionError(
                f"{wanted.bucket}/{wanted.key}: was replaced meanwhile", hint="Try again."
            )
        yield opened


def _opened_locked(ground: Ground, known: Known, version: str) -> Opened:
    bucket, key = known.version.bucket, known.version.key
    with holding(ground, bucket, key) as held:
        for settle in (False, True):
            if settle:
                held.settle()
            known = (
                named(ground, bucket, key, version)
                if version
                else _present(bucket, key, held.latest)
            )
            if opened := _opened(ground, known, version):
                return opened
    raise LostError(
        f"{bucket}/{key}: the bytes of version {known.version.id} are lost, or were changed",
        hint="dayfly files scrub looks for another copy.",
    )


def _opened(ground: Ground, known: Known, version: str) -> Opened | None:
    data, kept = ground.tree.data(known.version), ground.tree.kept(known.version)
    for path in (kept, data) if version else (data,):
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            descriptor = _descriptor(path)
            if descriptor is None:
                continue
            if _is(descriptor, known):
                return Opened(known.version, descriptor)
            os.close(descriptor)
    return None


def _descriptor(path: Path) -> int | None:
    """None for a link that a hand put there; a pipe that nobody writes is not waited for."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise


def _is(descriptor: int, known: Known) -> bool:
    return Stamp.of(os.fstat(descriptor)) == known.stamp
