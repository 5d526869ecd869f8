"""One archive for all tests of a file; each has buckets of its own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import S3, Archive, Put, archive

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest.fixture
def s3(served: Archive) -> S3:
    return served.client()


@pytest.fixture
def bucket(s3: S3) -> str:
    name = f"bucket-{next(_NUMBERS)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def put(s3: S3, bucket: str) -> Put:
    return lambda key, body=b"", **more: s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


@pytest.fixture
def on_disk(served: Archive, bucket: str) -> Path:
    return served.folder / "data" / bucket
