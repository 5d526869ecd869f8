"""Multipart uploads: parts that wait, and the object that is made of them."""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.files.assembling import PartFile, check_made_of, chosen, whole
from dayfly.files.changing import check, check_quota
from dayfly.files.checksums import OWN, Crc, can_join
from dayfly.files.condition import Condition
from dayfly.files.errors import (
    BadPartError,
    ChecksumError,
    FilesError,
    NoSuchUploadError,
)
from dayfly.files.ground import Ground
from dayfly.files.holding import holding
from dayfly.files.keys import check_key
from dayfly.files.ledger import Statement
from dayfly.files.objects import (
    Checksum,
    Description,
    Named,
    Part,
    PartPage,
    Upload,
    Version,
)
from dayfly.files.staging import Staged
from dayfly.files.statements import with_part, with_upload, without_upload
from dayfly.files.system import flocked, fsync, holds, pieces_of, translated, write_durably
from dayfly.files.tree import SIDECAR, fresh_uid
from dayfly.stored import read_json

MOST_PARTS = 10_000
UPLOAD = "upload.json"


def begin(
    ground: Ground, bucket: str, key: str, description: Description, checksum: Checksum | None
) -> Upload:
    check_key(key)
    ground.bucket(bucket)
    tree, now = ground.tree, ground.now()
    if checksum and not checksum.composite and not can_join(checksum.algorithm):
        raise ChecksumError(f"{checksum.algorithm}: of parts it can only be composite")
    fresh = Upload(
        bucket=bucket,
        key=key,
        id=fresh_uid(now),
        begun=now,
        algorithm=checksum.algorithm if checksum else "",
        composite=checksum.composite if checksum else False,
        description=replace(description, checksum=None),
    )
    with translated(tree.uploads(bucket)), flocked(tree.bucket_lock(bucket), shared=True):
        ground.bucket(bucket)
        folder = ground.bench.fresh()
        folder.mkdir()
        write_durably(folder / UPLOAD, msgspec.json.encode(fresh))
        folder.rename(tree.uploads(bucket) / fresh.id)
        fsync(tree.uploads(bucket))
        ground.catalogue.commit([with_upload(fresh)])
    return fresh


def find(ground: Ground, bucket: str, key: str, id_: str) -> Upload:
    rows = ground.catalogue.ledger.rows(
        "select document from uploads where bucket = ? and key = ? and id = ?", bucket, key, id_
    )
    if not rows:
        ground.bucket(bucket)
        raise _unknown(bucket, key, id_)
    return typed.decode(rows[0][0], Upload)


def _unknown(bucket: str, key: str, id_: str) -> NoSuchUploadError:
    return NoSuchUploadError(f"{bucket}/{key}: no upload {id_}")


@contextmanager
def _open(ground: Ground, upload: Upload, *, shared: bool) -> Iterator[Path]:
    """The folder of an upload, which nobody completes or aborts meanwhile.

    NoSuchUploadError where somebody has, also where the catalogue is not told yet.
    """
    tree = ground.tree
    folder = tree.uploads(upload.bucket) / upload.id
    with translated(folder):
        find(ground, upload.bucket, upload.key, upload.id)
        try:
            with flocked(tree.lock_in(folder), shared=shared):
                find(ground, upload.bucket, upload.key, upload.id)
                yield folder
        except FileNotFoundError as error:
            tree.check(upload.bucket)
            if folder.exists():
                raise
            raise _unknown(upload.bucket, upload.key, upload.id) from error


def put_part(ground: Ground, upload: Upload, number: int, staged: Staged) -> Part:
    if not 1 <= number <= MOST_PARTS:
        raise BadPartError(f"part {number}: parts are numbered from 1 to {MOST_PARTS}")
    _check_quota(ground, upload, number, staged.size)
    checksum = None
    if upload.algorithm:
        value = staged.digest(upload.algorithm)
        checksum = Checksum(algorithm=upload.algorithm, value=value)
    part = Part(
        number=number,
        size=staged.size,
        etag=staged.etag,
        modified=ground.now(),
        checksum=checksum,
        crc=staged.crc,
    )
    staged.seal()
    lock = ground.tree.key_lock(upload.bucket, f"{upload.id}/{number}")
    with _open(ground, upload, shared=True) as folder, flocked(lock):
        fresh = PartFile(part=part, file=f"{number:05d}-{secrets.token_hex(8)}")
        staged.path.rename(folder / fresh.file)
        write_atomically(folder / f"{number:05d}{SIDECAR}", msgspec.json.encode(fresh), 0o644)
        ground.catalogue.commit(
            [with_part(upload.id, number, fresh.file, msgspec.json.encode(fresh))]
        )
        for path in folder.glob(f"{number:05d}-*"):
            if path.name != fresh.file:
                path.unlink()
    return part


def _check_quota(ground: Ground, upload: Upload, number: int, size: int) -> None:
    """With all parts that wait in the bucket, as nobody knows which of them will be completed."""
    bucket = ground.bucket(upload.bucket)
    if bucket.quota:
        waiting = ground.catalogue.waiting(bucket.name, upload.id, number)
        check_quota(ground, bucket, upload.key, waiting + size)


def list_parts(ground: Ground, upload: Upload, after: int, limit: int) -> PartPage:
    find(ground, upload.bucket, upload.key, upload.id)
    found = _parts(ground, upload, after, limit + 1)
    parts = tuple(each.part for each in found[:limit])
    return PartPage(parts=parts, next=parts[-1].number if parts and len(found) > limit else 0)


def _parts(
    ground: Ground, upload: Upload, after: int = 0, limit: int = MOST_PARTS
) -> list[PartFile]:
    rows = ground.catalogue.ledger.rows(
        "select document from parts where upload = ? and number > ? order by number limit ?",
        upload.id,
        after,
        limit,
    )
    return [typed.decode(document, PartFile) for (document,) in rows]


def abort(ground: Ground, upload: Upload) -> None:
    with _open(ground, upload, shared=False) as folder:
        _forget(ground, upload, folder)


def _forget(ground: Ground, upload: Upload, folder: Path) -> None:
    aside = ground.bench.fresh()
    folder.rename(aside)
    fsync(folder.parent)
    ground.catalogue.commit(without_upload(upload))
    shutil.rmtree(aside, ignore_errors=True)
    ground.tree.lock_in(folder).unlink(missing_ok=True)


def complete(
    ground: Ground, upload: Upload, names: Sequence[Named], condition: Condition, staged: Staged
) -> Version:
    """A second time, also at the same time, it gives the version that came of it.

    Its condition was decided then: who asks again, as an answer got lost, is told the same for as
    long as that version is the current one.
    """
    done = _made_of(ground, upload)
    if done is None:
        try:
            return _completed(ground, upload, names, condition, staged)
        except FilesError:  # such as that the upload is gone, since somebody else was first
            done = _made_of(ground, upload)
            if done is None:
                raise
    check_made_of(done, names)
    latest = ground.catalogue.latest(upload.bucket, upload.key)
    if latest is None or latest.version.id != done.id:
        condition.check(latest.version if latest else None)
    return done


def _completed(
    ground: Ground, upload: Upload, names: Sequence[Named], condition: Condition, staged: Staged
) -> Version:
    with _open(ground, upload, shared=False) as folder:
        parts = chosen(_parts(ground, upload), names)
        for each in parts:
            staged.append(folder / each.file)
        staged.seal()
        with holding(ground, upload.bucket, upload.key) as held:
            check(held, held.current, condition)
            size = sum(each.part.size for each in parts)
            check_quota(ground, held.bucket, upload.key, size)
            version = held.put(whole(held.begun(), upload, parts), staged.path)
        with suppress(FileNotFoundError):  # by who saw what it has become already
            _forget(ground, upload, folder)
    return version


def _made_of(ground: Ground, upload: Upload) -> Version | None:
    """The answer got lost, or we were killed before the upload was forgotten."""
    for each in ground.catalogue.all_of(upload.bucket, upload.key):
        if each.version.upload == upload.id:
            folder = ground.tree.uploads(upload.bucket) / upload.id
            with suppress(FileNotFoundError):  # it is forgotten already, or by somebody else now
                _forget(ground, upload, folder)
            return each.version
    return None


def read(ground: Ground, bucket: str, id_: str = "*") -> Iterator[Statement]:
    """What the catalogue has to know about uploads that lie in a bucket."""
    for path in ground.tree.uploads(bucket).glob(f"{id_}/{UPLOAD}"):
        upload = read_json(path, Upload)
        yield with_upload(upload)
        for each in path.parent.glob(f"[0-9]*{SIDECAR}"):
            part = read_json(each, PartFile)
            yield with_part(upload.id, part.part.number, part.file, msgspec.json.encode(part))


def pieces(ground: Ground, upload: Upload, wanted: Sequence[Part]) -> Iterator[bytes]:
    """BadPartError where one of them is not there, or not whole, any more."""
    files = {each.part.number: each for each in _parts(ground, upload)}
    for part in wanted:
        found, crc = files.get(part.number), Crc(OWN)
        if found is None or found.part != part:
            raise BadPartError(f"part {part.number}: is another one now")
        path = ground.tree.uploads(upload.bucket) / upload.id / found.file
        with translated(path):
            for piece in pieces_of(path):
                crc.update(piece)
                yield piece
        if crc.value != part.crc:
            raise BadPartError(f"part {part.number}: its bytes are damaged")


def every(ground: Ground, bucket: str) -> list[Upload]:
    rows = ground.catalogue.ledger.rows("select document from uploads where bucket = ?", bucket)
    return [typed.decode(document, Upload) for (document,) in rows]


def damaged_parts(ground: Ground, bucket: str) -> Iterator[tuple[Upload, int]]:
    """Parts whose bytes are not what was uploaded, by upload and number."""
    for upload in every(ground, bucket):
        for each in _parts(ground, upload):
            path = ground.tree.uploads(bucket) / upload.id / each.file
            with suppress(FileNotFoundError):  # completed, aborted or replaced just now
                if not holds(path, each.part.crc):
                    yield upload, each.part.number


def recover(ground: Ground, bucket: str) -> None:
    """After a crash: uploads and parts are what lies on disk, whoever changes them meanwhile."""
    folders = ground.tree.uploads(bucket)
    for upload in every(ground, bucket):
        if not (folders / upload.id).exists():
            ground.catalogue.commit(without_upload(upload))
    for folder in folders.iterdir():
        with suppress(FileNotFoundError), flocked(ground.tree.lock_in(folder)):
            ground.catalogue.commit(list(read(ground, bucket, folder.name)))
