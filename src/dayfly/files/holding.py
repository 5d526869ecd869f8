"""One key, while its lock is held: all changes of its versions are made here.

The order is: the bytes on disk, a copy of the sidecar on the bench, the sidecar by the uid of the
version, the bytes in place, the folder, the catalogue. Whoever is killed leaves the copy on the
bench, by which the next start finishes or undoes it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from dayfly.files.bench import GONE, PUT, SET
from dayfly.files.catalogue import Known
from dayfly.files.errors import FilesError
from dayfly.files.ground import Ground
from dayfly.files.ledger import Statement
from dayfly.files.objects import Bucket, Version, Versioning
from dayfly.files.placing import chosen, emptied, placed
from dayfly.files.reconciling import NOTHING_LEFT, Left, reconcile
from dayfly.files.statements import settled, with_change, with_version, without_version
from dayfly.files.system import Stamp, flocked, fsync, linked, looked_at, looked_at_below, made
from dayfly.files.tree import SIDECAR, Tree, fresh_uid, order_of, write_sidecar


@contextmanager
def holding(ground: Ground, bucket: str, key: str, *, look: bool = True) -> Iterator["Holding"]:
    """NoSuchBucketError where the bucket is not there, which it stays meanwhile if it is."""
    tree = ground.tree
    with ground.guarded(bucket):
        ground.bucket(bucket)
        with (
            flocked(tree.bucket_lock(bucket), shared=True),
            flocked(tree.key_lock(bucket, key)),
        ):
            held = Holding(ground, ground.bucket(bucket), key)
            if look:
                held.look()
            yield held


@dataclass
class Holding:
    ground: Ground
    bucket: Bucket
    key: str
    latest: Known | None = field(default=None, init=False)

    def look(self) -> None:
        """Read the newest version; where the file in place is another, settle what there is."""
        self.latest = self.ground.catalogue.latest(self.bucket.name, self.key)
        if not agrees(self.ground.tree, self.bucket.name, self.key, self.latest):
            self.settle()

    @property
    def current(self) -> Version | None:
        """What a reader without a version gets."""
        found = self.latest
        return found.version if found and not found.version.marker else None

    def settle(self, left: Left = NOTHING_LEFT) -> None:
        reconcile(self.ground, self.bucket, self.key, left)
        self.latest = self.ground.catalogue.latest(self.bucket.name, self.key)

    def begun(self) -> Version:
        """A version that comes after all others, whatever the clock says."""
        order = self.ground.now()
        if self.latest:
            order = max(order, order_of(self.latest.version.uid) + 1)
        return Version(
            bucket=self.bucket.name,
            key=self.key,
            uid=fresh_uid(order),
            null=self.bucket.versioning is not Versioning.ENABLED,
            modified=order,
        )

    def put(self, version: Version, bytes_at: Path | None) -> Version:
        """Make a version that `begun` gave the current one; without bytes it is a marker."""
        old = self.ground.catalogue.null(self.bucket.name, self.key) if version.null else None
        if bytes_at:
            version = replace(version, path=self._free_path())
        undo = self._undone(version)
        with self.ground.bench.under_way(version, PUT, undo) as copy:
            self._describe(version, copy, bytes_at, old)
            if old:
                self._throw(old)
            known = self._into_place(version, bytes_at)
            gone = [without_version(old.version)] if old else []
            kind = "put" if bytes_at else "marker"
            self._commit([*gone, with_version(known), self._told(known.version, kind)])
            if old:
                self._clear(old.version)  # should it come back, only the newest null counts
        self.latest = known
        return known.version

    def _undone(self, version: Version) -> Callable[[], None]:
        return lambda: self.settle(Left(interrupted=frozenset({version.uid})))

    def _describe(
        self, version: Version, copy: Path, bytes_at: Path | None, old: Known | None
    ) -> None:
        tree, enabled = self.ground.tree, self.bucket.versioning is Versioning.ENABLED
        made(tree.shard(version.bucket, version.key))
        if bytes_at and enabled:
            linked(bytes_at, tree.kept(version))
        top = self.current
        if top and not (old and old.version.uid == top.uid):
            with suppress(FileNotFoundError, NotADirectoryError):  # a hand moved it just now
                linked(tree.data(top), tree.kept(top))
        linked(copy, tree.sidecar(version))
        fsync(tree.shard(version.bucket, version.key))

    def _free_path(self) -> str:
        """Where it is now, or where nobody else is."""
        tree = self.ground.tree
        path = self.current.path if self.current else tree.path_of(self.key)
        return chosen(tree, self.bucket.name, path)

    def _into_place(self, version: Version, bytes_at: Path | None) -> Known:
        tree, top = self.ground.tree, self.current
        if bytes_at is None:
            if top:
                emptied(tree, top)
            return Known(version)
        os.utime(bytes_at, ns=(version.modified, version.modified))
        found = placed(tree, version, bytes_at)
        if found.path != version.path:  # beside a folder, or a file, of that name
            version = replace(version, path=found.path)
            write_sidecar(tree, version, self.ground.bench.fresh())
        return Known(version, found.inode, found.mtime)

    def remove(self, found: Known) -> None:
        """Delete a version for good; the one before it becomes the current one."""
        version = found.version

        def goes_on() -> None:
            self.settle(Left(gone=frozenset({version.uid})))

        with self.ground.bench.under_way(version, GONE, goes_on, self.ground.tree.sidecar(version)):
            self._throw(found)
            top = self.latest is not None and self.latest.version.uid == version.uid
            statements = [without_version(version)]
            if top:
                statements += self._uncover(version)
            self._clear(version)
            fsync(self.ground.tree.shard(version.bucket, version.key))
            self._commit([*statements, self._told(version, "removed")])
        self.latest = self.ground.catalogue.latest(self.bucket.name, self.key)

    def _uncover(self, version: Version) -> list[Statement]:
        tree = self.ground.tree
        older = self.ground.catalogue.before(version)
        if older is None or older.version.marker:
            if not version.marker:
                emptied(tree, version)
            return []
        before = older.version
        fresh = self.ground.bench.fresh()
        if not linked(tree.kept(before), fresh):
            raise FilesError(f"{fresh}: is taken")
        path = version.path if not version.marker else before.path
        before = replace(before, path=path)
        found = placed(tree, before, fresh)
        before = replace(before, path=found.path)
        write_sidecar(tree, before, self.ground.bench.fresh())
        return [with_version(Known(before, found.inode, found.mtime))]

    def change(self, found: Known, version: Version) -> Version:
        """Describe a version anew; its bytes stay."""
        with self.ground.bench.under_way(version, SET, self._undone(version)):
            write_sidecar(self.ground.tree, version, self.ground.bench.fresh())
            known = Known(version, found.inode, found.mtime)
            self._commit([with_version(known), self._told(version, "described")])
        return version

    def _throw(self, found: Known) -> None:
        """Keep in the trash what goes for good, where the bucket is set so."""
        version, tree = found.version, self.ground.tree
        if version.marker or not self.bucket.trash_seconds:
            return
        folder = tree.trash(version.bucket)
        made(folder)
        for path in (tree.kept(version), tree.data(version)):
            stat = looked_at(path)
            if stat and Stamp.of(stat).inode == found.inode:
                linked(path, folder / version.uid)
                linked(tree.sidecar(version), folder / f"{version.uid}{SIDECAR}")
                os.utime(folder / f"{version.uid}{SIDECAR}", ns=(self.ground.now(),) * 2)
                return

    def _clear(self, version: Version) -> None:
        tree = self.ground.tree
        for path in (tree.sidecar(version), tree.kept(version)):
            path.unlink(missing_ok=True)

    def _told(self, version: Version, kind: str) -> Statement:
        return with_change(version, kind, self.ground.now())

    def tell(self, known: Known) -> None:
        """The catalogue what lies on disk."""
        self._commit([with_version(known)])

    def _commit(self, statements: list[Statement]) -> None:
        self.ground.catalogue.commit([*statements, *settled(self.bucket.name, self.key)])


def agrees(tree: Tree, bucket: str, key: str, latest: Known | None) -> bool:
    """Whether the file in place is the one that the catalogue knows."""
    if latest is None or latest.version.marker:
        return looked_at_below(tree.bucket(bucket), tree.path_of(key)) is None
    found = looked_at(tree.data(latest.version))
    if found is None:
        return False
    return Stamp.of(found) == latest.stamp
