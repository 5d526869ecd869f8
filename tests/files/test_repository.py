"""Objects are put, read, listed and deleted as S3 has it, and lie as plain files."""

from pathlib import Path

import pytest

from archived import BUCKET, archive, content, every, keys, put, tree_of
from dayfly.files.checksums import begun, written
from dayfly.files.condition import Condition
from dayfly.files.errors import (
    BadNameError,
    BucketExistsError,
    BucketNotEmptyError,
    ConditionError,
    FilesError,
    MarkerError,
    NoSuchBucketError,
    NoSuchKeyError,
    NoSuchVersionError,
)
from dayfly.files.objects import Checksum, Description, Lock, Provenance, Versioning
from dayfly.files.repository import Repository


def versioned(repository: Repository) -> None:
    repository.set_versioning(BUCKET, Versioning.ENABLED)


def test_an_object_is_a_plain_file_with_all_that_was_said_about_it(tmp_path: Path) -> None:
    said = Description(
        owner="ann",
        metadata={"colour": "grün"},
        headers={"content-type": "text/plain"},
        tags={"kind": "note"},
        provenance=Provenance(who="ann", release="7", machine="web-7-1"),
    )
    with archive(tmp_path, BUCKET) as repository:
        made = put(repository, "notes/a.txt", b"hello", said)

        assert tree_of(tmp_path) == {"notes/a.txt": b"hello"}
        assert content(repository, "notes/a.txt") == b"hello"
        found = repository.head(BUCKET, "notes/a.txt")
        assert found == made
        assert (found.id, found.size, found.etag) == ("null", 5, "5d41402abc4b2a76b9719d911017c592")
        assert found.description == said


def test_it_is_all_there_when_the_archive_is_opened_again(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        made = put(repository, "a", b"hello")
    with archive(tmp_path) as repository:
        assert repository.head(BUCKET, "a") == made
        assert [bucket.name for bucket in repository.buckets()] == [BUCKET]


def test_without_versioning_the_newer_object_replaces_the_older_one(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"one")
        put(repository, "a", b"two")

        assert content(repository, "a") == b"two"
        assert [(entry.id, entry.latest) for entry in every(repository)] == [("null", True)]
        repository.delete(BUCKET, "a")
        with pytest.raises(NoSuchKeyError):
            repository.head(BUCKET, "a")
        assert every(repository) == []
        assert tree_of(tmp_path) == {}
        assert not list((tmp_path / "tree" / ".dayfly" / "versions").rglob("*.json"))


def test_with_versioning_nothing_is_lost(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"null")
        versioned(repository)
        two = put(repository, "a", b"two")
        marker = repository.delete(BUCKET, "a")

        assert tree_of(tmp_path) == {}
        with pytest.raises(NoSuchKeyError) as missing:
            repository.head(BUCKET, "a")
        assert missing.value.marker == marker.id
        assert [(entry.id, entry.marker) for entry in every(repository)] == [
            (marker.id, True),
            (two.id, False),
            ("null", False),
        ]
        assert content(repository, "a", two.id) == b"two"
        assert content(repository, "a", "null") == b"null"
        with pytest.raises(MarkerError):
            repository.open(BUCKET, "a", marker.id)
        assert repository.delete(BUCKET, "a", marker.id).marker
        assert content(repository, "a") == b"two"
        assert tree_of(tmp_path) == {"a": b"two"}
        repository.delete(BUCKET, "a", two.id)
        assert content(repository, "a") == b"null"
        assert tree_of(tmp_path) == {"a": b"null"}
        repository.delete(BUCKET, "a", "null")
        assert tree_of(tmp_path) == {}


def test_suspended_versioning_replaces_only_the_null_version(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        versioned(repository)
        one = put(repository, "a", b"one")
        repository.set_versioning(BUCKET, Versioning.SUSPENDED)
        put(repository, "a", b"two")
        put(repository, "a", b"three")

        assert [entry.id for entry in every(repository)] == ["null", one.id]
        assert content(repository, "a") == b"three"
        deleted = repository.delete(BUCKET, "a")
        assert (deleted.id, deleted.marker) == ("null", True)
        assert [(entry.id, entry.marker) for entry in every(repository)] == [
            ("null", True),
            (one.id, False),
        ]
        assert content(repository, "a", one.id) == b"one"


def test_versioning_is_never_undone(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        versioned(repository)
        with pytest.raises(FilesError, match="can be suspended"):
            repository.set_versioning(BUCKET, Versioning.NEVER)


CONDITIONS = {
    "absent, must be": (None, Condition(if_match=("*",)), NoSuchKeyError),
    "absent, must not be": (None, Condition(if_none_match=("*",)), None),
    "there, must not be": (b"one", Condition(if_none_match=("*",)), ConditionError),
    "there, must be": (b"one", Condition(if_match=("*",)), None),
    "there, another": (b"one", Condition(if_match=("0" * 32,)), ConditionError),
    "there, not another": (b"one", Condition(if_none_match=("0" * 32,)), None),
    "there, as said": (b"one", Condition(if_match=("f97c5d29941bfb1b2fdab0874906ab82",)), None),
    "there, of that size": (b"one", Condition(size=3), None),
    "there, of another size": (b"one", Condition(size=4), ConditionError),
    "there, modified since": (b"one", Condition(if_unmodified_since=1), ConditionError),
    "there, modified before": (b"one", Condition(if_unmodified_since=2**62), None),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_a_condition_is_kept_by_puts_and_deletes(tmp_path: Path, case: str) -> None:
    before, condition, refused = CONDITIONS[case]
    with archive(tmp_path, BUCKET) as repository:
        if before is not None:
            put(repository, "a", before)
        if refused:
            with pytest.raises(refused):
                put(repository, "a", b"two", condition=condition)
            with pytest.raises(refused):
                repository.delete(BUCKET, "a", condition=condition)
            assert tree_of(tmp_path) == ({} if before is None else {"a": before})
        else:
            put(repository, "a", b"two", condition=condition)
            assert content(repository, "a") == b"two"


@pytest.mark.parametrize("versions", [False, True])
def test_who_deletes_what_somebody_else_has_just_deleted_is_told(
    tmp_path: Path, *, versions: bool
) -> None:
    with archive(tmp_path, BUCKET) as repository:
        if versions:
            versioned(repository)
        gone = put(repository, "a", b"one")
        named = gone.id if versions else None
        same = Condition(if_match=(gone.etag,))
        repository.delete(BUCKET, "a", named, same)
        for condition in (same, Condition(size=3), Condition(modified=gone.modified)):
            with pytest.raises(ConditionError, match="somebody else has deleted it"):
                repository.delete(BUCKET, "a", named, condition)
        for condition in (
            Condition(if_match=("*",)),
            Condition(if_match=("0",)),
            Condition(size=4),
        ):
            with pytest.raises(NoSuchKeyError):
                repository.delete(BUCKET, "a", named, condition)


def test_a_staged_file_that_is_not_put_leaves_nothing(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        with repository.stage(BUCKET) as staged:
            staged.write(b"never mind")
        files = [each for each in (tmp_path / "tree").rglob("*") if each.is_file()]

        assert not [each for each in files if each.stat().st_size == len("never mind")]


def test_bytes_that_are_open_stay_what_they_are(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"one")
        with repository.open(BUCKET, "a") as opened:
            put(repository, "a", b"two")
            assert opened.read() == b"one"
            assert Path(opened.path).read_bytes() == b"one"
            assert b"".join(opened.pieces(1, 2)) == b"n"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_a_checksum_without_a_value_is_worked_out(tmp_path: Path, algorithm: str) -> None:
    whole = begun(algorithm)
    whole.update(b"hello")
    with archive(tmp_path, BUCKET) as repository:
        with repository.stage(BUCKET, algorithms=[algorithm]) as staged:
            staged.write(b"hel")
            staged.write(b"lo")
            told = Description(checksum=Checksum(algorithm=algorithm, value=""))
            made = repository.put(staged, "a", told)
        put(repository, "plain", b"hello")
        copied = repository.copy(repository.head(BUCKET, "plain"), BUCKET, "copy", told)

    assert made.description.checksum
    assert made.description.checksum.value == written(whole.digest())
    assert copied.description.checksum == made.description.checksum


def test_a_copy_keeps_what_was_said_unless_told_otherwise(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET, "other") as repository:
        said = Description(metadata={"a": "b"}, tags={"c": "d"})
        source = put(repository, "a", b"hello", said)
        same = repository.copy(source, "other", "b")
        other = repository.copy(source, BUCKET, "a", Description(metadata={"x": "y"}))

        assert (same.etag, same.description) == (source.etag, said)
        assert content(repository, "b", bucket="other") == b"hello"
        assert content(repository, "a") == b"hello"
        assert other.description == Description(metadata={"x": "y"})


def test_a_copy_is_of_one_state_of_its_source(tmp_path: Path) -> None:
    """Without versioning each state has the same id, so an id does not say which one is meant."""
    with archive(tmp_path, BUCKET) as repository:
        told = Description(metadata={"state": "one"})
        one = put(repository, "a", b"1", told)
        with repository.open(BUCKET, "a") as opened:
            put(repository, "a", b"2")
            copied = repository.copy(opened, BUCKET, "b")

        assert (content(repository, "b"), copied.etag) == (b"1", one.etag)
        assert copied.description.metadata == {"state": "one"}
        with pytest.raises(NoSuchVersionError, match="was replaced meanwhile"):
            repository.copy(one, BUCKET, "c")
        assert keys(repository) == ["a", "b"]


def test_an_older_version_is_restored_as_a_new_one(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        versioned(repository)
        one = put(repository, "a", b"one", Description(metadata={"x": "y"}))
        put(repository, "a", b"two")
        repository.delete(BUCKET, "a")
        restored = repository.restore(one)

        assert content(repository, "a") == b"one"
        assert restored.description == Description(metadata={"x": "y"}, restored_from=one.id)
        assert len(every(repository)) == 4


def test_a_version_is_described_anew(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        versioned(repository)
        one = put(repository, "a", b"one")
        put(repository, "a", b"two")
        repository.set_tags(BUCKET, "a", one.id, {"kind": "old"})
        repository.set_acl(BUCKET, "a", "", "public-read")
        repository.set_retention(BUCKET, "a", "", Lock(mode="GOVERNANCE", until=2**62))
        repository.set_hold(BUCKET, "a", "", hold=True)
        with pytest.raises(NoSuchVersionError):
            repository.set_tags(BUCKET, "a", "f" * 32, {})
        with pytest.raises(NoSuchKeyError):
            repository.set_tags(BUCKET, "b", "", {})
    with archive(tmp_path) as repository:
        old, new = repository.head(BUCKET, "a", one.id), repository.head(BUCKET, "a")

    assert old.description.tags == {"kind": "old"}
    assert new.description.acl == "public-read"
    assert new.description.lock == Lock(mode="GOVERNANCE", until=2**62, hold=True)


def test_keys_that_are_in_each_others_way_live_together(tmp_path: Path) -> None:
    names = [
        "a/b",
        "a",
        "a/b/c",
        "a/",
        "a//b",
        "/a",
        "../../etc/passwd",
        "A",
        "x" * 900,
        "100%",
        "a\0b",
        "\n",
    ]
    with archive(tmp_path, BUCKET) as repository:
        for order in (names, list(reversed(names))):
            for name in order:
                put(repository, name, name.encode())
            assert keys(repository) == sorted(names)
            for name in names:
                assert content(repository, name) == name.encode()
            assert len(tree_of(tmp_path)) == len(names)
            for name in names:
                repository.delete(BUCKET, name)
            assert list((tmp_path / "tree" / "data" / BUCKET).iterdir()) == []
    assert not (tmp_path / "etc").exists()


BAD = ["ab", "A-b", "a_b", "a..b", "-ab", "ab-", "192.168.1.1", "x" * 64, "../a", "a/b", ".ab", ""]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_for_a_bucket_is_refused(tmp_path: Path, name: str) -> None:
    with archive(tmp_path) as repository, pytest.raises(BadNameError):
        repository.create_bucket(name, owner="ann")


def test_buckets_are_begun_set_and_deleted_when_they_are_empty(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET, "other") as repository:
        with pytest.raises(BucketExistsError) as taken:
            repository.create_bucket(BUCKET, owner="bob")
        assert taken.value.owner == "ann"
        repository.set_document(BUCKET, "cors", "<CORS/>")
        assert repository.bucket(BUCKET).settings == {"cors": "<CORS/>"}
        repository.set_document(BUCKET, "cors", None)
        assert repository.bucket(BUCKET).settings == {}
        put(repository, "a", b"one")
        with pytest.raises(BucketNotEmptyError):
            repository.delete_bucket(BUCKET)
        repository.delete(BUCKET, "a")
        repository.delete_bucket(BUCKET)
        assert [bucket.name for bucket in repository.buckets()] == ["other"]
        for call in (
            lambda: repository.bucket(BUCKET),
            lambda: repository.delete_bucket(BUCKET),
            lambda: repository.head(BUCKET, "a"),
            lambda: put(repository, "a", b"one"),
            lambda: keys(repository),
        ):
            with pytest.raises(NoSuchBucketError):
                call()
        repository.create_bucket(BUCKET, owner="bob")
        assert keys(repository) == []


def test_usage_counts_current_objects_and_all_versions(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        versioned(repository)
        put(repository, "a", b"1234")
        put(repository, "a", b"12345")
        put(repository, "b", b"1")
        usage = repository.usage(BUCKET)

    assert (usage.objects, usage.bytes, usage.versions, usage.all_bytes) == (2, 6, 3, 10)


def test_what_is_not_utf8_is_no_key(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        for call in (
            lambda: put(repository, "\ud800", b""),
            lambda: repository.head(BUCKET, "\ud800"),
            lambda: repository.open(BUCKET, "\ud800"),
            lambda: repository.delete(BUCKET, "\ud800"),
            lambda: repository.begin_upload(BUCKET, "\ud800"),
            lambda: keys(repository, prefix="\ud800"),
        ):
            with pytest.raises(BadNameError, match="not UTF-8"):
                call()


def test_a_folder_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "thesis.doc").write_text("mine")

    with pytest.raises(FilesError, match="neither empty nor an archive"):
        Repository(tmp_path / "tree", tmp_path / "index")
