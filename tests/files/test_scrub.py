"""Whatever byte flips on the disk is found, and repaired where another copy is whole."""

import os
import random
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, keys, put, unreadable
from dayfly.files.objects import Description, Versioning
from dayfly.files.repository import Repository
from dayfly.files.scrub import Finding, Kind

FLIPS = 1000


def flip(path: Path, chance: random.Random) -> None:
    """One bit, as a disk does it: the time of the file stays."""
    found, data = path.stat(), bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def told(repository: Repository) -> list[tuple[str, str, bool]]:
    return [(each.key, each.kind, each.repaired) for each in repository.care.scrub(BUCKET)]


def test_a_thousand_flipped_bytes_are_a_thousand_findings(tmp_path: Path) -> None:
    chance = random.Random(1)
    wanted: set[tuple[str, Kind]] = set()
    with archive(tmp_path, BUCKET) as repository:
        for number in range(FLIPS // 2):
            version = put(repository, f"{number}", chance.randbytes(chance.randint(1, 2000)))
            flip(repository.ground.tree.data(version), chance)
            flip(repository.ground.tree.sidecar(version), chance)
            wanted |= {(version.key, Kind.DAMAGED), (version.key, Kind.DESCRIPTION)}
        found = list(repository.care.scrub(BUCKET))

        assert {(each.key, each.kind) for each in found} == wanted
        assert len(found) == FLIPS
        assert len(list(repository.care.scrub(BUCKET))) == FLIPS // 2  # descriptions were repaired


def test_what_the_disk_does_not_give_back_is_damaged_and_repaired_from_a_copy(
    tmp_path: Path,
) -> None:
    with archive(tmp_path, BUCKET) as repository:
        tree = repository.ground.tree
        bad, other = put(repository, "a", b"one"), put(repository, "b", b"two")
        flip(tree.data(other), random.Random(1))
        copy = tmp_path / "copy"
        copy.write_bytes(b"one")
        upload = repository.begin_upload(BUCKET, "c")
        with repository.stage(BUCKET) as staged:
            staged.write(b"part")
            repository.put_part(upload, 1, staged)
        (part,) = tree.uploads(BUCKET).glob("*/00001-*")
        found = [("a", Kind.DESCRIPTION, True), ("a", Kind.DAMAGED, False)]
        found += [("b", Kind.DAMAGED, False), ("c", Kind.PART, False)]
        with unreadable(tree.data(bad), tree.sidecar(bad), part):
            assert told(repository) == found
        with unreadable(tree.data(bad)):
            repaired = list(
                repository.care.scrub(BUCKET, lambda each: copy if each == bad else None)
            )
        assert [(each.key, each.repaired) for each in repaired] == [("a", True), ("b", False)]
        assert told(repository) == [("b", Kind.DAMAGED, False)]
        assert content(repository, "a") == b"one"


def test_what_is_whole_gives_no_finding(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        for key in ("a", "b", "a"):
            put(repository, key, key.encode(), Description(metadata={"é": "ü"}))
        repository.delete(BUCKET, "b")
        upload = repository.begin_upload(BUCKET, "c")
        with repository.stage(BUCKET) as staged:
            staged.write(b"part")
            repository.put_part(upload, 1, staged)
        assert told(repository) == []
        (part,) = (tmp_path / "tree" / ".dayfly" / "uploads" / BUCKET).glob("*/00001-*")
        flip(part, random.Random(1))
        assert told(repository) == [("c", Kind.PART, False)]


@pytest.mark.parametrize("which", ["current", "older"])
@pytest.mark.parametrize("harm", ["flipped", "missing"])
def test_a_copy_elsewhere_repairs_it(tmp_path: Path, which: str, harm: str) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        older, current = put(repository, "a", b"older"), put(repository, "a", b"current")
        version = older if which == "older" else current
        tree = repository.ground.tree
        copy = tmp_path / "copy"
        copy.write_bytes(b"older" if which == "older" else b"current")
        places = [tree.kept(version), *([tree.data(version)] if which == "current" else [])]
        if harm == "flipped":
            flip(places[0], random.Random(1))
        else:
            for path in places:
                path.unlink()
        kind = Kind.DAMAGED if harm == "flipped" else Kind.MISSING
        found = list(repository.care.scrub(BUCKET, lambda _: copy))

        finding = Finding(bucket=BUCKET, key="a", id=version.id, kind=kind, repaired=True)
        assert found == [finding]
        assert told(repository) == []
        assert content(repository, "a", version.id) == copy.read_bytes()
        assert content(repository, "a") == b"current"


def test_the_second_name_of_the_current_version_repairs_the_first(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        version = put(repository, "f/a", b"bytes")
        tree = repository.ground.tree
        kept = tree.kept(version).read_bytes()
        tree.kept(version).unlink()
        assert told(repository) == [("f/a", Kind.MISSING, True)]
        assert tree.kept(version).read_bytes() == kept


def test_what_is_set_about_a_bucket_is_repaired(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_document(BUCKET, "cors", "<CORS/>")
        flip(repository.ground.tree.document(BUCKET), random.Random(1))
        assert told(repository) == [("", Kind.DESCRIPTION, True)]
        assert told(repository) == []
        repository.care.rebuild()
        assert repository.bucket(BUCKET).settings == {"cors": "<CORS/>"}


def test_what_a_hand_did_is_told_and_taken_in(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "edited", b"one")
        put(repository, "deleted", b"two")
        folder = tmp_path / "tree" / "data" / BUCKET
        (folder / "edited").write_bytes(b"by hand")
        (folder / "deleted").unlink()
        assert told(repository) == [
            ("deleted", Kind.MISSING, False),
            ("edited", Kind.CHANGED, False),
        ]
        assert told(repository) == []
        assert keys(repository) == ["edited"]
        assert content(repository, "edited") == b"by hand"
