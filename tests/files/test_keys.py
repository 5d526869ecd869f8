"""A key and its path are each other's, and a path is always one inside of the bucket."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dayfly.files.errors import BadNameError
from dayfly.files.keys import LONGEST_NAME, check_key, key_of, path_of

ROWS = {
    "report.csv": "report.csv",
    "2026/11/Übersicht Größe.pdf": "2026/11/Übersicht Größe.pdf",
    "100%": "100%",
    "100% sure": "100% sure",
    "a%41": "a%2541",
    "a%zz": "a%zz",
    "a%4a": "a%4a",
    "/a": "%_/a",
    "a/": "a/%_",
    "a//b": "a/%_/b",
    "/": "%_/%_",
    "..": "%2E%2E",
    "a/../b": "a/%2E%2E/b",
    "./a": "%2E/a",
    "...": "...",
    ".dayfly/x": "%2Edayfly/x",
    "a\nb": "a%0Ab",
    "a\0b": "a%00b",
    "%_": "%25_",
    "a%+": "a%25+",
    "a%=/b": "a%25=/b",
    "a%.": "a%25.",
    "x" * 300: "x" * 253 + "%+/" + "x" * 47,
    "x" * 253 + "..": "x" * 253 + "%+/%2E%2E",
    "é" * 200: "é" * 126 + "%+/" + "é" * 74,
}
awkward = st.text(st.sampled_from("aA%/.+=_05F2E\0\né"), min_size=1, max_size=40)
long = st.text(st.sampled_from("a%/.é"), min_size=1, max_size=4).map(lambda text: text * 250)
keys = st.one_of(awkward, long, st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))


@pytest.mark.parametrize("key", ROWS)
def test_a_key_lies_at_its_path(key: str) -> None:
    assert path_of(key) == ROWS[key]
    assert key_of(ROWS[key]) == key


@given(keys, st.booleans())
@example("x" * 253 + "..", False)
def test_every_key_comes_back_from_a_path_that_file_systems_take(key: str, fold: bool) -> None:
    assume(len(key.encode()) <= 1024)
    path = path_of(key, fold=fold)
    names = path.split("/")

    assert key_of(path, fold=fold) == key
    assert not {"", ".", "..", ".dayfly"} & set(names)
    assert "\0" not in path
    assert all(len(name.encode()) <= LONGEST_NAME for name in names)


@given(keys, keys)
def test_where_capitals_are_the_same_name_no_two_keys_share_a_path(one: str, other: str) -> None:
    assume(one != other and max(len(one.encode()), len(other.encode())) <= 1024)

    assert path_of(one, fold=True).lower() != path_of(other, fold=True).lower()


@given(st.lists(st.text(st.sampled_from("a%.=+_25EF"), min_size=1), min_size=1, max_size=3))
def test_a_path_that_a_hand_made_has_its_own_key_or_none(names: list[str]) -> None:
    assume(not {".", ".."} & set(names))
    path = "/".join(names)
    key = key_of(path)

    if key is not None:
        bare = "/".join(name.removesuffix("%=") for name in names[:-1])
        assert path_of(key) == "/".join(filter(None, [bare, names[-1].removesuffix("%.")]))


@pytest.mark.parametrize("path", ["%41", "a/%2", "%FF", "%_%_", "a%+/b", "%00%", ".dayfly/a"])
def test_a_name_that_no_key_has_is_none(path: str) -> None:
    assert (key_of(path) is None) == (path not in {"a/%2", "%00%"})


@pytest.mark.parametrize("key", ["", "x" * 1025, "\ud800"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadNameError):
        check_key(key)


def test_a_folder_beside_a_file_of_its_name_holds_the_same_keys() -> None:
    assert key_of("a%=/b") == key_of("a/b") == "a/b"
    assert key_of("a%.") == key_of("a") == "a"
