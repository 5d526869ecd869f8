"""A bucket of Dayfly's own: no app gets it, and what lies there is held until a person lets go."""

import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.files.errors import BucketExistsError, FilesError, NoSuchBucketError, NoSuchKeyError
from dayfly.files.objects import Asked, Description, Lock, Provenance

if TYPE_CHECKING:
    from dayfly.files.repository import Repository

OWNER = "dayfly.own"  # no app is called so: their names have no dot
_PIECE, _FEW = 1 << 20, 1000


@dataclass(frozen=True, kw_only=True)
class Safe:
    """Objects are versions under a legal hold; as files they are for our own user alone."""

    root: Path
    index: Path
    bucket: str

    def begin(self) -> None:
        """Make the bucket where it is not there; FilesError where it is somebody else's."""
        with self._opened() as repository:
            self._begun(repository)

    def keep(self, files: Mapping[str, Path], *, release: int, sums: Mapping[str, str]) -> None:
        """Files by key, in this order; FilesError where the bytes have not their SHA-256."""
        with self._opened() as repository:
            self._begun(repository)
            for key, path in files.items():
                self._put(repository, key, path, release, sums.get(key, ""))

    @contextmanager
    def laid_out(self, prefix: str, folder: Path) -> Iterator[None]:
        """In the folder links to what lies below a prefix, by the rest of its keys."""
        made: list[Path] = []
        try:
            with self._opened() as repository:
                for name in self._names(repository, prefix):
                    with repository.open(self.bucket, f"{prefix}{name}") as opened:
                        (folder / name).symlink_to(Path(opened.path).resolve())
                    made.append(folder / name)
            yield
        finally:
            for link in made:
                link.unlink()

    def let_go(self, prefix: str) -> None:
        """Every version of what lies below a prefix, for good; what is gone already is no error."""
        with self._opened() as repository:
            few = Asked(prefix=prefix, limit=_FEW)
            while entries := repository.list_versions(self.bucket, few).entries:
                for entry in entries:
                    if not entry.marker:
                        repository.set_hold(self.bucket, entry.key, entry.id, hold=False)
                    repository.delete(self.bucket, entry.key, entry.id)

    @contextmanager
    def _opened(self) -> "Iterator[Repository]":
        from dayfly.files.repository import Repository  # noqa: PLC0415 - only while it is open

        repository = Repository(self.root, self.index)
        try:
            yield repository
        finally:
            repository.close()

    def _begun(self, repository: "Repository") -> None:
        try:
            found = repository.bucket(self.bucket)
        except NoSuchBucketError:
            self._make(repository)
            return
        self._own(found.owner)

    def _make(self, repository: "Repository") -> None:
        try:
            repository.create_bucket(self.bucket, owner=OWNER, object_lock=True)
        except BucketExistsError as error:  # another release was quicker
            self._own(error.owner)
        tree = repository.ground.tree
        for folder in (tree.bucket(self.bucket), tree.shards(self.bucket)):
            folder.chmod(0o700)

    def _own(self, owner: str) -> None:
        if owner != OWNER:
            raise FilesError(
                f"the bucket {self.bucket} belongs to {owner}, and Dayfly needs it for itself",
                hint="Move what is in it to another bucket, and delete it.",
            )

    def _put(
        self, repository: "Repository", key: str, path: Path, release: int, wanted: str
    ) -> None:
        with repository.stage(self.bucket, algorithms=["SHA256"]) as staged:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    staged.write(piece)
            if wanted and b64decode(staged.digest("SHA256")).hex() != wanted:
                raise FilesError(f"{path} is not what was written there a moment ago")
            if not self._has(repository, key, (staged.size, staged.crc)):
                repository.put(staged, key, _described(path, release))

    def _has(self, repository: "Repository", key: str, bytes_: tuple[int, int]) -> bool:
        try:
            found = repository.head(self.bucket, key)
        except NoSuchKeyError:
            return False
        return (found.size, found.crc) == bytes_

    def _names(self, repository: "Repository", prefix: str) -> Iterator[str]:
        asked = Asked(prefix=prefix, limit=_FEW)
        while True:
            page = repository.list(self.bucket, asked)
            yield from (entry.key.removeprefix(prefix) for entry in page.entries)
            if not page.next:
                return
            asked = Asked(prefix=prefix, after=page.next, limit=_FEW)


def _described(path: Path, release: int) -> Description:
    return Description(
        owner=OWNER,
        headers={"content-type": "application/octet-stream"},
        lock=Lock(hold=True),
        provenance=Provenance(who="dayfly", release=str(release), source=os.fspath(path)),
    )
