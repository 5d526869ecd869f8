"""What every home of objects can do: the archive itself, and a bucket of somebody else's S3."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.objects import (
    NOBODY,
    PLAIN,
    Asked,
    Bucket,
    Deletion,
    Description,
    Page,
    Provenance,
    Usage,
    Version,
    Versioning,
)
from dayfly.files.staging import Staged


class Reading(Protocol):
    """An object with its bytes."""

    @property
    def version(self) -> Version: ...

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Store(Protocol):
    """As `Repository` says of each."""

    def create_bucket(self, name: str, *, owner: str, object_lock: bool = False) -> Bucket: ...

    def bucket(self, name: str) -> Bucket: ...

    def buckets(self) -> Sequence[Bucket]: ...

    def set_versioning(self, name: str, state: Versioning) -> Bucket: ...

    def usage(self, name: str) -> Usage: ...

    def stage(
        self, bucket: str, *, algorithms: Sequence[str] = ()
    ) -> AbstractContextManager[Staged]: ...

    def put(
        self,
        staged: Staged,
        key: str,
        description: Description = PLAIN,
        condition: Condition = ALWAYS,
    ) -> Version: ...

    def head(self, bucket: str, key: str, version: str = "") -> Version: ...

    def open(self, bucket: str, key: str, version: str = "") -> Reading: ...

    def copy(
        self,
        source: Version,
        bucket: str,
        key: str,
        description: Description | None = None,
        condition: Condition = ALWAYS,
    ) -> Version: ...

    def delete(
        self,
        bucket: str,
        key: str,
        version: str | None = None,
        condition: Condition = ALWAYS,
        *,
        bypass: bool = False,
        by: Provenance = NOBODY,
    ) -> Deletion: ...

    def list(self, bucket: str, asked: Asked) -> Page: ...

    def list_versions(self, bucket: str, asked: Asked) -> Page: ...

    def close(self) -> None: ...
