"""Many threads share a sync, and what one does wrong is its own."""

import os
import threading
from pathlib import Path

import pytest

from archived import BUCKET, archive, content
from dayfly.files.errors import FilesError
from dayfly.files.ledger import Ledger

SCHEMA = "create table if not exists numbers (value integer primary key)"
INSERT = "insert into numbers values (?)"


def test_what_fails_of_a_group_is_only_ones_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "numbers", SCHEMA)
    failed: list[int] = []

    def write(value: int) -> None:
        try:
            ledger.commit([(INSERT, (value,))])
        except FilesError:
            failed.append(value)

    values = [*range(40), 7, 2**63]
    threads = [threading.Thread(target=write, args=(value,)) for value in values]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    ledger.commit([(INSERT, (100,))])

    assert sorted(failed) == [7, 2**63]
    found = [value for (value,) in ledger.rows("select value from numbers order by value")]
    assert found == [*range(40), 100]
    ledger.close()


def test_statements_of_one_commit_count_together(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "numbers", SCHEMA)
    with pytest.raises(FilesError):
        ledger.commit([(INSERT, (1,)), (INSERT, (1,))])

    assert ledger.rows("select * from numbers") == []
    ledger.close()


def test_a_list_that_is_left_in_the_middle_hinders_nobody(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "numbers", SCHEMA)
    ledger.commit([(INSERT, (value,)) for value in range(10)])
    rows = ledger.each("select value from numbers")
    assert next(rows) == (0,)
    ledger.commit([("delete from numbers", ())])
    assert ledger.rows("select * from numbers") == []
    rows.close()  # type: ignore[attr-defined]
    ledger.close()


def test_a_file_from_the_far_future_is_an_object(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository:
        path = tmp_path / "tree" / "data" / BUCKET / "a"
        path.write_text("later")
        os.utime(path, (13_000_000_000, 13_000_000_000))
        assert content(repository, "a") == b"later"
        assert repository.care.survey(BUCKET) == []
