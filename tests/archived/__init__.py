"""An archive of a test: put, read, and look at the way a person would."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.objects import PLAIN, Asked, Description, Entry, Version
from dayfly.files.repository import Repository

BUCKET = "media"


@contextmanager
def archive(folder: Path, *buckets: str) -> Iterator[Repository]:
    """One in a folder: its tree in `tree`, its index beside it."""
    repository = Repository(folder / "tree", folder / "index")
    try:
        for name in buckets:
            repository.create_bucket(name, owner="ann")
        yield repository
    finally:
        repository.close()


def put(
    repository: Repository,
    key: str,
    content: bytes,
    description: Description = PLAIN,
    *,
    condition: Condition = ALWAYS,
    bucket: str = BUCKET,
) -> Version:
    with repository.stage(bucket) as staged:
        staged.write(content)
        return repository.put(staged, key, description, condition)


def content(repository: Repository, key: str, version: str = "", bucket: str = BUCKET) -> bytes:
    with repository.open(bucket, key, version) as opened:
        return opened.read()


def every(repository: Repository, bucket: str = BUCKET) -> list[Entry]:
    """All versions and markers, by key, newest first."""
    return list(repository.list_versions(bucket, Asked(limit=10**6)).entries)


def every_of(repository: Repository, key: str) -> list[Entry]:
    return [entry for entry in every(repository) if entry.key == key]


def keys(repository: Repository, bucket: str = BUCKET, **asked: str) -> list[str]:
    page = repository.list(bucket, Asked(limit=10**6, **asked))
    return [entry.key for entry in page.entries]


def tree_of(folder: Path, bucket: str = BUCKET) -> Mapping[str, bytes]:
    """What a person finds below the bucket's folder."""
    root = folder / "tree" / "data" / bucket
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def rows(repository: Repository) -> dict[str, list[tuple[object, ...]]]:
    """All that the index holds, but for which session it is of."""
    ledger = repository.ground.catalogue.ledger
    tables = ("buckets", "objects", "versions", "uploads", "parts", "leases", "usage")
    return {table: sorted(ledger.rows(f"select * from {table}")) for table in tables}


@contextmanager
def unreadable(*files: Path) -> Iterator[None]:
    """What reads one of these gets the kernel's EIO, as from a sector that is gone."""
    opened = Path.open

    def open_(path: Path, *words: Any, **more: Any) -> Any:  # noqa: ANN401 - those of Path.open
        bad = path.exists() and any(path.samefile(each) for each in files)
        return opened(Path("/proc/self/mem") if bad else path, *words, **more)

    with patch.object(Path, "open", open_):
        yield
