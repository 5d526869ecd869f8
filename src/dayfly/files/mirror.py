"""A second copy of the whole tree, kept the same; broken off, it goes on where it was.

The copy is an archive itself: it can be opened, scrubbed, and named as the place where a scrub
finds bytes that are damaged here. Each file is checked with its checksum while it is copied.
"""

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from dayfly.durable import write_atomically
from dayfly.files.bench import anybody
from dayfly.files.errors import FilesError, GoneError, LostError, NoSuchKeyError, NoSuchVersionError
from dayfly.files.ground import Ground
from dayfly.files.objects import Bucket, Version, Versioning
from dayfly.files.placing import emptied, placed
from dayfly.files.reading import source
from dayfly.files.scrub import Copies
from dayfly.files.system import (
    Stamp,
    cleared,
    copied,
    flocked,
    fsync,
    linked,
    looked_at,
    made,
    translated,
)
from dayfly.files.tree import SESSION, SIDECAR, Tree, begun, hash_of, read_sidecar, write_sidecar


def mirror(ground: Ground, target: Path) -> Iterator[Version]:
    """Tells each version whose bytes it copies; deletions go over as well.

    GoneError or LostError, in the end, of what could not be copied, as folders of buckets are
    missing or bytes are damaged: the copy keeps what it has of them.
    """
    with translated(target):
        _check_apart(ground.tree.root, target)
        copy = begun(target, ground.tree.archive)
        if anybody(copy):
            raise FilesError(f"{target}: a process has this copy open", hint="Stop it first.")
        with flocked(copy.locks / "mirror"):
            (copy.inner / SESSION).unlink(missing_ok=True)  # an index of the copy is out of date
            here = ground.catalogue.buckets()
            gone, lost = list[str](), list[Version]()
            for bucket in here:
                try:
                    ground.tree.check(bucket.name)
                    yield from _bucket(ground, copy, bucket, lost)
                except GoneError:
                    gone.append(bucket.name)
            _forget_buckets(copy, {bucket.name for bucket in here})
            _check_none(ground, gone, lost)


def _check_none(ground: Ground, gone: Sequence[str], lost: Sequence[Version]) -> None:
    ground.tree.check()
    told = list[str]()
    if gone:
        folders = ", ".join(str(ground.tree.bucket(name)) for name in gone)
        told.append(f"{folders}: is not there")
    if lost:
        names = ", ".join(f"{each.bucket}/{each.key} version {each.id}" for each in lost)
        told.append(f"{len(lost):,} left out, whose bytes are lost or damaged: {names}")
    message = "; ".join((*told, "the copy keeps what it has of it, and all else is the same now"))
    if gone:
        raise GoneError(message, hint="Mount it again, or bring it back from a copy.")
    if lost:
        raise LostError(message, hint="dayfly files scrub --from repairs what a copy has whole.")


def _check_apart(root: Path, target: Path) -> None:
    here, there = root.resolve(), target.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise FilesError(
            f"{target}: lies within the archive, or the archive in it",
            hint="Name a folder beside it, best on another disk.",
        )


def copies_in(target: Path, of: Tree) -> Copies:
    """Where a mirror has the bytes of a version."""
    copy = begun(target, of.archive)

    def copies(version: Version) -> Path | None:
        places = (copy.kept(version), copy.data(version))
        return next((path for path in places if looked_at(path)), None)

    return copies


def _bucket(ground: Ground, copy: Tree, bucket: Bucket, lost: list[Version]) -> Iterator[Version]:
    for folder in (copy.bucket(bucket.name), copy.shards(bucket.name), copy.uploads(bucket.name)):
        made(folder)
    document = msgspec.json.encode(bucket)
    path = copy.document(bucket.name)
    if not path.exists() or path.read_bytes() != document:
        write_atomically(path, document, 0o644)
    hashes = set[str]()
    for key in ground.catalogue.every_key(bucket.name):
        hashes.add(hash_of(key))
        known = ground.catalogue.all_of(bucket.name, key)
        yield from _key(ground, copy, bucket, [each.version for each in known], lost)
    for sidecar in copy.shards(bucket.name).glob(f"*/*{SIDECAR}"):
        if sidecar.name.partition("-")[0] not in hashes and sidecar.exists():
            _forget(copy, _there(copy, bucket.name, read_sidecar(sidecar).key))


def _key(
    ground: Ground, copy: Tree, bucket: Bucket, versions: Sequence[Version], lost: list[Version]
) -> Iterator[Version]:
    if not versions:
        return  # deleted just now; the next run sees that
    there = {each.uid: each for each in _there(copy, bucket.name, versions[0].key)}
    at = _path(copy, there.values())
    for number, version in reversed(list(enumerate(versions))):
        current = number == 0
        found = there.get(version.uid)
        path = at if current and at else version.path
        wanted = replace(version, path="" if version.marker else path)
        places = _places(copy, bucket, wanted, current=current)
        if found is None or not all(_has(path, version) for path in places):
            try:
                yield from _copied(ground, copy, wanted, places)
            except LostError:
                lost.append(version)
                if current:
                    return  # what the copy has in place stays, with what is said about it
        elif found != wanted:
            write_sidecar(copy, wanted, _fresh(copy))
    kept = {each.uid for each in versions}
    _forget(copy, [each for each in there.values() if each.uid not in kept], data=False)
    if versions[0].marker and at:
        emptied(copy, replace(versions[0], path=at))


def _there(copy: Tree, bucket: str, key: str) -> list[Version]:
    return [read_sidecar(path) for path in copy.sidecars(bucket, key)]


def _path(copy: Tree, there: Iterable[Version]) -> str:
    """Where the copy has the file that is in place."""
    paths = {each.path: copy.data(each) for each in there if each.path}
    return next((path for path, at in paths.items() if looked_at(at)), "")


def _places(copy: Tree, bucket: Bucket, version: Version, *, current: bool) -> list[Path]:
    if version.marker:
        return []
    enabled = bucket.versioning is Versioning.ENABLED
    places = [copy.data(version)] if current else []
    return places if current and not enabled else [*places, copy.kept(version)]


def _has(path: Path, version: Version) -> bool:
    found = looked_at(path)
    wanted = (version.size, version.modified)
    return found is not None and Stamp.of(found)[:2] == wanted


def _copied(
    ground: Ground, copy: Tree, version: Version, places: Sequence[Path]
) -> Iterator[Version]:
    made(copy.shard(version.bucket, version.key))
    if version.marker:
        write_sidecar(copy, version, _fresh(copy))
        return
    fresh = _fresh(copy)
    try:
        with source(ground, version) as opened:
            if copied(Path(opened.path), fresh) != (version.size, version.crc):
                raise LostError(f"{version.bucket}/{version.key}: {version.id} is damaged")
        os.utime(fresh, ns=(version.modified, version.modified))
        _into(copy, version, fresh, places)
        yield version
    except (NoSuchKeyError, NoSuchVersionError):
        return  # deleted or replaced just now
    finally:
        fresh.unlink(missing_ok=True)


def _into(copy: Tree, version: Version, whole: Path, places: Sequence[Path]) -> None:
    if copy.kept(version) in places:
        second = _fresh(copy)
        linked(whole, second)
        second.replace(copy.kept(version))
        fsync(copy.kept(version).parent)
    write_sidecar(copy, version, _fresh(copy))
    if len(places) > 1 or copy.kept(version) not in places:
        found = placed(copy, version, whole)
        if found.path != version.path:
            write_sidecar(copy, replace(version, path=found.path), _fresh(copy))


def _fresh(copy: Tree) -> Path:
    return copy.inner / "locks" / f"mirror-{secrets.token_hex(8)}"


def _forget(copy: Tree, versions: Sequence[Version], *, data: bool = True) -> None:
    at = _path(copy, versions) if data else ""
    for each in versions:
        copy.sidecar(each).unlink(missing_ok=True)
        copy.kept(each).unlink(missing_ok=True)
    if at:
        emptied(copy, replace(versions[0], path=at))


def _forget_buckets(copy: Tree, here: set[str]) -> None:
    for document in (copy.inner / "buckets").glob(f"[!.]*{SIDECAR}"):
        if document.stem not in here:
            document.unlink()
            cleared(copy.bucket(document.stem))
            cleared(copy.shards(document.stem))
