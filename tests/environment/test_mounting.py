"""A directory that the archive follows."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.config.secrets import Secrets
from dayfly.environment.followed import Folder, Waits, due, gone
from dayfly.environment.mounting import Mounting
from dayfly.environment.mounts import Mount, served
from dayfly.files.errors import NoSuchBucketError
from dayfly.files.objects import Asked
from dayfly.files.repository import Repository
from dayfly.files.tenants import Tenants
from workshop.rights import plain_user


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "keep" / "media"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def mounting(tmp_path: Path, media: Path) -> Mounting:
    return mounting_in(tmp_path, media)


def mounting_in(home: Path, media: Path) -> Mounting:
    (home / "secrets").mkdir()
    tenants = Tenants(
        root=home / "archive",
        index=home / "archive/.dayfly/index",
        accounts=home / "accounts.json",
        secrets=Secrets(home / "secrets"),
        endpoint=lambda: "http://127.0.0.1:9000",
    )
    mount = Mount(
        app="shop", release=3, bucket="shop", path="a/media", folder=media, prefix="media/"
    )
    return Mounting(home / "mounts", tenants, lambda: [mount])


def write(path: Path, text: str, *, ago: float = 60) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - ago, time.time() - ago))


def follow(mounting: Mounting, *mounts: Mount) -> tuple[str, ...]:
    """A round as after a restart; what it has to tell."""
    again = Mounting(mounting.state, mounting.tenants, lambda: mounts or mounting.mounts())
    again.round()
    return again.problems


def names(mounting: Mounting, bucket: str = "shop") -> list[str]:
    with mounting.tenants.opened() as repository:
        return [each.key for each in repository.list(bucket, Asked()).entries]


def states(mounting: Mounting) -> list[tuple[str, int, bool]]:
    """Key, size, and whether it is a deletion; newest first."""
    repository = Repository(mounting.tenants.root, mounting.tenants.index)
    try:
        found = repository.list_versions("shop", Asked()).entries
        return [(each.key, each.size, each.marker) for each in found]
    finally:
        repository.close()


def test_what_is_put_changed_and_deleted_is_so_in_the_archive(
    mounting: Mounting, media: Path
) -> None:
    write(media / "a.png", "1")
    write(media / "in" / "b.png", "22")
    write(media / "half.png", "3", ago=0)
    follow(mounting)
    assert states(mounting) == [("media/a.png", 1, False), ("media/in/b.png", 2, False)]

    follow(mounting)
    write(media / "a.png", "4444", ago=30)
    (media / "in" / "b.png").unlink()
    follow(mounting)

    assert states(mounting) == [
        ("media/a.png", 4, False),
        ("media/a.png", 1, False),
        ("media/in/b.png", 0, True),
        ("media/in/b.png", 2, False),
    ]


def test_a_directory_that_is_missing_deletes_nothing(mounting: Mounting, media: Path) -> None:
    write(media / "a.png", "1")
    follow(mounting)
    shutil.rmtree(media)

    follow(mounting)

    assert states(mounting) == [("media/a.png", 1, False)]


def test_a_file_of_the_same_name_by_another_hand_is_no_reason_to_put_it_again(
    mounting: Mounting, media: Path
) -> None:
    write(media / "a.png", "1")
    follow(mounting)
    shutil.rmtree(mounting.state)  # as when a crash came before it was written

    follow(mounting)

    assert len(states(mounting)) == 1


@pytest.mark.parametrize(
    ("moment", "release"),
    [
        pytest.param(5.0, 4, id="before any turn that is known, it can only be who serves"),
        pytest.param(10.0, 3, id="as it began"),
        pytest.param(19.9, 3, id="until another came"),
        pytest.param(20.0, 4, id="the other"),
        pytest.param(31.0, 3, id="and back again"),
        pytest.param(99.0, 4, id="the last"),
    ],
)
def test_a_file_is_from_the_release_that_served_when_it_was_written(
    media: Path, moment: float, release: int
) -> None:
    turns = ((10.0, 3), (20.0, 4), (30.0, 3), (40.0, 4))
    mount = Mount(
        app="shop", release=4, turns=turns, bucket="shop", path="m", folder=media, prefix="m/"
    )
    assert served(mount, moment) == release


def test_a_time_that_a_program_has_set_does_not_change_who_wrote(
    mounting: Mounting, media: Path
) -> None:
    [mount] = mounting.mounts()
    turns = ((time.time() - 90, 2), (time.time() - 5, 3))
    write(media / "unpacked.png", "1", ago=60)  # as tar does, in the time of release 2

    Mounting(mounting.state, mounting.tenants, lambda: [replace(mount, turns=turns)]).round()

    repository = Repository(mounting.tenants.root, mounting.tenants.index)
    try:
        found = repository.head("shop", "media/unpacked.png")
    finally:
        repository.close()
    assert found.description.provenance.release == "3"


def test_what_no_key_can_name_is_told_and_holds_up_nothing(
    mounting: Mounting, media: Path, tmp_path: Path
) -> None:
    (mount,) = mounting.mounts()
    other = replace(mount, app="blog", prefix="blog/", folder=tmp_path / "keep" / "blog")
    last = replace(mount, path="b/media", prefix="b/", folder=tmp_path / "keep" / "last")
    for each in (mount, other, last):
        write(each.folder / "a.png", "1")
    (media / os.fsdecode(b"bad\xff.png")).write_text("2")
    deep = media.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "long.png").write_text("3")
    following = Mounting(mounting.state, mounting.tenants, lambda: [mount, other, last])

    following.round()

    assert states(mounting) == [("b/a.png", 1, False), ("media/a.png", 1, False)]
    (alien, left) = following.problems  # a bucket that is not its own ends nothing but itself
    assert alien.startswith("blog: a/media: the bucket shop belongs to shop")
    assert left.startswith("shop: a/media: left out of the archive by its name: ")
    assert left.endswith(", and 1 more")


def test_what_can_not_be_read_is_not_taken_for_deleted() -> None:
    with plain_user() as home:
        media = home / "keep" / "media"
        media.mkdir(parents=True)
        mounting = mounting_in(home, media)
        for name in ("sub/x", "sub/y", "z", "gone"):
            write(media / name, "1")
        assert not follow(mounting)
        before = states(mounting)

        (media / "gone").unlink()
        (media / "z").chmod(0)
        (media / "sub").chmod(0)
        told = "'sub': Permission denied, and 1 more"
        for _ in range(2):
            assert follow(mounting) == (
                f"shop: a/media: can't be read, and is in the archive as it was before: {told}",
            )
        assert states(mounting) == [("media/gone", 0, True), *before]

        (media / "sub").chmod(0o700)
        (media / "sub" / "x").unlink()
        (media / "z").chmod(0o600)
        assert not follow(mounting)
        assert names(mounting) == ["media/sub/y", "media/z"]
        media.chmod(0)
        (problem,) = follow(mounting)
        assert problem.endswith("as it was before: Permission denied")
        media.chmod(0o700)


def test_another_directory_in_its_place_deletes_nothing(mounting: Mounting, media: Path) -> None:
    write(media / "a.png", "1")
    write(media / "b.png", "1")
    follow(mounting)
    media.rename(media.with_name("away"))  # as when what was mounted there is not
    assert "is missing; what it had stays" in follow(mounting)[0]
    media.mkdir()
    write(media / "new.png", "1")

    for _ in range(2):
        (told,) = follow(mounting)
    assert "another directory than before" in told
    assert "2 files that were there are not, and stay" in told
    assert names(mounting) == ["media/a.png", "media/b.png", "media/new.png"]

    shutil.rmtree(media)
    media.with_name("away").rename(media)
    (media / "b.png").unlink()
    assert not follow(mounting), "it is the same again"
    assert names(mounting) == ["media/a.png"]

    shutil.copytree(media, media.with_name("copy"))  # to a larger disk, say
    shutil.rmtree(media)
    media.with_name("copy").rename(media)
    assert not follow(mounting), "all that it had is there"
    (media / "a.png").unlink()
    assert not follow(mounting)
    assert names(mounting) == []


def test_a_person_says_that_it_is_to_be_another_directory(mounting: Mounting, media: Path) -> None:
    write(media / "a.png", "1")
    follow(mounting)
    media.rename(media.with_name("away"))
    media.mkdir()
    (told,) = follow(mounting)

    Path(told.partition("remove ")[2].partition(": ")[0]).unlink()

    assert not follow(mounting)
    assert names(mounting) == ["media/a.png"]


def test_files_go_where_a_later_release_says(mounting: Mounting, media: Path) -> None:
    (mount,) = mounting.mounts()
    write(media / "a.png", "1")
    write(media / "b.png", "2")
    follow(mounting)

    other = replace(mount, release=4, prefix="uploads/")
    follow(mounting, other)
    (media / "a.png").unlink()
    follow(mounting, other)
    own = replace(mount, release=5, bucket="shop2")
    follow(mounting, own)

    assert names(mounting) == ["media/a.png", "media/b.png", "uploads/b.png"]
    assert [each for each in states(mounting) if each[2]] == [("uploads/a.png", 0, True)]
    assert names(mounting, "shop2") == ["media/b.png"]
    (media / "b.png").unlink()
    follow(mounting)  # a rollback: what lies there of before stays
    assert names(mounting) == ["media/a.png", "media/b.png", "uploads/b.png"]


def test_what_was_deleted_in_the_archive_comes_when_it_changes(
    mounting: Mounting, media: Path
) -> None:
    write(media / "a.png", "1")
    follow(mounting)
    with mounting.tenants.opened() as repository:
        repository.delete("shop", "media/a.png")
    follow(mounting)
    assert names(mounting) == []

    shutil.rmtree(mounting.state / "shop")  # it is looked at as for the first time
    follow(mounting)
    assert names(mounting) == ["media/a.png"]


def test_apps_and_directories_of_like_names_are_told_apart(mounting: Mounting, media: Path) -> None:
    (mount,) = mounting.mounts()
    one = replace(mount, path="x-media")
    other = replace(one, app="shop-x", bucket="shop-x", path="media", folder=media.with_name("2"))
    for each, own in ((one, "one"), (other, "other")):
        write(each.folder / own, "1")
        write(each.folder / "same", "1")
    for _ in range(3):
        assert not follow(mounting, one, other)

    assert states(mounting) == [("media/one", 1, False), ("media/same", 1, False)]
    assert names(mounting, "shop-x") == ["media/other", "media/same"]


def test_a_prefix_belongs_to_who_has_it_first(mounting: Mounting, media: Path) -> None:
    (mount,) = mounting.mounts()
    early = replace(mount, path="0", prefix="media/in/", folder=media.with_name("0"))
    write(media / "a.png", "1")
    write(early.folder / "a.png", "2")
    follow(mounting)

    told = follow(mounting, early, mount)

    assert told == (
        "shop: 0: it is not archived: shop/media/ belongs to shop: a/media; name another prefix.",
    )
    assert states(mounting) == [("media/a.png", 1, False)]


def test_a_replacement_of_the_same_size_and_time_is_seen(mounting: Mounting, media: Path) -> None:
    write(media / "a.png", "one")
    follow(mounting)
    found = (media / "a.png").stat()
    write(media / "fresh", "two")
    os.utime(media / "fresh", ns=(found.st_atime_ns, found.st_mtime_ns))
    (media / "fresh").rename(media / "a.png")
    follow(mounting)

    assert len(states(mounting)) == 2


def test_no_version_is_torn_of_a_file_that_is_written_all_the_time(
    mounting: Mounting, media: Path
) -> None:
    """By a real program, that writes the same letter all over the file, and then another one."""
    writes = (
        "import itertools, os, sys, time\n"
        "file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "for letter in itertools.cycle(b'abcdefgh'):\n"
        "    for n in range(16):\n"
        "        os.pwrite(file, bytes([letter]) * 4096, 4096 * n), time.sleep(0.005)\n"
        "    time.sleep(0.2)\n"
    )
    later = Later()
    following = replace(mounting, clock=later)
    with subprocess.Popen([sys.executable, "-c", writes, str(media / "a.db")]) as program:
        try:
            wait_until((media / "a.db").exists, seconds=20, what="it writes")
            wait_until(lambda: _rounds(following, later) > 2, seconds=30, what="three versions")
        finally:
            program.kill()
    with mounting.tenants.opened() as repository:
        for each in repository.list_versions("shop", Asked()).entries:
            with repository.open("shop", each.key, each.id) as opened:
                assert len({*b"".join(opened.pieces(0, each.size))}) == 1


@dataclass
class Later:
    """A clock that a test puts forward."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def _rounds(mounting: Mounting, later: Later) -> int:
    """Versions after one more of them, a minute later."""
    later.seconds += 61
    mounting.round()  # it may be told that just now it was not the same for as long as it was read
    with suppress(NoSuchBucketError):
        return len(states(mounting))
    return 0


@pytest.mark.parametrize(
    ("size", "ago", "waited", "so"),
    [
        pytest.param(1, 11, 0, True, id="nobody writes it any more"),
        pytest.param(1, 1, 59, False, id="somebody does"),
        pytest.param(1, 1, 60, True, id="all the time"),
        pytest.param(1, 0, 60, False, id="in this very moment"),
        pytest.param(1, -99, 60, True, id="the clock was put back"),
        pytest.param(1 << 30, 1, 3600, False, id="a large one, less often"),
        pytest.param(1 << 30, 1, 5 * 3600, True, id="but it is its turn"),
    ],
)
def test_when_a_file_is_taken_in(size: int, ago: int, waited: float, *, so: bool) -> None:
    second = 10**9
    written = (1000 - ago) * second
    assert due((size, written, written, 7), waited, 1000 * second) is so
    assert due((size, 2000 * second, written, 7), waited, 1000 * second) is so, "an odd time"


def test_what_is_never_twice_the_same_is_told() -> None:
    waits, stamp = Waits(), (1, time.time_ns(), time.time_ns(), 7)
    assert not waits.fresh({}, {"a.db": stamp}, 0.0)
    assert not waits.unsteady({"a.db": stamp}, 179.0)
    assert waits.unsteady({"a.db": stamp}, 181.0) == ["'a.db'"]
    assert not waits.unsteady({}, 181.0), "it is gone"
    waits.fresh({"a.db": stamp}, {"a.db": stamp}, 181.0)
    assert not waits.since, "it is in"


@pytest.mark.parametrize(
    ("unread", "left"),
    [
        ([], {"a", "b/c", "b/d/e"}),
        (["b"], {"a"}),
        (["b/d"], {"a", "b/c"}),
        (["b/c", "other"], {"a", "b/d/e"}),
        ([""], set()),
    ],
)
def test_what_is_surely_gone(unread: list[str], left: set[str]) -> None:
    assert gone(["a", "b/c", "b/d/e", "here"], ["here", "new"], unread) == left


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ((1, {8}), (1, {8}), True),
        ((1, {8}), (2, {8}), False),
        ((1, {8}), (1, {9}), False),
        ((1, {8, 9}), (1, {8}), False),
        ((1, {8}), (1, {8, 9}), True),
    ],
)
def test_whether_it_is_the_same_directory(
    before: tuple[int, set[int]], after: tuple[int, set[int]], *, whole: bool
) -> None:
    one, other = (
        Folder(inode=inode, devices=frozenset(devices)) for inode, devices in (before, after)
    )
    assert one.is_whole_in(other) is whole
