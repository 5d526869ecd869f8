"""A multipart upload becomes one object, of the parts that are named, whatever happens between."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, put
from dayfly.files.checksums import begun, written
from dayfly.files.condition import Condition
from dayfly.files.errors import (
    BadPartError,
    ChecksumError,
    ConditionError,
    FilesError,
    NoSuchUploadError,
    PartOrderError,
    PartTooSmallError,
)
from dayfly.files.objects import Checksum, Description, Named, Part, Upload
from dayfly.files.repository import Repository

BIG, SMALL = os.urandom(5 * 1024 * 1024), b"the end"


def uploaded(repository: Repository, upload: Upload, number: int, piece: bytes) -> Part:
    algorithms = [upload.algorithm] if upload.algorithm else []
    with repository.stage(upload.bucket, algorithms=algorithms) as staged:
        staged.write(piece)
        return repository.put_part(upload, number, staged)


def names(*parts: Part) -> list[Named]:
    return [Named(number=part.number, etag=part.etag) for part in parts]


def test_the_parts_become_one_object_with_what_was_said_at_the_start(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        upload = repository.begin_upload(BUCKET, "big", Description(metadata={"a": "b"}))
        uploaded(repository, upload, 1, SMALL)
        first = uploaded(repository, upload, 1, BIG)
        last = uploaded(repository, upload, 9, SMALL)
        page = repository.list_parts(upload, limit=1)
        assert (page.parts, page.next) == ((first,), 1)
        assert repository.list_parts(upload, after=1).parts == (last,)
        made = repository.complete(upload, names(first, last))
        again = repository.complete(upload, names(first, last))

        assert content(repository, "big") == BIG + SMALL
        assert repository.head(BUCKET, "big") == made == again
        digests = hashlib.md5(BIG).digest() + hashlib.md5(SMALL).digest()
        assert made.etag == f"{hashlib.md5(digests).hexdigest()}-2"
        assert [part.size for part in made.parts] == [len(BIG), len(SMALL)]
        assert made.description.metadata == {"a": "b"}
        assert not list((tmp_path / "tree" / ".dayfly" / "uploads" / BUCKET).iterdir())
        copied = repository.copy(made, BUCKET, "copy")
        assert copied.etag == hashlib.md5(BIG + SMALL).hexdigest()


@pytest.mark.parametrize(
    ("algorithm", "composite"),
    [("CRC32", False), ("CRC32C", False), ("CRC64NVME", False), ("CRC32", True), ("SHA256", True)],
)
def test_checksums_of_parts_make_that_of_the_whole(
    tmp_path: Path, algorithm: str, composite: bool
) -> None:
    asked = Description(checksum=Checksum(algorithm=algorithm, value="", composite=composite))
    with archive(tmp_path, BUCKET) as repository:
        upload = repository.begin_upload(BUCKET, "big", asked)
        parts = [uploaded(repository, upload, 1, BIG), uploaded(repository, upload, 2, SMALL)]
        made = repository.complete(upload, names(*parts)).description.checksum

    whole = begun(algorithm)
    for piece in (BIG, SMALL):
        of_part = begun(algorithm)
        of_part.update(piece)
        whole.update(of_part.digest() if composite else piece)
    value = written(whole.digest()) + ("-2" if composite else "")
    assert made == Checksum(algorithm=algorithm, value=value, composite=composite)


def test_a_sha_of_the_whole_cannot_be_made_of_parts(tmp_path: Path) -> None:
    asked = Description(checksum=Checksum(algorithm="SHA256", value=""))
    with archive(tmp_path, BUCKET) as repository, pytest.raises(ChecksumError, match="composite"):
        repository.begin_upload(BUCKET, "big", asked)


REFUSED: dict[str, tuple[list[tuple[int, str]], type[FilesError]]] = {
    "none": ([], BadPartError),
    "never uploaded": ([(3, "0" * 32)], BadPartError),
    "other bytes": ([(1, "0" * 32)], BadPartError),
    "twice": ([(1, ""), (1, "")], PartOrderError),
    "descending": ([(2, ""), (1, "")], PartOrderError),
    "small before another": ([(1, ""), (2, "")], PartTooSmallError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_parts_that_make_no_object_are_refused_and_stay(tmp_path: Path, case: str) -> None:
    named, refused = REFUSED[case]
    with archive(tmp_path, BUCKET) as repository:
        upload = repository.begin_upload(BUCKET, "a")
        for number in (1, 2):
            uploaded(repository, upload, number, SMALL)
        etag = hashlib.md5(SMALL).hexdigest()
        with pytest.raises(refused):
            repository.complete(
                upload, [Named(number=number, etag=told or etag) for number, told in named]
            )
        assert len(repository.list_parts(upload).parts) == 2


def test_a_condition_is_decided_when_the_upload_is_completed(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        upload = repository.begin_upload(BUCKET, "a")
        part = uploaded(repository, upload, 1, SMALL)
        put(repository, "a", b"first")
        with pytest.raises(ConditionError):
            repository.complete(upload, names(part), Condition(if_none_match=("*",)))
        assert content(repository, "a") == b"first"
        repository.complete(upload, names(part))
        assert content(repository, "a") == SMALL


def test_an_aborted_upload_is_gone(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        upload = repository.begin_upload(BUCKET, "a")
        part = uploaded(repository, upload, 1, SMALL)
        repository.abort(upload)
        for call in (
            lambda: repository.upload(BUCKET, "a", upload.id),
            lambda: uploaded(repository, upload, 1, SMALL),
            lambda: repository.complete(upload, names(part)),
            lambda: repository.abort(upload),
            lambda: repository.list_parts(upload),
        ):
            with pytest.raises(NoSuchUploadError):
                call()
        with pytest.raises(BadPartError, match="1 to 10000"):
            uploaded(repository, repository.begin_upload(BUCKET, "a"), 10_001, SMALL)


def test_a_part_can_be_a_piece_of_an_object(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "source", b"0123456789")
        upload = repository.begin_upload(BUCKET, "a")
        with repository.open(BUCKET, "source") as source:
            put(repository, "source", b"replaced by others")
            part = repository.copy_part(upload, 1, source, (2, 5))
        repository.complete(upload, names(part))
        assert content(repository, "a") == b"234"


def test_uploads_survive_a_rebuild(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        upload = repository.begin_upload(BUCKET, "a")
        part = uploaded(repository, upload, 1, SMALL)
        repository.care.rebuild()
        assert repository.upload(BUCKET, "a", upload.id) == upload
        repository.complete(upload, names(part))
        assert content(repository, "a") == SMALL


def test_who_completes_at_the_same_time_gets_the_same_object(tmp_path: Path) -> None:
    """As clients do that lose patience and ask again."""
    with archive(tmp_path, BUCKET) as repository, ThreadPoolExecutor(12) as pool:
        for number in range(3):
            upload = repository.begin_upload(BUCKET, f"big-{number}")
            named = names(uploaded(repository, upload, 1, SMALL))
            asks = [pool.submit(repository.complete, upload, named) for _ in range(12)]

            made = [each.result() for each in asks]

            assert made == [repository.head(BUCKET, f"big-{number}")] * 12


def test_who_comes_while_an_upload_ends_finds_it_gone(tmp_path: Path) -> None:
    """As who comes just after: of those that end it one does."""
    with archive(tmp_path, BUCKET) as repository, ThreadPoolExecutor(8) as pool:
        for number in range(60):
            upload = repository.begin_upload(BUCKET, f"big-{number}")
            named = names(uploaded(repository, upload, 1, SMALL))
            aborts = [pool.submit(repository.abort, upload) for _ in range(4)]
            completed = pool.submit(repository.complete, upload, named)
            parts = [pool.submit(uploaded, repository, upload, 2, SMALL) for _ in range(3)]

            errors = [each.exception() for each in (*aborts, completed, *parts)]

            assert {type(each) for each in errors if each} <= {NoSuchUploadError}
            assert errors[:5].count(None) == 1
