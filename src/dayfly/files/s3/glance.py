"""Reads that wait for no disk, answered in the event loop.

A thread costs more than all the rest of a small request. What is not in memory, was changed by
hand, or is not there, is None here and is left to a thread.
"""

import os

from dayfly.files.objects import Version
from dayfly.files.opened import Opened
from dayfly.files.s3 import reading, rights
from dayfly.files.s3.answer import Answer, Lent
from dayfly.files.s3.request import Request


def get(request: Request) -> Answer | None:
    bucket = request.bucket()
    opened = _current(request)
    if opened is None:
        return None
    lent = False
    try:
        version = opened.version
        rights.check(request, bucket, "s3:GetObject", key=version.key, version=version)
        status, headers, part = reading.told(request, bucket, version)
        if part.size > reading.MOST_HELD:
            lent = True
            return Answer(status=status, headers=headers, body=Lent(opened, part))
        body = _in_memory(opened.descriptor, part.start, part.size)
        return None if body is None else Answer(status=status, headers=headers, body=body)
    finally:
        if not lent:
            opened.close()


def head(request: Request) -> Answer | None:
    bucket = request.bucket()
    opened = _current(request)
    if opened is None:
        return None
    with opened:
        version = opened.version
        rights.check(request, bucket, "s3:GetObject", key=version.key, version=version)
        status, headers, part = reading.told(request, bucket, version)
    return Answer(status=status, headers=[*headers, ("content-length", str(part.size))])


def _current(request: Request) -> Opened | None:
    if request.version:
        return None
    ground, address = request.repository.ground, request.address
    known = ground.catalogue.latest(address.bucket, address.key)
    if known is None or known.version.marker:
        return None
    return _opened(known.version, str(ground.tree.data(known.version)), known.mtime, known.inode)


def _opened(version: Version, path: str, mtime: int, inode: int) -> Opened | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    found = os.fstat(descriptor)
    if (found.st_size, found.st_mtime_ns, found.st_ino) == (version.size, mtime, inode):
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
