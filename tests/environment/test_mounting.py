"""A directory that the archive follows."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.config.secrets import Secrets
from dayfly.environment.mounting import Mount, Mounting, served
from dayfly.files.objects import Asked
from dayfly.files.repository import Repository
from dayfly.files.tenants import Tenants


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "keep" / "media"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def mounting(tmp_path: Path, media: Path) -> Mounting:
    (tmp_path / "secrets").mkdir()
    tenants = Tenants(
        root=tmp_path / "archive",
        index=tmp_path / "archive/.dayfly/index",
        accounts=tmp_path / "accounts.json",
        secrets=Secrets(tmp_path / "secrets"),
        endpoint=lambda: "http://127.0.0.1:9000",
    )
    mount = Mount(
        app="shop", release=3, bucket="shop", path="a/media", folder=media, prefix="media/"
    )
    return Mounting(tmp_path / "mounts", tenants, lambda: [mount])


def write(path: Path, text: str, *, ago: float = 60) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - ago, time.time() - ago))


def follow(mounting: Mounting) -> None:
    Mounting(mounting.state, mounting.tenants, mounting.mounts).round()  # as after a restart


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
    other = replace(mount, app="blog", bucket="shop", folder=tmp_path / "keep" / "blog")
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
