"""Pages of keys, versions and uploads are what sorting all of them would give."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archived import BUCKET, archive, every, put
from dayfly.files.catalogue import Known
from dayfly.files.listing import END, objects, successor
from dayfly.files.objects import Asked, Version, Versioning
from dayfly.files.repository import Repository
from dayfly.files.statements import replaced
from dayfly.files.tree import fresh_uid

names = st.text(st.sampled_from("ab/\U0010ffff\ud7ff-"), min_size=1, max_size=6)
FEW = 3


def filled(repository: Repository, keys: set[str]) -> None:
    """Only the index: what lists are made of."""
    for key in keys:
        version = Version(bucket=BUCKET, key=key, uid=fresh_uid(1), path="x", null=True)
        repository.ground.catalogue.commit(replaced(BUCKET, key, [Known(version)]))


def listed(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    """Keys and common prefixes, as a person would write them down; prefixes are told by a mark."""
    found = []
    for key in sorted(keys):
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        at = rest.find(delimiter) if delimiter else -1
        line = f"P {prefix}{rest[: at + len(delimiter)]}" if at >= 0 else f"K {key}"
        if line not in found:
            found.append(line)
    return found


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("a") / "tree", tmp_path_factory.mktemp("a") / "index")


@settings(max_examples=60, deadline=None)
@given(
    keys=st.sets(names, max_size=15),
    prefix=st.one_of(st.just(""), names),
    delimiter=st.sampled_from(["", "/", "a", "//"]),
    limit=st.integers(1, 4),
)
def test_pages_give_everything_once_and_in_order(
    repository: Repository, keys: set[str], prefix: str, delimiter: str, limit: int
) -> None:
    catalogue = repository.ground.catalogue
    catalogue.ledger.commit([("delete from versions", ()), ("delete from objects", ())])
    filled(repository, keys)
    found: list[str] = []
    after = ""
    while True:
        asked = Asked(prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        page = objects(catalogue, BUCKET, asked)
        entries = [(entry.key, f"K {entry.key}") for entry in page.entries]
        lines = sorted([*entries, *((each, f"P {each}") for each in page.prefixes)])
        assert len(lines) <= limit
        found += [line for _, line in lines]
        after = page.next
        if not after:
            break

    assert found == listed(keys, prefix, delimiter)


@given(st.text(st.characters(codec="utf-8"), max_size=5), st.text(st.characters(codec="utf-8")))
def test_what_begins_with_a_prefix_comes_before_its_successor(prefix: str, rest: str) -> None:
    assert (prefix + rest).encode() < successor(prefix).encode()
    assert successor(prefix) == END or not successor(prefix).startswith(prefix)


def test_versions_go_on_in_the_middle_of_a_key(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        put(repository, "a", b"null")
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        for number in range(FEW):
            put(repository, "a", b"%d" % number)
            put(repository, "b/c", b"%d" % number)
        repository.delete(BUCKET, "b/c")
        whole = every(repository)
        found, page = [], repository.list_versions(BUCKET, Asked(limit=2))
        while True:
            found += page.entries
            if not page.next:
                break
            asked = Asked(after=page.next, after_id=page.next_id, limit=2)
            page = repository.list_versions(BUCKET, asked)
        rolled = repository.list_versions(BUCKET, Asked(delimiter="/", limit=5))

    assert found == whole
    assert [entry.latest for entry in whole] == [True, False, False, False, True, *[False] * FEW]
    assert whole[FEW].id == "null"
    assert (len(rolled.entries), rolled.prefixes, rolled.next) == (FEW + 1, ("b/",), "")


def test_uploads_are_listed_by_key_and_age(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        begun = [repository.begin_upload(BUCKET, key) for key in ("b", "a", "a", "c/d")]
        first = repository.list_uploads(BUCKET, Asked(limit=2))
        asked = Asked(after=first.next, after_id=first.next_id, delimiter="/", limit=2)
        second = repository.list_uploads(BUCKET, asked)

    assert list(first.uploads) == [begun[1], begun[2]]
    assert (list(second.uploads), second.prefixes, second.next) == ([begun[0]], ("c/",), "")
