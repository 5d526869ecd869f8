"""Of writers that want the same at once one wins, whichever process they are in."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from archived import BUCKET, archive, content, every, keys, put, tree_of
from dayfly.files.objects import Versioning

TRIALS, THREADS = 10, 16


@contextmanager
def racer(folder: Path, name: str) -> Iterator[tuple[IO[str], IO[str]]]:
    argv = [sys.executable, "-m", "archived.racer", str(folder), name, str(THREADS)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process.stdin, process.stdout
        process.stdin.close()
        assert process.wait() == 0


def test_of_32_writers_in_two_processes_exactly_one_wins(tmp_path: Path) -> None:
    with archive(tmp_path, BUCKET) as repository, ExitStack() as stack:
        racers = [stack.enter_context(racer(tmp_path, name)) for name in ("one", "other")]
        for trial in range(TRIALS):
            for etag in ("-", None):
                state = etag or repository.head(BUCKET, f"key {trial}").etag
                for stdin, _ in racers:
                    stdin.write(f"{state}\n")
                    stdin.flush()
                won = [who for _, stdout in racers for who in stdout.readline().split()]
                assert len(won) == 1
                assert content(repository, f"key {trial}").decode() == won[0]


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
