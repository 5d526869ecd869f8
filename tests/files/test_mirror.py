"""A mirror is the same archive, wherever it was broken off, and repairs the first one."""

import os
import random
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, every, keys, put, rows, tree_of, unreadable
from dayfly.files.errors import FilesError, LostError
from dayfly.files.mirror import copies_in
from dayfly.files.objects import Version, Versioning
from dayfly.files.repository import Repository


def mirrored(repository: Repository, folder: Path) -> int:
    return len(list(repository.care.mirror(folder / "tree")))


def same(repository: Repository, folder: Path) -> None:
    """The mirror, opened as an archive, has the same objects and bytes."""
    before = [(entry.key, entry.id, entry.etag) for entry in every(repository)]
    with archive(folder) as copy:
        assert [(entry.key, entry.id, entry.etag) for entry in every(copy)] == before
        for entry in every(copy):
            if not entry.marker:
                wanted = content(repository, entry.key, entry.id)
                assert content(copy, entry.key, entry.id) == wanted
                found = copy.head(BUCKET, entry.key, entry.id).description
                assert found == repository.head(BUCKET, entry.key, entry.id).description
        assert list(copy.care.scrub(BUCKET)) == []


@pytest.mark.parametrize("versioning", [Versioning.NEVER, Versioning.ENABLED])
def test_each_run_copies_what_is_new_and_removes_what_is_gone(
    tmp_path: Path, versioning: Versioning
) -> None:
    mirror = tmp_path / "mirror"
    chance = random.Random(7)
    with archive(tmp_path, BUCKET) as repository:
        if versioning:
            repository.set_versioning(BUCKET, versioning)
        for _ in range(6):
            for _ in range(8):
                key = chance.choice(["a", "a/b", "c", "d/e", "d"])
                if chance.random() < 0.3:
                    repository.delete(BUCKET, key)
                elif chance.random() < 0.2 and every(repository):
                    entry = chance.choice(every(repository))
                    repository.delete(BUCKET, entry.key, entry.id)
                else:
                    put(repository, key, chance.randbytes(20))
            mirrored(repository, mirror)
            assert len(tree_of(mirror)) == len(tree_of(tmp_path))
            same(repository, mirror)
        assert mirrored(repository, mirror) == 0


def test_the_deepest_key_is_mirrored_surveyed_and_indexed_anew(tmp_path: Path) -> None:
    """A folder for each of its segments: deeper than a function may call itself."""
    mirror, key = tmp_path / "mirror", "/" * 1024
    with archive(tmp_path, BUCKET) as repository:
        put(repository, key, b"deep")
        mirrored(repository, mirror)
        before = rows(repository)
        assert repository.care.survey(BUCKET) == []
        repository.care.rebuild()
        assert rows(repository) == before
        with archive(mirror) as copy:
            assert content(copy, key) == b"deep"
            copy.care.rebuild()
            assert rows(copy)["objects"] == before["objects"]
        repository.delete(BUCKET, key)
        repository.delete_bucket(BUCKET)
        mirrored(repository, mirror)
        for tree in (tmp_path, mirror):
            assert list((tree / "tree" / "data").iterdir()) == []


def test_a_run_that_is_broken_off_goes_on(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    with archive(tmp_path, BUCKET) as repository:
        for number in range(5):
            put(repository, f"{number}", b"x" * number)
        run = iter(repository.care.mirror(mirror / "tree"))
        next(run)
        next(run)
        run.close()  # type: ignore[attr-defined]
        assert mirrored(repository, mirror) == 3
        same(repository, mirror)
        repository.set_tags(BUCKET, "3", "", {"kind": "new"})
        assert mirrored(repository, mirror) == 0
        same(repository, mirror)


def test_a_bucket_that_is_gone_goes_from_the_mirror(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    with archive(tmp_path, BUCKET, "other") as repository:
        put(repository, "a", b"one", bucket="other")
        mirrored(repository, mirror)
        repository.delete("other", "a")
        repository.delete_bucket("other")
        mirrored(repository, mirror)
        with archive(mirror) as copy:
            assert [bucket.name for bucket in copy.buckets()] == [BUCKET]
            assert rows(copy)["versions"] == []


def test_damage_does_not_go_over_and_is_repaired_from_the_mirror(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    with archive(tmp_path, BUCKET) as repository:
        tree = repository.ground.tree
        one = put(repository, "a", b"one")
        put(repository, "b", b"two")
        mirrored(repository, mirror)
        tree.data(one).unlink()
        repair = copies_in(mirror / "tree", tree)
        assert [each.repaired for each in repository.care.scrub(BUCKET, repair)] == [True]
        assert content(repository, "a") == b"one"
        assert list(repository.care.scrub(BUCKET)) == []


def test_what_the_disk_does_not_give_back_stops_nothing_else(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    with archive(tmp_path, BUCKET) as repository:
        bad = put(repository, "a", b"one")
        put(repository, "b", b"two")
        with unreadable(repository.ground.tree.data(bad)), pytest.raises(LostError) as told:
            mirrored(repository, mirror)
        assert f"1 left out, whose bytes are lost or damaged: {BUCKET}/a" in told.value.message
        with archive(mirror) as copy:
            assert keys(copy) == ["b"]
        mirrored(repository, mirror)
    with archive(mirror) as copy:
        assert keys(copy) == ["a", "b"]


def damaged(repository: Repository, version: Version) -> None:
    """As a disk does it: other bytes, and nothing else tells of them."""
    path = repository.ground.tree.data(version)
    stat = path.stat()
    path.write_bytes(content(repository, version.key)[::-1])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("versioning", [Versioning.NEVER, Versioning.ENABLED])
def test_what_is_damaged_is_left_out_and_all_else_goes_over(
    tmp_path: Path, versioning: Versioning
) -> None:
    mirror = tmp_path / "mirror"
    with archive(tmp_path, BUCKET, "other") as repository:
        if versioning:
            repository.set_versioning(BUCKET, versioning)
        for key in ("a", "b", "gone"):
            put(repository, key, b"one")
        mirrored(repository, mirror)
        repository.delete(BUCKET, "gone")
        repository.delete_bucket("other")
        bad = [put(repository, key, b"two") for key in ("a", "c")]
        for version in bad:
            damaged(repository, version)
        put(repository, "b", b"two")
        put(repository, "d", b"two")
        for _ in range(2):
            with pytest.raises(LostError) as told:
                mirrored(repository, mirror)
            names = ", ".join(f"{BUCKET}/{each.key} version {each.id}" for each in bad)
            assert f"2 left out, whose bytes are lost or damaged: {names}" in told.value.message
        with archive(mirror) as copy:
            assert [bucket.name for bucket in copy.buckets()] == [BUCKET]
            found = {key: content(copy, key) for key in keys(copy)}
            assert found == {"a": b"one", "b": b"two", "d": b"two"}
            assert list(copy.care.scrub(BUCKET)) == []
        for version in bad:
            put(repository, version.key, b"new")
            if versioning:
                repository.delete(BUCKET, version.key, version.id)
        mirrored(repository, mirror)
        same(repository, mirror)


def test_a_tree_of_another_archive_is_not_overwritten(tmp_path: Path) -> None:
    with archive(tmp_path / "other", BUCKET) as other:
        put(other, "a", b"one")
    with (
        archive(tmp_path, BUCKET) as repository,
        pytest.raises(FilesError, match="another archive"),
    ):
        mirrored(repository, tmp_path / "other")
