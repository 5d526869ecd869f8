"""Objects are found by what is known about them, and whoever watches is told what happened."""

from pathlib import Path

import pytest

from archived import BUCKET, archive, content, put
from dayfly.files.objects import Description, Provenance, Versioning
from dayfly.files.search import Wanted

STORED = {
    "invoices/2026/Übersicht.pdf": Description(tags={"kind": "invoice"}, metadata={"a.b": "é'\""}),
    "invoices/2025/old.pdf": Description(tags={"kind": "invoice", "paid": "yes"}),
    "photos/[1].jpg": Description(provenance=Provenance(release="7", who="ann")),
    "photos/1.jpg": Description(provenance=Provenance(release="8", who="ann")),
}
WANTED = {
    "everything": (Wanted(), {1, 2, 3, 4}),
    "a piece of the name": (Wanted(name="PDF"), {1, 2}),
    "a pattern": (Wanted(name="photos/*.jpg"), {3, 4}),
    "a pattern with brackets": (Wanted(name="photos/[1].*"), {3}),
    "a prefix": (Wanted(prefix="invoices/2026"), {1}),
    "a tag": (Wanted(tags={"kind": "invoice"}), {1, 2}),
    "two tags": (Wanted(tags={"kind": "invoice", "paid": "yes"}), {2}),
    "metadata": (Wanted(metadata={"a.b": "é'\""}), {1}),
    "a release": (Wanted(provenance={"release": "7"}), {3}),
    "who": (Wanted(provenance={"who": "ann"}, name="1"), {3, 4}),
    "larger": (Wanted(larger_than=2), {3, 4}),
    "smaller": (Wanted(smaller_than=2), {1}),
    "another bucket": (Wanted(bucket="other"), set[int]()),
    "the future": (Wanted(since=2**62), set[int]()),
    "the past": (Wanted(until=2**62), {1, 2, 3, 4}),
    "with older versions": (Wanted(name="old", versions=True), {2}),
    "text that would be SQL": (Wanted(name="' or 1=1 --"), set[int]()),
}


@pytest.mark.parametrize("case", WANTED)
def test_what_is_wanted_is_found(tmp_path: Path, case: str) -> None:
    wanted, numbers = WANTED[case]
    with archive(tmp_path, BUCKET, "other") as repository:
        for number, (key, said) in enumerate(STORED.items(), 1):
            put(repository, key, b"x" * number, said)
        put(repository, "gone", b"")
        repository.delete(BUCKET, "gone")
        found = repository.search(wanted)

    assert {each.size for each in found} == numbers
    assert [each.modified for each in found] == sorted(
        (each.modified for each in found), reverse=True
    )


def test_older_versions_are_found_when_they_are_asked_for(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        versions = [put(repository, "a", b"%d" % number) for number in range(3)]
        repository.delete(BUCKET, "a")

        assert repository.search(Wanted(name="a")) == []
        assert repository.search(Wanted(name="a", versions=True)) == versions[::-1]
        assert repository.search(Wanted(name="a", versions=True, limit=1)) == [versions[2]]


def test_whoever_watches_is_told_what_happened(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "before", b"")
        start = repository.last_change()
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        one = put(repository, "a", b"one")
        repository.set_tags(BUCKET, "a", "", {"x": "y"})
        marker = repository.delete(BUCKET, "a")
        repository.delete(BUCKET, "a", marker.id)
        (tmp_path / "tree" / "data" / BUCKET / "a").write_bytes(b"by hand")
        content(repository, "a")
        found = repository.changes(start)

        assert [(each.key, each.id, each.kind) for each in found] == [
            ("a", one.id, "put"),
            ("a", one.id, "described"),
            ("a", marker.id, "marker"),
            ("a", marker.id, "removed"),
            ("a", one.id, "hand"),
        ]
        assert repository.changes(found[-1].sequence) == []
        assert repository.changes(found[1].sequence, 2) == found[2:4]
        last = repository.last_change()
        repository.care.rebuild()
        put(repository, "b", b"")
        assert [each.key for each in repository.changes(last)] == ["b"]
        repository.care.forget_changes(kept=1)
        put(repository, "c", b"")
        assert [each.key for each in repository.changes(0)] == ["b", "c"]
