"""Where everything lies.

    data/BUCKET/KEY                     the current version, byte for byte
    .dayfly/archive.json                whose tree this is
    .dayfly/buckets/BUCKET.json         what is set about a bucket
    .dayfly/versions/BUCKET/XX/NAME     bytes of a version; in a versioned bucket those of the
                                        current one as well, as a hard link
    .dayfly/versions/BUCKET/XX/NAME.json   what the archive knows about a version
    .dayfly/uploads/BUCKET/ID/          uploads that are not completed
    .dayfly/leases/BUCKET/              who may write a key, and the newest token of it; also
                                        of a bucket that is gone, so that none is given twice
    .dayfly/trash/BUCKET/               what was deleted for good, where a bucket is set so
    .dayfly/staging/PROCESS/            bytes that arrive, and changes that are under way
    .dayfly/locks/                      of keys and buckets, for all processes

NAME is a hash of the key and the uid of the version; XX its first two digits.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.files.errors import FilesError, GoneError
from dayfly.files.keys import path_of
from dayfly.files.objects import Version
from dayfly.files.system import close_to_others, flocked, fsync, made, write_durably
from dayfly.stored import read_json

SIDECAR = ".json"
LOCK = "lock"
ARCHIVE, SESSION, FORMAT = "archive.json", "session", 1
_ORDER_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What the tree says about itself. `fold`: its file system takes `A` and `a` for one name."""

    id: str
    format: int = FORMAT
    fold: bool = False


@dataclass(frozen=True)
class Tree:
    """`beside` is a local folder for locks, where the file system of the tree keeps none."""

    root: Path
    archive: Archive
    beside: Path | None = None

    @property
    def inner(self) -> Path:
        return self.root / ".dayfly"

    def bucket(self, bucket: str) -> Path:
        return self.root / "data" / bucket

    @cached_property
    def _data(self) -> str:
        return f"{self.root}/data"

    def file(self, version: Version) -> str:
        """The same as `data`, as text, which costs a tenth."""
        return f"{self._data}/{version.bucket}/{version.path}"

    def data(self, version: Version) -> Path:
        return self.bucket(version.bucket) / version.path

    def document(self, bucket: str) -> Path:
        return self.inner / "buckets" / f"{bucket}{SIDECAR}"

    def path_of(self, key: str) -> str:
        return path_of(key, fold=self.archive.fold)

    def shards(self, bucket: str) -> Path:
        return self.inner / "versions" / bucket

    def shard(self, bucket: str, key: str) -> Path:
        return self.shards(bucket) / hash_of(key)[:2]

    def kept(self, version: Version) -> Path:
        """Its bytes, where they are kept beside the current ones."""
        name = f"{hash_of(version.key)}-{version.uid}"
        return self.shards(version.bucket) / name[:2] / name

    def sidecar(self, version: Version) -> Path:
        kept = self.kept(version)
        return kept.with_name(f"{kept.name}{SIDECAR}")

    def leases(self, bucket: str) -> Path:
        return self.inner / "leases" / bucket

    def trash(self, bucket: str) -> Path:
        return self.inner / "trash" / bucket

    def uploads(self, bucket: str) -> Path:
        return self.inner / "uploads" / bucket

    @property
    def locks(self) -> Path:
        return self.beside or self.inner / "locks"

    def lock_in(self, folder: Path) -> Path:
        """That of a folder of its own: a bench, or an upload."""
        return self.beside / folder.name if self.beside else folder / LOCK

    def key_lock(self, bucket: str, key: str) -> Path:
        return self.locks / f"{hash_of(f'{bucket}/{key}')[:3]}"

    def bucket_lock(self, bucket: str) -> Path:
        return self.locks / f"bucket-{bucket}"

    def sidecars(self, bucket: str, key: str) -> list[Path]:
        """Those of one key."""
        start = f"{hash_of(key)}-"
        try:
            found = os.scandir(self.shard(bucket, key))
        except FileNotFoundError:
            return []
        with found:
            names = [each.name for each in found if each.name.startswith(start)]
        return [self.shard(bucket, key) / name for name in names if name.endswith(SIDECAR)]

    def check(self, bucket: str = "") -> None:
        """The tree, and the folder of a bucket, are there: else files only seem to be gone."""
        folder = self.bucket(bucket)
        if not (self.inner / ARCHIVE).is_file() or not folder.is_dir():
            raise GoneError(
                f"{folder}: is not there",
                hint="Mount it again, or bring it back from a copy; nothing was changed.",
            )


def hash_of(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def fresh_uid(order: int) -> str:
    """Names a version; the later one is the greater one."""
    return f"{order:0{_ORDER_DIGITS}x}{secrets.token_hex(8)}"


def order_of(uid: str) -> int:
    return int(uid[:_ORDER_DIGITS], 16)


def read_sidecar(path: Path) -> Version:
    try:
        return typed.decode(path.read_bytes(), Version)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FilesError(
            f"{path}: {error}", hint="dayfly files scrub tells what is lost."
        ) from error


def write_sidecar(tree: Tree, version: Version, by_way_of: Path) -> None:
    """Whole or not at all; `by_way_of` is a free name on the same file system."""
    write_durably(by_way_of, msgspec.json.encode(version))
    by_way_of.replace(tree.sidecar(version))
    fsync(tree.shard(version.bucket, version.key))


def opened_tree(root: Path, beside: Path | None = None) -> Tree:
    """The tree at a folder, begun where there is none."""
    return begun(root, beside=beside)


def begun(root: Path, like: Archive | None = None, beside: Path | None = None) -> Tree:
    """The same; `like` is the archive that it is a copy of."""
    told = root / ".dayfly" / ARCHIVE
    if beside:
        made(beside)
    if not told.exists():
        check_folder(root)
        _begin(root, told, like, beside)
    archive = read_json(told, Archive)
    if archive.format != FORMAT:
        raise FilesError(f"{told}: format {archive.format}, this Dayfly knows {FORMAT}")
    if like and like.id != archive.id:
        raise FilesError(f"{root}: is another archive, and no copy of this one")
    for folder in (root / "data", root / ".dayfly"):
        close_to_others(folder)
    return Tree(root, archive, beside)


def check_folder(root: Path) -> None:
    """FilesError where there is neither an archive nor room for one."""
    if (root / ".dayfly" / ARCHIVE).exists():
        return
    foreign = [] if not root.is_dir() else [each.name for each in root.iterdir()]
    if set(foreign) - {".dayfly", "data", "lost+found"}:
        raise FilesError(
            f"{root}: is neither empty nor an archive",
            hint="Name an empty folder, or the one of an archive.",
        )


def _begin(root: Path, told: Path, like: Archive | None, beside: Path | None) -> None:
    for name in ("buckets", "versions", "uploads", "leases", "trash", "staging", "locks"):
        made(root / ".dayfly" / name)
    made(root / "data")
    with flocked((beside or root / ".dayfly" / "locks") / "opening"):
        if told.exists():
            return
        fold = told.with_name("LOCKS").exists()
        archive = Archive(id=like.id if like else secrets.token_hex(8), fold=fold)
        write_atomically(told, msgspec.json.encode(archive), 0o644)
