"""A sample that forgot a row for ever would be a hole in the suite."""

import tomllib
from pathlib import Path

from sampling import DEAR, chosen, left_out

GROUPS = {"test_dies": ["close", "migrate", "open"], "test_one": ["only"]}
ROWS = {"test_dies": 1, "test_one": 2}


def test_one_seed_chooses_the_same_rows_whatever_their_order() -> None:
    shuffled = {name: names[::-1] for name, names in reversed(GROUPS.items())}

    assert chosen(GROUPS, ROWS, "a1b2") == chosen(shuffled, ROWS, "a1b2")


def test_of_each_group_as_many_as_are_asked_for() -> None:
    run = chosen(GROUPS, ROWS, "a1b2")

    assert len(run & set(GROUPS["test_dies"])) == 1
    assert "only" in run


def test_each_row_has_its_turn() -> None:
    runs = [chosen(GROUPS, ROWS, str(seed)) for seed in range(40)]

    assert set.union(*runs) == {"close", "migrate", "open", "only"}


def test_each_promise_has_files_that_are_there_and_some_of_them_run() -> None:
    tests = Path(__file__).parents[1]
    for promise in tomllib.loads(DEAR.read_text())["promise"]:
        files = set(promise["files"])
        assert {name for name in files if not (tests / name).is_file()} == set()
        assert len(files - left_out("a1b2")) == promise["runs"]
