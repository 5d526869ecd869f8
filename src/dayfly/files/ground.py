"""What all parts of the archive work with."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dayfly.files.bench import Bench
from dayfly.files.catalogue import Catalogue
from dayfly.files.errors import GoneError, NoRoomError, NoSuchBucketError
from dayfly.files.mount import LOCAL, Mount
from dayfly.files.objects import Bucket
from dayfly.files.system import refusal
from dayfly.files.tree import Tree


@dataclass(frozen=True)
class Ground:
    tree: Tree
    catalogue: Catalogue
    bench: Bench
    index: Path
    reserve: int = 0  # bytes of either disk that puts leave, for the index and for deletions
    mount: Mount = LOCAL
    now: Callable[[], int] = time.time_ns

    def bucket(self, name: str) -> Bucket:
        bucket = self.catalogue.bucket(name)
        if bucket is None:
            raise NoSuchBucketError(f"{name}: no such bucket")
        return bucket

    @contextmanager
    def guarded(self, bucket: str) -> Iterator[None]:
        """Tell what the system says as FilesError; GoneError where the whole folder is missing."""
        try:
            yield
        except OSError as error:
            self.tree.check(bucket)
            raise refusal(error, self.tree.bucket(bucket)) from error

    def close(self) -> None:
        self.bench.close()
        self.catalogue.close()

    def _statvfs(self, folder: Path) -> os.statvfs_result:
        try:
            return os.statvfs(folder)
        except FileNotFoundError as error:
            self.tree.check()
            raise GoneError(
                f"{folder}: is not there, and no put is kept without its index",
                hint="Start the archive again: the index is made anew from the tree.",
            ) from error

    def check_room(self) -> None:
        for folder in (self.tree.root, self.index):
            found = self._statvfs(folder)
            free = found.f_bavail * found.f_frsize
            if free < self.reserve:
                raise NoRoomError(
                    f"{folder}: {free} bytes are free, {self.reserve} are reserved",
                    hint="Make room on the disk; what is stored can be read and deleted.",
                )
