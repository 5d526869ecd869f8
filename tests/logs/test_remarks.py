"""What is said of files that are named and not read."""

import os
from pathlib import Path

import pytest

from dayfly.logs.forwarder.remarks import remarks
from dayfly.logs.forwarder.starting import Files, Settings


def said_of(path: Path) -> list[str]:
    (watch,) = Settings(url="", files=(Files(path=str(path)),)).watches()
    return [remark.removeprefix(f"{path.parent}/") for remark in remarks(watch)]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name in ("app.log", "web.log"):
        (tmp_path / name).write_text("one\n")
    return tmp_path


def test_of_files_that_are_read_nothing_is_said(logs: Path) -> None:
    assert said_of(logs / "app.log") == []
    assert said_of(logs / "*.log") == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent.log", "absent.log: nothing is there yet; what appears there is read"),
        ("absent-*.log", "absent-*.log: nothing is there yet; what appears there is read"),
        ("pipe", "pipe: this is no file; a pipe, a socket or a device is not read"),
        ("old.log.gz", "old.log.gz: this is packed, which is not read"),
    ],
)
def test_what_is_not_read_is_told(logs: Path, name: str, says: str) -> None:
    os.mkfifo(logs / "pipe")
    (logs / "old.log.gz").touch()

    assert said_of(logs / name) == [says]


def test_a_folder_and_a_link_are_told_with_what_to_name(logs: Path) -> None:
    (logs / "link").symlink_to("app.log")
    (logs / "nowhere").symlink_to("absent.log")
    (logs / "folder").mkdir()

    told = "this is a link, which is not read; name the file"
    assert said_of(logs / "link") == [f"link: {told}: {logs}/app.log"]
    assert said_of(logs / "nowhere") == [f"nowhere: {told}: {logs}/absent.log"]
    folder = logs / "folder"
    assert said_of(folder) == [
        f"folder: this is a folder, which is not read; name files in it: '{folder}/*.log'"
    ]


def test_links_among_many_are_counted(logs: Path) -> None:
    for number in range(5):
        (logs / f"link-{number}.log").symlink_to("app.log")

    assert said_of(logs / "*.log") == [
        "*.log: links are not read: link-0.log, link-1.log, link-2.log and 2 more"
    ]
