"""What a person types about an archive that runs alone, and what they are told."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dayfly.cli.commands import run
from dayfly.clock import wait_until
from dayfly.config.address import address_of
from dayfly.errors import DayflyError, UsageError
from dayfly.files.errors import (
    ConditionError,
    GoneError,
    LeasedError,
    NoRoomError,
    NoSuchKeyError,
    NoSuchVersionError,
)
from dayfly.files.repository import Repository
from ports import free_port

Typed = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    Repository(folder, folder / ".dayfly/index").close()
    return folder


@pytest.fixture
def typed(root: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    def type_(*words: str, status: int = 0) -> str:
        assert run(["files", *words, "--root", str(root)]) == status
        return capsys.readouterr().out

    return type_


def read(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text)


def a_file(folder: Path, text: str, name: str = "note.txt") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_what_was_put_is_listed_and_fetched(typed: Typed, root: Path, tmp_path: Path) -> None:
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/letters/")
    typed("put", a_file(tmp_path, "top", "top.pdf"), "shop/top.pdf")

    assert read(typed("ls", "shop", "--json"))[0] == {"prefix": "letters/"}
    (letter, top) = read(typed("ls", "shop", "-r", "--json"))
    assert (letter["key"], letter["size"], top["key"]) == ("letters/note.txt", 3, "top.pdf")
    assert (root / "data/shop/letters/note.txt").read_text() == "one"
    typed("get", "shop/letters/note.txt", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "one"
    (bucket,) = read(typed("du", "--json"))
    assert (bucket["bucket"], bucket["objects"], bucket["bytes"]) == ("shop", 2, 6)


def test_what_ends_in_a_slash_is_a_folder(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/letters/")
    typed("cp", "shop/letters/note.txt", "shop/kept/")
    typed("cp", "shop/letters/note.txt", "shop")

    typed("get", "shop/kept/note.txt", f"{tmp_path}/new/folder/")
    typed("get", "shop/kept/note.txt", str(tmp_path / "new"))

    assert (tmp_path / "new/folder/note.txt").read_text() == "one"
    assert (tmp_path / "new/note.txt").read_text() == "one"
    keys = [row["key"] for row in read(typed("ls", "shop", "-r", "--json"))]
    assert keys == ["kept/note.txt", "letters/note.txt", "note.txt"]
    with pytest.raises(DayflyError, match=r"note\.txt: File exists"):
        typed("get", "shop/note.txt", f"{tmp_path}/note.txt/")


def test_an_earlier_version_comes_back(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop", "--versions")
    typed("put", a_file(tmp_path, "one"), "shop/a")
    typed("put", a_file(tmp_path, "two"), "shop/a")
    typed("rm", "shop/a")
    deleted, two, one = read(typed("versions", "shop/a", "--json"))

    assert (deleted["deleted"], two["size"]) == (True, 3)
    assert one["provenance"]["source"] == str(tmp_path / "note.txt")
    typed("restore", "shop/a", one["version"])
    typed("get", "shop/a", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "one"
    assert read(typed("versions", "shop/a", "--json"))[0]["restored_from"] == one["version"]


def test_a_fetch_goes_on_where_it_was(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop")
    version = read(typed("put", a_file(tmp_path, "a long letter"), "shop/a", "--json"))["version"]
    (row,) = read(typed("versions", "shop/a", "--json"))
    assert row["version"] == version
    with Repository(tmp_path / "archive", tmp_path / "archive/.dayfly/index").open(
        "shop", "a"
    ) as opened:
        part = tmp_path / f".back.{opened.version.uid}.part"
    part.write_text("a long")

    typed("get", "shop/a", str(tmp_path / "back"))

    assert (tmp_path / "back").read_text() == "a long letter"
    assert not part.exists()
    part.write_text("A LONG")
    with pytest.raises(DayflyError, match="what arrived is not what was put"):
        typed("get", "shop/a", str(tmp_path / "back"))
    assert not part.exists()


def test_what_is_no_file_is_written_into(typed: Typed, tmp_path: Path) -> None:
    """Never replaced by one: neither a pipe nor a link, and what somebody has open stays open."""
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/a")
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    (tmp_path / "to-pipe").symlink_to(pipe)
    link.symlink_to("file")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for target in (pipe, tmp_path / "to-pipe"):
        typed("get", "shop/a", str(target))
        assert (os.read(reader, 99), pipe.is_fifo()) == (b"one", True)
    os.close(reader)
    for before in ("", "longer than that"):
        if before:
            file.write_text(before)
        typed("get", "shop/a", str(link))
        assert (link.is_symlink(), file.read_text()) == (True, "one")
    with (tmp_path / "opened").open("a+") as opened:
        typed("get", "shop/a", f"/proc/self/fd/{opened.fileno()}")
        assert opened.seek(0) or opened.read() == "one"
    assert {path.name for path in tmp_path.iterdir() if path.name.endswith(".part")} == set()
    with pytest.raises(UsageError, match="standard output is for the object"):
        typed("get", "shop/a", "/dev/stdout", "--json")


def test_a_folder_is_imported_once(typed: Typed, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    (uploads / "in").mkdir(parents=True)
    a_file(uploads, "one", "ä b.txt")
    a_file(uploads / "in", "two")
    typed("create", "shop")

    assert read(typed("import", str(uploads), "shop/media", "--json"))["put"] == 2
    a_file(uploads / "in", "owt")
    again = read(typed("import", str(uploads), "shop/media", "--json"))
    assert (again["put"], again["same"]) == (1, 1)
    assert [each["key"] for each in read(typed("ls", "shop", "-r", "--json"))] == [
        "media/in/note.txt",
        "media/ä b.txt",
    ]
    (uploads / "link").symlink_to("/etc/passwd")
    told = read(typed("import", str(uploads), "shop/media", "--json", status=1))
    assert told["problems"] == [f"{uploads / 'link'}: is no ordinary file, and is left out"]


def test_one_writer_at_a_time_has_the_lease(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop")
    token = read(typed("lock", "shop/a", "--owner", "export", "--json"))["token"]

    with pytest.raises(LeasedError, match="export has the lease"):
        typed("put", a_file(tmp_path, "one"), "shop/a")
    typed("put", a_file(tmp_path, "one"), "shop/a", "--token", str(token))
    (row,) = read(typed("lock", "shop", "--json"))
    assert (row["key"], row["owner"]) == ("a", "export")
    typed("lock", "shop/a", "--release", str(token))
    said = typed("lock", "shop/a", "--run", "echo token $DAYFLY_LEASE_TOKEN; exit 3", status=3)
    assert said == f"token {token + 1}\n"
    assert read(typed("lock", "shop", "--json")) == []


def test_objects_are_found_by_name_and_time(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/Bill-7.txt")
    typed("put", a_file(tmp_path, "one"), "shop/letter.txt")

    def keys(*words: str) -> list[str]:
        return [each["key"] for each in read(typed("search", "shop", *words, "--json"))]

    assert keys("bill") == ["Bill-7.txt"]
    assert keys("*.txt", "-n", "1") == ["letter.txt"]
    assert keys("--since", "1h") == ["letter.txt", "Bill-7.txt"]
    assert keys("--provenance", f"source={tmp_path / 'note.txt'}") == ["letter.txt", "Bill-7.txt"]
    assert keys("--until", "1h") == []
    assert keys("--metadata", "by=nobody") == []


def test_damage_is_told_and_ends_with_1(typed: Typed, root: Path, tmp_path: Path) -> None:
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/a")
    assert typed("scrub") == "Nothing is damaged or missing.\n"
    path = root / "data/shop/a"
    before = path.stat()
    path.write_text("eno")
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))

    (found,) = read(typed("scrub", "shop", "--json", status=1))

    assert (found["key"], found["kind"], found["repaired"]) == ("a", "damaged", False)


def test_damage_is_repaired_from_a_mirror(typed: Typed, root: Path, tmp_path: Path) -> None:
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/a")
    copy = str(tmp_path / "copy")
    assert read(typed("mirror", copy, "--json")) == {"copied": 1, "bytes": 3}
    assert read(typed("mirror", copy, "--json")) == {"copied": 0, "bytes": 0}
    path = root / "data/shop/a"
    before = path.stat()
    path.write_text("eno")
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))

    (found,) = read(typed("scrub", "--from", copy, "--json"))

    assert (found["kind"], found["repaired"], path.read_text()) == ("damaged", True, "one")


@pytest.mark.parametrize("versions", [(), ("--versions",)])
def test_what_is_missing_comes_back_and_what_a_hand_changed_is_told(
    typed: Typed, root: Path, tmp_path: Path, versions: tuple[str, ...]
) -> None:
    typed("create", "shop", *versions)
    for key in ("missing", "cut", "whole"):
        typed("put", a_file(tmp_path, "one"), f"shop/{key}")
    copy = str(tmp_path / "copy")
    typed("mirror", copy)
    (root / "data/shop/missing").unlink()
    (root / "data/shop/cut").write_text("o")

    found = read(typed("scrub", "--from", copy, "--json"))

    told = [(each["key"], each["kind"], each["repaired"]) for each in found]
    assert told == [("cut", "changed by hand", False), ("missing", "missing", True)]
    assert (root / "data/shop/missing").read_text() == "one"
    typed("mirror", copy)
    assert (tmp_path / "copy/data/shop/missing").read_text() == "one"
    assert typed("scrub", "--from", copy) == "Nothing is damaged or missing.\n"


def test_a_bucket_whose_folder_is_missing_does_not_stop_the_others(
    typed: Typed, root: Path, tmp_path: Path
) -> None:
    copy = str(tmp_path / "copy")
    for bucket in ("gone", "shop"):
        typed("create", bucket)
        typed("put", a_file(tmp_path, "one"), f"{bucket}/a")
    typed("mirror", copy)
    typed("put", a_file(tmp_path, "two"), "shop/b")
    (root / "data/gone").rename(tmp_path / "aside")
    with pytest.raises(GoneError, match=r"data/gone: is not there.*all else is the same"):
        typed("mirror", copy)
    assert (tmp_path / "copy/data/gone/a").read_text() == "one"
    assert (tmp_path / "copy/data/shop/b").read_text() == "two"
    (root / "data/shop/b").unlink()

    found = read(typed("scrub", "--from", copy, "--json", status=1))

    told = [(each["bucket"], each["key"], each["kind"], each["repaired"]) for each in found]
    assert told == [("gone", "", "folder missing", False), ("shop", "b", "missing", True)]
    assert typed("scrub", status=1) == "folder missing  gone/\n"
    (tmp_path / "aside").rename(root / "data/gone")
    assert typed("scrub") == "Nothing is damaged or missing.\n"


def test_a_bucket_has_a_quota(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop")
    said = typed("limit", "shop", "--quota", "4B", "--trash", "30d")
    assert said == "shop holds 4B; what is deleted for good can be restored for 30d.\n"
    typed("put", a_file(tmp_path, "one"), "shop/a")
    with pytest.raises(NoRoomError):
        typed("put", a_file(tmp_path, "two"), "shop/b")


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("get", "shop/none"), NoSuchKeyError, "no such key"),
        (("rm", "shop/none"), NoSuchKeyError, "no such key"),
        (("rm", "shop/none", "--version", "zzz"), NoSuchVersionError, "has no version zzz"),
        (("get", "shop"), UsageError, "names no object"),
        (("put", "/nowhere/a", "shop/a"), DayflyError, "/nowhere/a: there is no such file"),
        (("put", "/tmp", "shop/a"), UsageError, "is a folder"),
        (("put", "-", "shop/"), UsageError, "standard input has no name"),
        (("versions", "shop/none"), DayflyError, "there is no such object"),
        (("search", "shop", "--since", "soon"), UsageError, "or how long ago: 2h"),
        (("lock", "shop/a", "--seconds", "0"), UsageError, "allowed is more than that"),
        (("lock", "shop/a", "--release", "9"), DayflyError, "nobody has a lease with token 9"),
        (("key", "create", "No Body"), DayflyError, "no name of an account"),
        (("key", "rm", "NONE"), DayflyError, "there is no access key NONE"),
    ],
)
def test_what_can_not_be_done_is_said(
    typed: Typed, words: tuple[str, ...], error: type[DayflyError], says: str
) -> None:
    typed("create", "shop")

    with pytest.raises(error) as caught:
        typed(*words)

    assert says in f"{caught.value.message} {caught.value.hint}"


def test_a_place_without_an_archive_is_no_new_one(tmp_path: Path) -> None:
    with pytest.raises(DayflyError, match="there is no archive"):
        run(["files", "ls", "--root", str(tmp_path / "mistyped")])
    assert not (tmp_path / "mistyped").exists()


def test_another_host_s_archive_is_refused() -> None:
    with pytest.raises(UsageError, match="acts on this host"):
        run(["-e", "staging", "files", "ls"])


def test_only_a_new_object_is_stored(typed: Typed, tmp_path: Path) -> None:
    typed("create", "shop")
    typed("put", a_file(tmp_path, "one"), "shop/a", "--new")
    with pytest.raises(ConditionError, match="is there"):
        typed("put", a_file(tmp_path, "two"), "shop/a", "--new")


def test_where_no_archive_can_be_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "etc"
    foreign.mkdir()
    (foreign / "passwd").write_text("not ours")
    with pytest.raises(DayflyError, match="neither empty nor an archive"):
        run(["files", "serve", str(foreign)])
    assert [each.name for each in foreign.iterdir()] == ["passwd"]
    with pytest.raises(DayflyError, match="neither empty nor an archive"):
        Repository(foreign, foreign / ".dayfly/index")
    assert [each.name for each in foreign.iterdir()] == ["passwd"]
    with pytest.raises(UsageError, match="no address to listen on"):
        run(["files", "serve", str(tmp_path / "new"), "--listen", "nonsense"])
    with pytest.raises(DayflyError, match="none: there is no archive"):
        run(["files", "key", "create", "ann", "--root", str(tmp_path / "none")])
    assert "answers at" not in capsys.readouterr().out


def test_a_mirror_lies_beside_the_archive(typed: Typed, root: Path) -> None:
    for target in (root, root / "copy", root.parent):
        with pytest.raises(DayflyError, match="lies within the archive, or the archive in it"):
            typed("mirror", str(target))
    assert not (root / "copy").exists()


@contextmanager
def served(folder: Path, listen: str) -> Iterator[None]:
    argv = [sys.executable, "-c", "from dayfly.cli import main; main()", "files", "serve"]
    with subprocess.Popen([*argv, str(folder), "--listen", listen]) as process:
        try:
            wait_until(lambda: answers(listen), seconds=30, what="the archive answers")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def answers(listen: str) -> bool:
    try:
        socket.create_connection(address_of(listen) or ("", 0), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_key_opens_the_archive_until_it_is_taken_back(tmp_path: Path, typed: Typed) -> None:
    listen = f"127.0.0.1:{free_port()}"
    with served(tmp_path / "archive", listen):
        key = read(typed("key", "create", "ann", "--json"))
        assert set(key) == {"access_key_id", "secret_access_key"}
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{listen}",
            region_name="us-east-1",
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
        )
        client.create_bucket(Bucket="pictures")
        client.put_object(Bucket="pictures", Key="a/b", Body=b"one")

        assert [each["key"] for each in read(typed("ls", "pictures", "-r", "--json"))] == ["a/b"]
        assert read(typed("du", "pictures", "--json"))[0]["owner"] == "ann"
        with pytest.raises(DayflyError, match="another process has the archive open"):
            typed("rebuild")
        listed = typed("key", "ls")
        assert key["access_key_id"] in listed
        assert key["secret_access_key"] not in listed
        file = tmp_path / "archive/.dayfly/accounts.json"
        assert file.stat().st_mode & 0o777 == 0o600

        typed("key", "rm", key["access_key_id"])
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            client.list_buckets()
    typed("rebuild")
    assert [each["key"] for each in read(typed("ls", "pictures", "-r", "--json"))] == ["a/b"]
