"""The same content is the same key, any other content another."""

import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dayfly.images.fingerprint import KEY_LETTERS, key_of, of_source
from project import Project

NAMES = st.text(st.sampled_from("abü .\n"), min_size=1, max_size=4).filter(
    lambda name: name.strip(".") != ""
)
TREES = st.dictionaries(
    NAMES, st.tuples(st.sampled_from(["file", "program", "link"]), st.text(max_size=3)), max_size=4
).map(
    lambda tree: {
        name: (kind, text if kind != "link" else "to " + text.replace("\0", ""))
        for name, (kind, text) in tree.items()
    }
)


def key_of_tree(tree: dict[str, tuple[str, str]]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, text) in tree.items():
            path = Path(folder, name)
            if kind == "link":
                path.symlink_to(text)
            else:
                path.write_text(text, errors="replace")
                path.chmod(0o755 if kind == "program" else 0o644)
        return of_source(Path(folder))


@given(TREES, TREES)
def test_two_trees_have_one_key_when_they_are_equal(
    one: dict[str, tuple[str, str]], other: dict[str, tuple[str, str]]
) -> None:
    assert (key_of_tree(one) == key_of_tree(other)) == (one == other)
    assert key_of_tree(one) == key_of_tree(dict(reversed(one.items())))


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_parts_do_not_run_into_each_other(one: list[str], other: list[str]) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)
    assert len(key_of(*one)) == KEY_LETTERS


def test_times_and_owners_do_not_count_and_a_folder_does(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = of_source(tmp_path)
    os.utime(tmp_path / "a", (1, 1))
    assert of_source(tmp_path) == before
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").rename(tmp_path / "folder/a")
    assert of_source(tmp_path) != before


def test_the_commit_and_its_version_count_as_builds_may_read_them(project: Project) -> None:
    project.commit(a="1")
    first = of_source(project.folder)
    project.git("tag", "v1")
    tagged = of_source(project.folder)
    project.commit("Nothing changed")
    assert len({first, tagged, of_source(project.folder)}) == 3
