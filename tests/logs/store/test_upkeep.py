"""Sealing, merging and retention, also while somebody searches."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.clock import Stop, wait_until
from dayfly.errors import StoppedError
from dayfly.logs.query import tree
from dayfly.logs.query.tree import Query
from dayfly.logs.store.segment import Segment, Volume
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.store import Ask, Store
from dayfly.logs.store.upkeep import Usage, to_drop, to_merge
from kept import QUIET, everything, numbered

DAY = 86_400 * 10**9


def segment(name: str, *, day: int = 0, rows: int = 10, size: int = 100) -> Segment:
    begin = day * DAY + int(name, 36)
    return Segment(
        name=name,
        day=f"1970-01-{day + 1:02d}",
        rows=rows,
        first=begin,
        last=begin + 1,
        size=size,
        crc=0,
        index_crc=0,
        apps={"a": Volume(rows, rows)},
    )


SMALL = Settings(rows=100, small=3)
MERGES = {
    "of today only when they are many": ([segment("1"), segment("2")], []),
    "neighbours in time": ([segment("3"), segment("1"), segment("2")], ["1", "2", "3"]),
    "no more than a segment's rows": (
        [segment("1", rows=40), segment("2", rows=40), segment("3", rows=40)],
        ["1", "2"],
    ),
    "never those of two days": ([segment("1"), segment("2"), segment("3", day=1)], []),
    "not the large ones": ([segment("1"), segment("2"), segment("3", rows=90)], []),
}
DROPS = {
    "nothing without a limit": (Settings(), []),
    "the old": (Settings(keep_seconds=86_400), ["1"]),
    "the oldest of too much": (Settings(keep_bytes=150), ["1", "2"]),
    "the old of an app": (Settings(keep_apps={"a": 86_400}), ["1"]),
    "not what an app keeps longer": (
        Settings(keep_seconds=86_400, keep_apps={"a": 86_400 * 9}),
        [],
    ),
    "the old first, then the oldest": (Settings(keep_seconds=86_400, keep_bytes=200), ["1"]),
}


@pytest.mark.parametrize(("segments", "names"), MERGES.values(), ids=MERGES)
def test_which_segments_are_merged(segments: list[Segment], names: list[str]) -> None:
    assert [each.name for each in to_merge(segments, SMALL, "1970-01-01")] == names


def test_a_day_that_is_over_is_packed_for_good_once(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET, now=lambda: 0.0) as store:
        for begin in range(2):
            store.append(numbered(range(begin * 1000, begin * 1000 + 1000)))
            store.seal()
        assert not store.compact()
        before = sum(usage.size for usage in store.usage())
    with Store(tmp_path, settings=QUIET, now=lambda: 86_400.0) as store:
        assert store.compact()
        assert not store.compact()
        assert sum(usage.size for usage in store.usage()) < before
        assert len(everything(store)) == 2000


@pytest.mark.parametrize(("settings", "names"), DROPS.values(), ids=DROPS)
def test_which_segments_are_dropped(settings: Settings, names: list[str]) -> None:
    segments = [segment("3", day=2), segment("1"), segment("2", day=1)]

    assert [each.name for each in to_drop(segments, settings, 2 * 86_400)] == names


def test_retention_deletes_files(tmp_path: Path) -> None:
    settings = replace(QUIET, keep_seconds=86_400)
    with Store(tmp_path, settings=settings, now=lambda: 3 * 86_400) as store:
        for day in range(3):
            store.append(numbered(range(day * 10, day * 10 + 10), begin=day * DAY))
        store.seal()
        store.retain()

        assert len(everything(store)) == 10
        assert len(list(tmp_path.glob("days/*/*.parquet"))) == 1
        assert store.usage() == [
            Usage(app="orders", day="1970-01-03", records=10, size=store.usage()[0].size)
        ]


def test_retention_by_app_writes_shared_segments_anew(tmp_path: Path) -> None:
    settings = replace(QUIET, keep_seconds=5 * 86_400, keep_apps={"chatty": 86_400})
    with Store(tmp_path, settings=settings, now=lambda: 3 * 86_400) as store:
        for day in range(3):
            for app in ("orders", "chatty"):
                store.append(numbered(range(10), begin=day * DAY, app=app))
        store.seal()
        store.retain()
        store.retain()

        rows = [(usage.app, usage.day, usage.records) for usage in store.usage()]
    assert rows == [
        ("chatty", "1970-01-03", 10),
        *(("orders", f"1970-01-0{day}", 10) for day in (1, 2, 3)),
    ]


def test_what_is_searched_stays_until_the_search_ends(tmp_path: Path) -> None:
    settings = replace(QUIET, keep_seconds=1)
    with Store(tmp_path, settings=settings, now=lambda: 10.0**9) as store:
        for begin in (0, DAY):
            store.append(numbered(range(5), begin=begin))
            store.seal()
        store.append(numbered(range(5), begin=2 * DAY))
        found = store.search(Query())
        first = next(found)
        store.retain()

        assert len([first, *found]) == 15
        assert len(everything(store)) == 5
        assert not list(tmp_path.glob("days/*/*.parquet"))


def test_searches_see_every_record_once_whatever_happens_to_segments(tmp_path: Path) -> None:
    settings = replace(QUIET, rows=100, seconds=0, small=2)
    wrong: list[str] = []
    done = threading.Event()

    def look(store: Store) -> None:
        while not done.is_set():
            low = store.aggregate(Query(pipes=(tree.Count(),))).rows[0]["count"]
            numbers = [int(message.split()[1]) for message in everything(store)]
            if numbers != list(range(max(numbers, default=-1), -1, -1)):
                wrong.append(f"{len(numbers)} of {max(numbers)}")
            if not isinstance(low, int) or len(numbers) < low:
                wrong.append(f"{len(numbers)} after {low}")

    with Store(tmp_path, settings=settings) as store:
        lookers = [threading.Thread(target=look, args=(store,)) for _ in range(2)]
        for looker in lookers:
            looker.start()
        for number in range(60):
            store.append(numbered(range(number * 10, number * 10 + 10)))
            if number % 3 == 0:
                store.seal()
            if number % 5 == 0:
                store.compact()
        done.set()
        for looker in lookers:
            looker.join()

        assert not wrong
        assert len(everything(store)) == 600


def test_a_full_memory_is_sealed_by_itself(tmp_path: Path) -> None:
    with Store(tmp_path, settings=replace(QUIET, rows=50, rounds=True)) as store:
        store.append(numbered(range(60)))
        wait_until(lambda: bool(store.usage()), seconds=20, what="a segment")

        assert len(everything(store)) == 60
        assert not any(path.stat().st_size for path in tmp_path.glob("wal/*"))


def test_a_search_that_takes_too_long_says_that_it_was_cut(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(10)))
        found = store.search(Query(), ask=Ask(seconds=0))
        answer = store.aggregate(Query(pipes=(tree.Count(),)), ask=Ask(seconds=0))

        assert list(found) == []
        assert found.cut == answer.cut == "cut after 0 s"


def test_a_search_can_be_stopped(tmp_path: Path) -> None:
    stop = Stop()
    with Store(tmp_path, settings=QUIET) as store:
        for begin in (0, DAY):
            store.append(numbered(range(5), begin=begin))
            store.seal()
        found = store.search(Query(), ask=Ask(stop=stop))
        next(found)
        stop.request("enough")

        with pytest.raises(StoppedError, match="enough"):
            list(found)
