"""What all parts of the archive work with."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from dayfly.files.bench import Bench
from dayfly.files.catalogue import Catalogue
from dayfly.files.errors import NoSuchBucketError
from dayfly.files.objects import Bucket
from dayfly.files.tree import Tree


@dataclass(frozen=True)
class Ground:
    tree: Tree
    catalogue: Catalogue
    bench: Bench
    now: Callable[[], int] = time.time_ns

    def bucket(self, name: str) -> Bucket:
        bucket = self.catalogue.bucket(name)
        if bucket is None:
            raise NoSuchBucketError(f"{name}: no such bucket")
        return bucket
