"""What a person does to the files becomes versions, and copies of the tree are the archive."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, every, keys, put, rows, tree_of
from dayfly.files.errors import BucketNotEmptyError, LostError, NoSuchKeyError
from dayfly.files.objects import Description, Versioning
from dayfly.files.repository import Repository


def folder_of(tmp_path: Path) -> Path:
    return tmp_path / "tree" / "data" / BUCKET


def test_a_file_that_a_hand_put_there_is_an_object(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        path = folder_of(tmp_path) / "reports" / "a.txt"
        path.parent.mkdir()
        path.write_text("by hand")
        found = repository.head(BUCKET, "reports/a.txt")

        assert content(repository, "reports/a.txt") == b"by hand"
        assert (found.size, found.modified) == (7, path.stat().st_mtime_ns)
        assert found.description.provenance.source == "by hand"
        assert found.description.owner == "ann"
        assert keys(repository) == ["reports/a.txt"]


def test_lists_know_it_after_a_survey_which_tells_of_names_that_no_key_has(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "gone", b"1")
        for name in ("a", "b%41"):
            (folder_of(tmp_path) / name).write_text(name)
        (folder_of(tmp_path) / "gone").unlink()

        assert keys(repository) == ["gone"]
        assert repository.care.survey(BUCKET) == ["b%41"]
        assert keys(repository) == ["a"]


def test_an_edit_keeps_what_was_said_and_a_versioned_bucket_keeps_both(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        said = Description(owner="bob", headers={"content-type": "text/plain"})
        one = put(repository, "a", b"one", said)
        fresh = folder_of(tmp_path) / "fresh"
        fresh.write_text("two, by an editor")
        fresh.rename(folder_of(tmp_path) / "a")

        assert content(repository, "a") == b"two, by an editor"
        assert content(repository, "a", one.id) == b"one"
        assert repository.head(BUCKET, "a").description.headers == said.headers
        (folder_of(tmp_path) / "a").unlink()
        with pytest.raises(NoSuchKeyError) as missing:
            repository.head(BUCKET, "a")
        assert missing.value.marker == every(repository)[0].id
        assert content(repository, "a", one.id) == b"one"
        assert len(every(repository)) == 3


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "etc" / "passwd"
    secret.parent.mkdir()
    secret.write_text("secret")
    with archive(tmp_path, BUCKET) as repository:
        folder = folder_of(tmp_path)
        (folder / "etc").symlink_to(secret.parent)
        put(repository, "deep/passwd", b"kept")
        (folder / "deep" / "passwd").unlink()
        (folder / "deep").rmdir()
        (folder / "deep").symlink_to(secret.parent)
        for key in ("linked", "pipe"):
            put(repository, key, b"1")
            (folder / key).unlink()
        (folder / "linked").symlink_to(secret)
        os.mkfifo(folder / "pipe")

        for key in ("etc/passwd", "deep/passwd", "linked", "pipe"):
            with pytest.raises(NoSuchKeyError):
                repository.open(BUCKET, key)
        repository.care.survey(BUCKET)
        assert keys(repository) == []
        for key in ("etc/passwd", "linked"):
            put(repository, key, b"beside")
            assert content(repository, key) == b"beside"
        assert secret.read_text() == "secret"


def test_a_condition_sees_what_a_hand_did_just_before(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        (folder_of(tmp_path) / "a").write_text("by hand")
        repository.delete(BUCKET, "a")
        assert tree_of(tmp_path) == {}


def test_a_bucket_with_files_of_a_hand_is_not_empty(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        (folder_of(tmp_path) / "a").write_text("by hand")
        with pytest.raises(BucketNotEmptyError):
            repository.delete_bucket(BUCKET)


def test_a_kept_version_that_a_hand_changed_is_lost_and_not_served(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        one = put(repository, "a", b"one")
        put(repository, "a", b"two")
        kept = repository.ground.tree.kept(one)
        kept.write_bytes(b"eno")
        with pytest.raises(LostError):
            content(repository, "a", one.id)
        kept.write_bytes(b"one")
        assert content(repository, "a", one.id) == b"one"


COPIES = {
    "cp": "cp -r tree copy",
    "cp -a": "cp -a tree copy",
    "rsync": "rsync -r tree/ copy",
    "tar": "mkdir copy && tar -C tree --format=gnu -c . | tar -C copy -x",
    "tar without links": "mkdir copy && tar -C tree --hard-dereference -c . | tar -C copy -x",
}


def need(program: str) -> None:
    if not shutil.which(program):
        if os.environ.get("CI"):
            pytest.fail(f"no {program}")
        pytest.skip(f"no {program}")


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_the_tree_is_the_whole_archive(tmp_path: Path, how: str) -> None:
    with archive(tmp_path, BUCKET, "plain") as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        repository.set_document(BUCKET, "cors", "<CORS/>")
        for number in range(3):
            for key in ("a", "a/b", "..", "c"):
                put(repository, key, b"%d" % number, Description(metadata={"n": str(number)}))
                put(repository, key, b"%d" % number, bucket="plain")
        repository.delete(BUCKET, "c")
        repository.begin_upload(BUCKET, "d")
        wanted = documents(repository)
    need(how.split(maxsplit=1)[0])
    subprocess.run(["sh", "-c", COPIES[how]], cwd=tmp_path, check=True)
    copied = Repository(tmp_path / "copy", tmp_path / "fresh")
    try:
        assert documents(copied) == wanted
        for entry in every(copied):
            if not entry.marker:
                stored = content(copied, entry.key, entry.id)
                assert (
                    stored.decode()
                    == copied.head(BUCKET, entry.key, entry.id).description.metadata["n"]
                )
    finally:
        copied.close()


def documents(repository: Repository) -> dict[str, list[object]]:
    """All that the index holds but for inodes and times of files, which a copy has of its own."""
    found: dict[str, list[object]] = dict(rows(repository))
    found["versions"] = [
        (*row[:11], row[-1]) for row in rows(repository)["versions"] if isinstance(row, tuple)
    ]
    return found


def test_an_older_index_is_made_anew(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"one")
    shutil.copytree(tmp_path / "index", tmp_path / "older")
    with archive(tmp_path) as repository:
        put(repository, "a", b"two")
        put(repository, "b", b"three")
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "older").rename(tmp_path / "index")
    with archive(tmp_path) as repository:
        assert keys(repository) == ["a", "b"]
        assert content(repository, "a") == b"two"


def test_other_users_of_the_host_get_in_nowhere(tmp_path: Path) -> None:
    """Machines of apps are such; a group that the operator lets in stays in."""
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"1")
    tree, index = tmp_path / "tree", tmp_path / "index"
    doors = [tree / "data", tree / ".dayfly", *index.glob("index-*")]
    assert not [each for each in (*doors, index) if each.stat().st_mode & 0o007]
    for each in (*doors, index):
        each.chmod(0o755)  # as it was in older archives

    with archive(tmp_path) as repository:
        assert content(repository, "a") == b"1"

    assert {oct(each.stat().st_mode & 0o777) for each in doors} == {"0o750"}
    assert index.stat().st_mode & 0o777 == 0o755, "a folder that was there may be anybody's"
