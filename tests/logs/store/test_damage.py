"""Torn, flipped and missing bytes: named, and the rest answers."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.logs.query import tree
from dayfly.logs.query.tree import Query
from dayfly.logs.store.problems import StoreError
from dayfly.logs.store.store import Ask, Store
from kept import QUIET, everything, numbered

HOUR = 3_600_000_000_000


def two_segments(folder: Path) -> list[Path]:
    with Store(folder, settings=QUIET) as store:
        for begin in (0, HOUR):
            store.append(numbered(range(10), begin=begin))
            store.seal()
    return sorted(folder.glob("days/*/*.parquet"))


def told_of(store: Store, since: int = 0) -> str:
    """What an answer says of itself."""
    found = store.search(Query(), ask=Ask(since=since))
    list(found)
    return found.cut


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x40
    path.write_bytes(data)


@pytest.mark.parametrize("suffix", [".parquet", ".index"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_damaged_segment_is_put_aside_and_named(tmp_path: Path, suffix: str, part: float) -> None:
    damaged = two_segments(tmp_path)[0].with_suffix(suffix)
    flip(damaged, int(damaged.stat().st_size * part))
    with Store(tmp_path, settings=QUIET) as store:
        found = store.search(Query())
        told = f"segment 1970-01-01/{damaged.stem} (10 records)"

        assert len(list(found)) == 10
        assert told in found.cut
        assert told in store.problems[0]
        assert (tmp_path / "quarantine" / damaged.name).exists()
        again = store.aggregate(Query(pipes=(tree.Count(),)))
        assert again.rows == [{"count": 10}]
        assert told in again.cut
        assert told in store.facets(tree.Everything(), ["app"]).cut
        later = Ask(since=HOUR)
        assert store.aggregate(Query(pipes=(tree.Count(),)), ask=later).cut == ""
    with Store(tmp_path, settings=QUIET) as store:
        assert told in told_of(store)
        next((tmp_path / "quarantine").glob("*.missing.json")).unlink()
        assert (told_of(store), store.problems) == ("", [])


def test_a_segment_that_is_gone_is_named_at_the_start(tmp_path: Path) -> None:
    gone = two_segments(tmp_path)[1]
    gone.unlink()
    with Store(tmp_path, settings=QUIET) as store:
        assert len(everything(store)) == 10
        assert f"{gone.name} is gone" in store.problems[0]
        assert f"{gone.name} is gone" in told_of(store)


def test_a_damaged_segment_stops_no_compaction(tmp_path: Path) -> None:
    damaged = two_segments(tmp_path)[0]
    flip(damaged, 200)
    with Store(tmp_path, settings=QUIET) as store:
        while store.compact():
            pass

        assert len(everything(store)) == 10
        assert damaged.stem in store.problems[0]


def test_a_torn_end_of_the_write_ahead_log_loses_only_what_was_not_acknowledged(
    tmp_path: Path,
) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(5)))
    (log,) = tmp_path.glob("wal/*.wal")
    whole = log.read_bytes()
    for length in range(0, len(whole), 7):
        log.write_bytes(whole + whole[:length])
        for path in sorted(tmp_path.glob("wal/*.wal"))[1:]:
            path.unlink()
        for _ in range(2):
            with Store(tmp_path, settings=QUIET) as store:
                assert len(everything(store)) == 5
                assert store.problems == []


def test_damage_inside_the_write_ahead_log_is_named_and_the_rest_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        for begin in range(0, 15, 5):
            store.append(numbered(range(begin, begin + 5)))
    (log,) = tmp_path.glob("wal/*.wal")
    flip(log, log.stat().st_size // 2)
    with Store(tmp_path, settings=QUIET) as store:
        assert sorted(everything(store)) == sorted(
            f"line {number} of many" for number in (*range(5), *range(10, 15))
        )
        assert f"write-ahead log {log.name}" in store.problems[0]
        assert (tmp_path / "quarantine" / log.name).read_bytes() == log.read_bytes()
        assert f"write-ahead log {log.name}" in told_of(store)
        assert f"write-ahead log {log.name}" in caplog.text
        assert told_of(store, since=time.time_ns() + HOUR) == ""
        store.seal()
    with Store(tmp_path, settings=QUIET) as store:
        assert f"write-ahead log {log.name}" in told_of(store)


def test_a_log_of_which_nothing_is_whole_may_have_had_anything(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(5), begin=HOUR))
    with Store(tmp_path, settings=QUIET):
        (log, _) = sorted(tmp_path.glob("wal/*.wal"))
    flip(log, log.stat().st_size // 2)
    with Store(tmp_path, settings=QUIET) as store:
        assert f"write-ahead log {log.name}" in told_of(store)


def test_what_is_missing_is_forgotten_when_it_would_be_too_old(tmp_path: Path) -> None:
    two_segments(tmp_path)[0].unlink()
    settings = replace(QUIET, keep_seconds=3600.0, keep_apps={"a": 7200.0})
    with Store(tmp_path, settings=settings, now=lambda: 7100.0) as store:
        store.retain()
        assert len(store.problems) == 1
    with Store(tmp_path, settings=settings, now=lambda: 7300.0) as store:
        store.retain()
        assert store.problems == []


def test_what_a_crash_left_between_two_steps_is_cleared(tmp_path: Path) -> None:
    (path, _) = two_segments(tmp_path)
    for name in ("left.parquet", "left.index", "left.tmp"):
        path.with_name(name).write_bytes(b"half")
    with Store(tmp_path, settings=QUIET) as store:
        assert len(everything(store)) == 20
        assert not list(tmp_path.glob("days/*/left.*"))


def test_an_unreadable_manifest_opens_nothing_and_deletes_nothing(tmp_path: Path) -> None:
    paths = two_segments(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match=r"manifest\.json"):
        Store(tmp_path, settings=QUIET).__enter__()

    assert all(path.exists() for path in paths)
