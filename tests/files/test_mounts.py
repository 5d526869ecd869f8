"""An archive on a mounted file server: what it is asked first, and what it is when that fails."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from archive import MAIN, Archive, archive, missing
from dayfly.files.condition import ANY, Condition
from dayfly.files.errors import FilesError, LeasedError, NotKeptError
from dayfly.files.mount import LOCAL, TOLD, Mount, Race, probed, told, verdict
from dayfly.files.objects import Asked, Version, Versioning
from dayfly.files.repository import Repository
from dayfly.files.s3.answer import translated


def races(*won: tuple[int, ...], locked: int = 2) -> list[Race]:
    return [Race(won=each, locked=locked) for each in won]


@pytest.mark.parametrize(
    ("met", "counted", "why"),
    [
        (races((0,), (1,)), 4, ""),
        (races((0, 1), ()), 4, ""),
        (races((0, 1), (1,)), 4, "2 of 2 writers got one name"),
        (races((0,), ()), 4, "0 of 2 writers got one name"),
        (races((0,), (1,)), 3, "4 writers had the lock, and 3 of their changes are there"),
        ([Race(won=(0,), locked=2), Race(failed="No locks available")], 2, "No locks available"),
    ],
)
def test_what_a_race_says_of_a_mount(met: list[Race], counted: int, why: str) -> None:
    assert verdict(met, counted, rounds=2) == Mount(exclusive=not why, why=why)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder of another file system."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_a_mount_that_keeps_what_is_asked_of_it(elsewhere: Path, tmp_path: Path) -> None:
    root, index = elsewhere / "share", tmp_path / "index"
    root.mkdir()

    assert probed(root, index) == told(index) == LOCAL
    assert list(root.iterdir()) == []


@pytest.fixture(scope="module")
def bucket_mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bucket of another archive as a file system, which has no hard links."""
    if not Path("/dev/fuse").exists() or shutil.which("s3fs") is None:
        missing("s3fs-fuse")
    folder = tmp_path_factory.mktemp("mounted")
    with archive(folder) as running, ExitStack() as stack:
        yield mounted(running, folder, stack)


def mounted(running: Archive, folder: Path, stack: ExitStack) -> Path:
    running.client().create_bucket(Bucket="share")
    at, keys = folder / "mount", folder / "keys"
    at.mkdir()
    keys.write_text(f"{MAIN.key}:{MAIN.secret}")
    keys.chmod(0o600)
    options = f"url={running.url},use_path_request_style,passwd_file={keys}"
    subprocess.run(["s3fs", "share", str(at), "-o", options], check=True)
    stack.callback(subprocess.run, ["fusermount", "-u", str(at)], check=True)
    return at


def test_a_mount_without_hard_links_is_refused(bucket_mounted: Path, tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="has no hard links"):
        probed(bucket_mounted, tmp_path / "index")
    assert list(bucket_mounted.iterdir()) == []


@pytest.fixture
def two(elsewhere: Path, tmp_path: Path) -> Iterator[tuple[Repository, Repository]]:
    """Servers of an archive whose mount was found to keep no locks."""
    index = tmp_path / "index"
    index.mkdir()
    (index / TOLD).write_bytes(
        msgspec.json.encode(Mount(exclusive=False, why="No locks available"))
    )
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(closing(Repository(elsewhere / "share", index))) for _ in range(2)
        )
        first.create_bucket("shop", owner="main")
        first.set_versioning("shop", Versioning.ENABLED)
        yield first, second


def put(repository: Repository, key: str, body: bytes, condition: Condition) -> Version:
    with repository.stage("shop") as staged:
        staged.write(body)
        return repository.put(staged, key, condition=condition)


def test_where_a_mount_keeps_no_locks_writers_of_this_host_do_no_harm(
    two: tuple[Repository, Repository], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: put(two[number % 2], "a", b"%d" % number, Condition()), range(32)
            )
        )

    listed = two[0].list_versions("shop", Asked()).entries
    bodies = {two[1].open("shop", "a", each.id).read() for each in listed}
    assert bodies == {b"%d" % number for number in range(32)}
    assert not any((two[0].ground.tree.inner / "locks").iterdir())
    assert any((tmp_path / "index/locks").iterdir())


@pytest.mark.parametrize("condition", [Condition(if_none_match=(ANY,)), Condition(if_match=("x",))])
def test_where_a_mount_keeps_no_locks_conditions_are_refused_by_name(
    two: tuple[Repository, Repository], condition: Condition
) -> None:
    with pytest.raises(NotKeptError, match="No locks available") as told_:
        put(two[0], "a", b"1", condition)
    assert translated(told_.value).status == 501


def test_where_a_mount_keeps_no_locks_leases_hold(two: tuple[Repository, Repository]) -> None:
    lease = two[0].leases.take("shop", "a", owner="ann", seconds=60)

    with pytest.raises(LeasedError):
        two[1].leases.take("shop", "a", owner="bob", seconds=60)
    with pytest.raises(LeasedError):
        put(two[1], "a", b"1", Condition())
    assert put(two[1], "a", b"1", Condition(token=lease.token)).size == 1


def test_what_was_killed_there_is_cleared_up(elsewhere: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    (index / TOLD).write_bytes(msgspec.json.encode(Mount(exclusive=False, why="")))
    pid = os.fork()
    if not pid:
        repository = Repository(elsewhere / "share", index)
        repository.create_bucket("shop", owner="main")
        os._exit(0)  # without closing
    os.waitpid(pid, 0)

    with closing(Repository(elsewhere / "share", index)) as again:
        put(again, "a", b"1", Condition())
        assert [each.name for each in again.buckets()] == ["shop"]
        (bench,) = (elsewhere / "share/.dayfly/staging").iterdir()
        assert (index / "locks" / bench.name).exists()
    assert not list((elsewhere / "share/.dayfly/staging").iterdir())
