"""What is deleted is gone from every file, all of it or nothing, and nothing else goes."""

import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.clock import Stop
from dayfly.errors import StoppedError
from dayfly.logs.query import tree
from dayfly.logs.query.meaning import matches
from dayfly.logs.query.parse import parse
from dayfly.logs.query.tree import Query
from dayfly.logs.record import Record
from dayfly.logs.store.store import Ask, Store
from drawn import nodes, records
from kept import QUIET, body_of, everything, mixed, numbered
from kept.appender import LINES, SETTINGS
from kept.deleter import APPS, EACH, doomed, fill

SECRET = "alice"


def key(record: Record) -> str:
    fields = sorted((name, repr(value)) for name, value in record.fields.items())
    return repr((record.time, record.message, record.app, record.release, fields))


@settings(max_examples=30, deadline=None)
@given(st.lists(records, max_size=24), nodes)
def test_what_matches_goes_and_the_rest_stays(kept: list[Record], where: tree.Node) -> None:
    rest = [record for record in kept if not matches(where, record)]
    with TemporaryDirectory() as folder:
        with mixed(Path(folder), kept) as store:
            gone = store.delete(where)
            found = list(store.search(Query(), limit=100))
        with Store(Path(folder), settings=QUIET) as store:
            again = list(store.search(Query(), limit=100))

    assert gone.records == len(kept) - len(rest)
    assert Counter(map(key, found)) == Counter(map(key, again)) == Counter(map(key, rest))


def test_only_what_lies_between_the_times_goes(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(10)))

        gone = store.delete(parse("line").where, ask=Ask(since=2 * 10**6, until=5 * 10**6))

        assert gone.records == 3
        assert len(everything(store)) == 7


def test_no_file_holds_what_was_deleted(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        for part in range(3):
            lines = [Record(time=part * 10 + n, message=f"{SECRET} {n}") for n in range(5)]
            store.append(body_of([*lines, Record(time=part, message="kept")]))
            if part < 2:
                store.seal()
        assert store.delete(parse(SECRET).where).records == 15

        assert everything(store) == ["kept"] * 3
        files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in data for data in files)
    assert sum(len(data) for data in files) < 20_000
    assert not any(path.stat().st_size for path in tmp_path.glob("wal/*"))


def test_what_a_kill_left_of_the_write_ahead_log_goes_at_the_start(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(5)))
        left = {path: path.read_bytes() for path in tmp_path.glob("wal/*")}
        store.seal()
    for path, data in left.items():
        path.write_bytes(data)

    with Store(tmp_path, settings=QUIET) as store:
        assert len(everything(store)) == 5
        assert not any(path.stat().st_size for path in tmp_path.glob("wal/*"))


def test_a_stopped_deletion_deletes_nothing(tmp_path: Path) -> None:
    stop = Stop()
    stop.request("enough")
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(5)))
        with pytest.raises(StoppedError):
            store.delete(tree.Everything(), ask=Ask(stop=stop))

        assert len(everything(store)) == 5


def test_a_damaged_segment_is_named_and_the_others_are_cleaned(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        for begin in (0, 86_400 * 10**9):
            store.append(numbered(range(5), begin=begin))
        store.seal()
        path = next(tmp_path.glob("days/1970-01-01/*.parquet"))
        path.write_bytes(path.read_bytes()[:-1] + b"x")

        gone = store.delete(parse("line").where)

        assert gone.records == 5
        assert "1970-01-01" in gone.without[0]
        assert everything(store) == []


def test_searches_under_way_go_on_with_what_they_began_with(tmp_path: Path) -> None:
    with Store(tmp_path, settings=replace(QUIET, rows=10)) as store:
        store.append(numbered(range(30)))
        store.seal()
        found = store.search(Query())
        first = next(found)

        store.delete(tree.Everything())

        assert len([first, *found]) == 30
        assert everything(store) == []
        assert not list(tmp_path.glob("days/*/*.parquet"))


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_at_any_moment_deletes_all_or_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with Store(tmp_path, settings=replace(SETTINGS, rounds=False)) as store:
        fill(store)
    said = killed_after(tmp_path, chance.randint(1, 2 * APPS - 1), chance.random() * 0.1)

    begun = {int(line.split()[1]) for line in said if line.startswith("begin")}
    done = {int(line.split()[1]): int(line.split()[2]) for line in said if line.startswith("done")}
    taken = {int(line.split()[1]) for line in said if line.startswith("taken")}
    with Store(tmp_path, settings=SETTINGS) as store:
        for app in range(APPS):
            left = len(list(store.search(Query(doomed(app)), limit=10**5)))
            allowed = {0} if app in done else {0, EACH} if app in begun else {EACH}
            assert left in allowed, (app, left)
        numbers = Counter(
            int(record.message.split()[1])
            for record in store.search(parse("app:app*"), limit=10**6)
        )
        assert not store.problems
    assert set(done.values()) <= {EACH}
    assert set(numbers.values()) <= {1}
    assert {n * LINES + line for n in taken for line in range(LINES)} <= numbers.keys()


def killed_after(folder: Path, steps: int, seconds: float) -> list[str]:
    """Killed so long after so many beginnings and ends of deletions; what it said."""
    argv = [sys.executable, "-m", "kept.deleter", str(folder)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        said = list[str]()
        while sum(not line.startswith("taken") for line in said) < steps:
            said.append(process.stdout.readline())
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        said += process.stdout.readlines()
    return [line for line in said if line.endswith("\n")]
