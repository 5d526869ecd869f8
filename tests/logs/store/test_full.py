"""A full disk: nothing more is taken, what is stored goes on answering."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.logs.store.problems import StoreError, StoreFullError
from dayfly.logs.store.store import Store
from kept import QUIET, everything, numbered


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_does_not_fit_is_refused_whole_and_may_come_again(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(100)), batch="a")
        with files_of_at_most(50):
            for _ in range(2):
                with pytest.raises(StoreFullError, match="nothing was taken"):
                    store.append(numbered(range(100, 200)), batch="b")

            assert len(everything(store)) == 100
        assert store.append(numbered(range(100, 200)), batch="b") == 100
        assert len(everything(store)) == 200
    with Store(tmp_path, settings=QUIET) as store:
        assert len(everything(store)) == 200
        assert store.problems == []


def test_a_segment_that_does_not_fit_stays_in_memory_until_it_does(tmp_path: Path) -> None:
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(2000)))
        with files_of_at_most(1000), pytest.raises(StoreError, match="it can't be written"):
            store.seal()

        assert len(everything(store)) == 2000
        store.append(numbered(range(2000, 2010)))
        store.seal()
        assert len(everything(store)) == 2010
        assert sum(usage.records for usage in store.usage()) == 2010
    with Store(tmp_path, settings=QUIET) as store:
        assert len(everything(store)) == 2010


def test_what_is_reserved_is_not_used(tmp_path: Path) -> None:
    with Store(tmp_path, settings=replace(QUIET, reserve=2**60)) as store:
        with pytest.raises(StoreFullError, match="are reserved") as refusal:
            store.append(numbered(range(1)))

        assert "[logs] retention" in refusal.value.hint
        assert everything(store) == []


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mounted, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def filled(store: Store) -> Iterator[int]:
    """Append until there is no room; how many records each batch had."""
    for number in range(10_000):
        body = b"".join(
            b'{"time":%d,"message":"%s"}\n' % (line, os.urandom(30).hex().encode())
            for line in range(number * 50, number * 50 + 50)
        )
        try:
            yield store.append(body, batch=f"b{number}")
        except StoreFullError:
            return


def test_a_disk_that_fills_up_keeps_what_was_acknowledged(tiny: Path) -> None:
    settings = replace(QUIET, rows=2000, seconds=0.2, rounds=True)
    with Store(tiny, settings=settings) as store:
        taken = sum(filled(store))

        assert 2000 < taken < 500_000
        assert len(everything(store)) == taken
    with Store(tiny, settings=QUIET) as store:
        assert len(everything(store)) == taken
