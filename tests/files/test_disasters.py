"""A full disk, one that takes no writes, a folder that is gone, a clock that jumps: no loss."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, every, keys, put, tree_of
from dayfly.files.errors import FilesError, GoneError, NoRoomError, ReadOnlyError
from dayfly.files.objects import Versioning
from dayfly.files.repository import Repository
from dayfly.files.s3.answer import translated
from dayfly.files.s3.problem import CODES
from dayfly.files.tree import SESSION

MB = 1024 * 1024


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    if os.geteuid():
        if os.environ.get("CI"):
            pytest.fail("mounting a small file system needs root")
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def put_many(repository: Repository) -> None:
    for number in range(10_000):
        put(repository, f"{number} {'x' * 900}", b"")


def test_what_does_not_fit_is_refused_and_what_is_there_can_be_read_and_deleted(
    tmp_path: Path, small: Path
) -> None:
    repository = Repository(small / "tree", tmp_path / "index", reserve=0)
    repository.create_bucket(BUCKET, owner="ann")
    put(repository, "a", b"one")
    put(repository, "big", b"x" * 2 * MB)
    for _ in range(2):
        with pytest.raises(NoRoomError, match="No space left"):
            put(repository, "a", b"x" * 3 * MB)
    with suppress(OSError):
        (small / "filler").write_bytes(b"x" * 4 * MB)
    with pytest.raises(NoRoomError):
        put(repository, "a", b"two")
    assert content(repository, "a") == b"one"
    repository.delete(BUCKET, "big")
    assert keys(repository) == ["a"]
    assert put(repository, "c", b"fits").size == 4
    repository.close()
    repository = Repository(small / "tree", tmp_path / "index", reserve=0)
    assert {key: content(repository, key) for key in keys(repository)} == {
        "a": b"one",
        "c": b"fits",
    }
    repository.close()


def test_nothing_is_put_where_the_index_would_have_no_room(tmp_path: Path, small: Path) -> None:
    repository = Repository(tmp_path / "tree", small / "index", reserve=0)
    repository.create_bucket(BUCKET, owner="ann")
    put(repository, "a", b"one")
    repository.ground = replace(repository.ground, reserve=4 * MB)
    with pytest.raises(NoRoomError, match="reserved"):
        put(repository, "a", b"two")
    assert content(repository, "a") == b"one"
    repository.delete(BUCKET, "a")
    assert keys(repository) == []
    repository.close()


def test_where_the_index_fills_up_nonetheless_the_object_is_taken_in_later(
    tmp_path: Path, small: Path
) -> None:
    repository = Repository(tmp_path / "tree", small / "index", reserve=0)
    repository.create_bucket(BUCKET, owner="ann")
    put(repository, "a", b"one")
    with pytest.raises(NoRoomError):
        put_many(repository)
    shutil.rmtree(small / "index")
    repository.close()
    with archive(tmp_path) as repository:
        assert content(repository, "a") == b"one"
        assert len(keys(repository)) == len(tree_of(tmp_path))


def test_a_disk_that_takes_no_writes_can_be_read(tmp_path: Path, small: Path) -> None:
    repository = Repository(small / "tree", tmp_path / "index", reserve=0)
    repository.create_bucket(BUCKET, owner="ann")
    put(repository, "a", b"one")
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    with pytest.raises(ReadOnlyError, match="Read-only"):
        put(repository, "a", b"two")
    with pytest.raises(ReadOnlyError):
        repository.delete(BUCKET, "a")
    assert content(repository, "a") == b"one"
    subprocess.run(["mount", "-o", "remount,rw", small], check=True)
    put(repository, "a", b"two")
    assert content(repository, "a") == b"two"
    repository.close()


@pytest.mark.parametrize("gone", [f"data/{BUCKET}", "data", ".dayfly", "."])
def test_a_folder_that_is_gone_deletes_nothing(tmp_path: Path, gone: str) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        one = put(repository, "a", b"one")
        folder, aside = tmp_path / "tree" / gone, tmp_path / "aside"
        folder.rename(aside)
        calls = [
            lambda: repository.delete(BUCKET, "a"),
            lambda: repository.delete(BUCKET, "a", one.id),
            lambda: repository.care.survey(BUCKET),
        ]
        if gone != ".dayfly":  # then the object itself is there
            calls += [lambda: content(repository, "a"), lambda: repository.head(BUCKET, "a")]
        for call in calls:
            with pytest.raises(GoneError, match="not there"):
                call()
        with pytest.raises(FilesError):
            put(repository, "a", b"two")
        aside.rename(folder)
        assert content(repository, "a") == b"one"
        assert len(every(repository)) == 1


def test_an_index_that_is_gone_loses_nothing(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"one")
        (tmp_path / "index").rename(tmp_path / "aside")
        with pytest.raises(GoneError, match="index: is not there") as told:
            put(repository, "a", b"two")
    assert translated(told.value).message == CODES["InternalError"][1]  # no path of ours
    with archive(tmp_path) as repository:
        assert content(repository, "a") == b"one"


def test_an_archive_that_is_not_mounted_is_not_begun_anew(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"one")
    (tmp_path / "tree").rename(tmp_path / "aside")
    for _ in range(2):
        with pytest.raises(GoneError, match="the archive is not there"):
            Repository(tmp_path / "tree", tmp_path / "index")
        (tmp_path / "tree").mkdir(exist_ok=True)


def test_versions_keep_their_order_when_the_clock_jumps(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        made = [put(repository, "a", b"one")]
        repository.ground = replace(repository.ground, now=lambda: 10**18)
        made += [put(repository, "a", b"two"), put(repository, "a", b"three")]

        assert [entry.id for entry in every(repository)] == [each.id for each in reversed(made)]
        assert content(repository, "a") == b"three"


def test_who_comes_and_dies_while_it_is_open_locks_nobody_out(tmp_path: Path) -> None:
    """A session is written in two places, and a kill in between makes them differ."""
    with archive(tmp_path, BUCKET):
        session = tmp_path / "tree" / ".dayfly" / SESSION
        before = session.stat().st_ino, session.read_text()

        Repository(tmp_path / "tree", tmp_path / "index").close()

        assert (session.stat().st_ino, session.read_text()) == before


def test_an_index_on_another_host_of_the_same_tree_is_refused(tmp_path: Path) -> None:
    with (
        archive(tmp_path, BUCKET),
        pytest.raises(FilesError, match="another process has the archive open"),
    ):
        Repository(tmp_path / "tree", tmp_path / "another index")
