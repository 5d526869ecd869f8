"""The page about the tree says what is so."""

import re
from pathlib import Path

from archived import BUCKET, archive, put, tree_of
from dayfly.files.keys import key_of, path_of
from dayfly.files.objects import Versioning
from dayfly.files.repository import RESERVE

PAGE = (Path(__file__).parents[2] / "docs/reference/files-tree.md").read_text()


def rows_of(title: str) -> list[list[str]]:
    part = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return [re.findall(r"`([^`]*)`", line) for line in lines]


def test_awkward_keys_lie_where_the_page_says() -> None:
    rows = rows_of("Awkward keys")

    assert len(rows) > 5
    assert {key: path_of(key) for key, _ in rows} == dict(rows)
    assert {path: key_of(path) for _, path in rows} == {path: key for key, path in rows}


def test_what_is_in_each_others_way_lies_where_the_page_says(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        for key in ("a", "a/b", "c/d", "c"):
            put(repository, key, b"")
        assert set(tree_of(tmp_path)) == {"a", "a%=/b", "c%.", "c/d"}
    assert "`a%=`" in PAGE
    assert "`a%.`" in PAGE


def test_every_folder_of_the_tree_is_on_the_page(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        put(repository, "a", b"one")
        inner = {each.name for each in (tmp_path / "tree" / ".dayfly").iterdir()}
        told = {row[0].split("/")[1] for row in rows_of("The tree") if row[0].startswith(".dayfly")}

        assert inner == told


def test_the_reserve_is_the_one_on_the_page() -> None:
    assert f"Below {RESERVE // 1024**2} MB of free space" in PAGE
