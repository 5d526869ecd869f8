"""Reads that wait for no disk, answered in the event loop.

A thread costs more than all the rest of a small request. What is not in memory, was changed by
hand, or is not there, is None here and is left to a thread.
"""

import os
from functools import lru_cache

import msgspec

from dayfly.files.catalogue import Current
from dayfly.files.objects import Bucket, Version
from dayfly.files.opened import Opened
from dayfly.files.s3 import reading, rights, settings
from dayfly.files.s3.answer import Lent, Ready
from dayfly.files.s3.head import lines_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.ranges import Range
from dayfly.files.s3.request import EXPECTED, Request, check_expected

ACTION = "s3:GetObject"
REMEMBERED, LONGEST = 1024, 4096  # objects whose answer is known, and bytes of their documents
# Headers with which an answer is not what everybody gets.
_SPECIAL = frozenset(
    (
        EXPECTED, "range", "if-match", "if-none-match", "if-modified-since",
        "if-unmodified-since", "x-amz-checksum-mode",
    )
)  # fmt: skip


class Plain(msgspec.Struct, frozen=True):
    """What an account is told of a version, whenever it asks for all of it and nothing else."""

    version: Version
    allowed: bool
    told: bytes


class _Found(msgspec.Struct, frozen=True):
    status: int
    told: bytes
    part: Range
    opened: Opened


def get(request: Request, request_id: str) -> Ready | None:
    found = _found(request)
    if found is None:
        return None
    part, opened, told = found.part, found.opened, found.told + _line(request_id)
    if part.size > reading.MOST_HELD:
        return Ready(found.status, told, Lent(opened, part))
    try:
        body = _in_memory(opened.descriptor, part.start, part.size)
    finally:
        opened.close()
    return None if body is None else Ready(found.status, told, body)


def head(request: Request, request_id: str) -> Ready | None:
    found = _found(request)
    if found is None:
        return None
    found.opened.close()
    size = b"content-length: %d\r\n" % found.part.size
    return Ready(found.status, found.told + _line(request_id) + size, sized=False)


def _line(request_id: str) -> bytes:
    return b"x-amz-request-id: %s\r\n" % request_id.encode()


def _found(request: Request) -> _Found | None:
    if request.version:
        return None
    ground, address, call = request.repository.ground, request.address, request.call
    current = ground.catalogue.current(address.bucket, address.key)
    if current is None:
        return None
    if not call.parameters and _SPECIAL.isdisjoint(call.headers):
        small = len(current.document) <= LONGEST >= len(current.of_bucket)
        plain = _plain(current.document, current.of_bucket, request.caller.id) if small else None
        if plain:
            if not (plain.allowed or request.caller.operator):
                raise S3Error("AccessDenied")
            return _as_ever(plain, ground.tree.file(plain.version), current)
    return _as_asked(request, current)


def _as_ever(plain: Plain, path: str, current: Current) -> _Found | None:
    opened = _opened(plain.version, path, current)
    if opened is None:
        return None
    return _Found(200, plain.told, Range(0, plain.version.size), opened)


@lru_cache(maxsize=REMEMBERED)
def _plain(document: bytes, of_bucket: bytes, account: str | None) -> Plain | None:
    """None where it depends on more: a policy may say anything, a marker is not there."""
    current = Current(document, 0, 0, of_bucket)
    bucket, version = current.bucket, current.version
    if version.marker or settings.POLICY in bucket.settings:
        return None
    wish = rights.Wish(
        action=ACTION, account=account, bucket=bucket, key=version.key, version=version
    )
    told = reading.described(bucket, version, {})
    return Plain(version, rights.permitted(wish, dict), lines_of(told))


def _as_asked(request: Request, current: Current) -> _Found | None:
    bucket, version = current.bucket, current.version
    check_expected(request, bucket, EXPECTED)
    path = request.repository.ground.tree.file(version)
    opened = None if version.marker else _opened(version, path, current)
    if opened is None:
        return None
    try:
        return _allowed(request, bucket, opened)
    except S3Error:
        opened.close()
        raise


def _allowed(request: Request, bucket: Bucket, opened: Opened) -> _Found:
    version = opened.version
    rights.check(request, bucket, ACTION, key=version.key, version=version)
    status, headers, part = reading.told(request, bucket, version)
    return _Found(status, lines_of(headers), part, opened)


def _opened(version: Version, path: str, current: Current) -> Opened | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    found = os.fstat(descriptor)
    known = (version.size, current.mtime, current.inode)
    if (found.st_size, found.st_mtime_ns, found.st_ino) == known:
        return Opened(version, descriptor)
    os.close(descriptor)
    return None


def _in_memory(descriptor: int, start: int, size: int) -> bytes | None:
    if not size:
        return b""
    into = bytearray(size)
    try:
        read = os.preadv(descriptor, [into], start, os.RWF_NOWAIT)
    except OSError:  # it would wait, or the file system can't tell
        return None
    return bytes(into) if read == size else None
