"""The bucket of Dayfly's own: nobody else gets it, and nothing in it goes."""

import hashlib
from pathlib import Path

import pytest

from archived import archive, every
from dayfly.files.errors import FilesError, LockedError
from dayfly.files.safe import Safe

BUCKET = "own"


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return Safe(root=tmp_path / "tree", index=tmp_path / "index", bucket=BUCKET)


def kept(safe: Safe, folder: Path, text: str, *, digest: str = "") -> None:
    (folder / "rows").write_text(text)
    safe.keep({"orders/7/rows": folder / "rows"}, release=7, sums={"orders/7/rows": digest})


def test_what_is_kept_is_laid_out_again(safe: Safe, tmp_path: Path) -> None:
    kept(safe, tmp_path, "old", digest=hashlib.sha256(b"old").hexdigest())
    kept(safe, tmp_path, "new")
    kept(safe, tmp_path, "new")
    place = tmp_path / "place"
    place.mkdir()

    with safe.laid_out("orders/7/", place):
        assert (place / "rows").read_text() == "new"

    assert [*place.iterdir()] == []
    with archive(tmp_path) as repository:
        newest, oldest = every(repository, BUCKET)  # the same again is no new version
        assert [newest.latest, oldest.latest] == [True, False]
        with pytest.raises(LockedError):
            repository.delete(BUCKET, oldest.key, oldest.id)
        assert repository.head(BUCKET, newest.key).description.provenance.release == "7"


def test_what_a_person_lets_go_of_is_gone_in_every_version(safe: Safe, tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("other")
    safe.keep({"orders/70/rows": tmp_path / "rows"}, release=70, sums={})
    kept(safe, tmp_path, "old")
    kept(safe, tmp_path, "new")

    safe.let_go("orders/7/")
    safe.let_go("orders/7/")

    with archive(tmp_path) as repository:
        assert [entry.key for entry in every(repository, BUCKET)] == ["orders/70/rows"]


def test_files_are_for_our_own_user(safe: Safe, tmp_path: Path) -> None:
    kept(safe, tmp_path, "old")

    folders = [tmp_path / "tree" / "data" / BUCKET, tmp_path / "tree/.dayfly/versions" / BUCKET]
    assert [folder.stat().st_mode & 0o077 for folder in folders] == [0, 0]


def test_bytes_that_are_not_those_that_were_written_are_refused(safe: Safe, tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="not what was written"):
        kept(safe, tmp_path, "old", digest=hashlib.sha256(b"older").hexdigest())


def test_a_bucket_of_somebody_else_is_refused(safe: Safe, tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET):
        pass

    with pytest.raises(FilesError, match="the bucket own belongs to ann"):
        safe.begin()
