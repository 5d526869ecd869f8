"""A whole archive as a value: where it lies, who may use it, and where it answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.files.errors import GoneError

if TYPE_CHECKING:
    from dayfly.files.repository import Repository


@dataclass(frozen=True, kw_only=True)
class Operated:
    """For whoever runs it: all buckets, without a key.

    `endpoint` is where S3 answers somebody who came to this host by a name; empty where it never
    did.
    """

    root: Path
    index: Path
    accounts: Path
    endpoint: Callable[[str], str]

    @contextmanager
    def opened(self) -> "Iterator[Repository]":
        """Beside the servers that have it open, or without any."""
        from dayfly.files.repository import Repository  # noqa: PLC0415 - only while it is open

        if not (self.root / ".dayfly").is_dir():
            raise GoneError(
                f"{self.root}: there is no archive",
                hint="`dayfly up` makes it, or finds its folder again where that is mounted.",
            )
        repository = Repository(self.root, self.index)
        try:
            yield repository
        finally:
            repository.close()
