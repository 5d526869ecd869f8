"""Of writers that want the same at once one wins, whichever process they are in."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import pytest

from archived import BUCKET, archive, content, every, keys, put, tree_of
from archived.races import trials
from dayfly.files.objects import Versioning

TRIALS = 10


def test_of_32_writers_in_two_processes_exactly_one_wins(tmp_path: Path) -> None:
    assert trials(tmp_path, 2 * TRIALS) == [1] * (2 * TRIALS)


def test_readers_and_lists_see_whole_objects_while_they_are_replaced(tmp_path: Path) -> None:
    done = threading.Event()
    problems: list[str] = []

    def read() -> None:
        while not done.is_set():
            for bucket in (BUCKET, "kept"):
                with repository.open(bucket, "a") as opened:
                    found = opened.read()
                    if len(set(found)) != 1 or len(found) != opened.version.size:
                        problems.append(f"{bucket}: {found[:40]!r}")

    with archive(tmp_path, BUCKET, "kept") as repository:
        repository.set_versioning("kept", Versioning.ENABLED)
        for bucket in (BUCKET, "kept"):
            put(repository, "a", b"a", bucket=bucket)
        readers = [threading.Thread(target=read) for _ in range(3)]
        for each in readers:
            each.start()
        for number in range(60):
            letter = b"%c" % (97 + number % 26)
            for bucket in (BUCKET, "kept"):
                put(repository, "a", letter * (number * 1000 + 1), bucket=bucket)
        done.set()
        for each in readers:
            each.join()
        assert len(every(repository, "kept")) == 61

    assert problems == []


def test_folders_that_come_and_go_lose_nothing(tmp_path: Path) -> None:
    """One thread each puts and deletes a key of the same folder, which is removed when empty."""
    problems: list[BaseException] = []

    def come_and_go(key: str) -> None:
        try:
            for _ in range(30):
                put(repository, key, b"x")
                assert content(repository, key) == b"x"
                repository.delete(BUCKET, key)
        except BaseException as error:  # noqa: BLE001 - told below
            problems.append(error)

    with archive(tmp_path, BUCKET) as repository:
        names = ["f/a", "f/g/b", "f/g/c", "f"]
        threads = [threading.Thread(target=come_and_go, args=(name,)) for name in names]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert problems == []
        assert keys(repository) == []
        assert tree_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("versioning", "names"), [(Versioning.NEVER, 400), (Versioning.ENABLED, 9)]
)
def test_puts_hold_while_a_hand_renames_their_folder(
    tmp_path: Path, versioning: Versioning, names: int
) -> None:
    """It may do so between any two steps of them: then it is the next that was done."""
    stop, moved = threading.Event(), itertools.count()
    bytes_ = [f"{number}".encode() for number in range(400)]

    def move() -> None:
        while not stop.wait(0.0005):
            with suppress(FileNotFoundError):
                (folder / "f").rename(folder / f"moved-{next(moved)}")

    with archive(tmp_path, BUCKET) as repository, ThreadPoolExecutor(5) as pool:
        if versioning:
            repository.set_versioning(BUCKET, versioning)
        folder = repository.ground.tree.bucket(BUCKET)
        hand = pool.submit(move)
        puts = [
            pool.submit(put, repository, f"f/{number % names}", each)
            for number, each in enumerate(bytes_)
        ]
        wait(puts)
        stop.set()
        hand.result()
        versions = [each.result() for each in puts]

        if versioning:
            assert [content(repository, each.key, each.id) for each in versions] == bytes_
        else:
            assert sorted(tree_of(tmp_path).values()) == sorted(bytes_)
