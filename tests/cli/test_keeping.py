"""The trash, retention, and what happens, as a person types it about an archive that runs alone."""

import filecmp
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dayfly.cli.commands import run
from dayfly.clock import wait_until
from dayfly.errors import DayflyError, UsageError
from dayfly.files.objects import Asked
from dayfly.files.repository import Repository
from dayfly.files.s3.expiring import rules_of

Typed = Callable[..., str]
DAYFLY = "from dayfly.cli import main; main()"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    with closing(Repository(folder, folder / ".dayfly/index")) as repository:
        repository.create_bucket("shop", owner="dayfly")
    return folder


@pytest.fixture
def typed(root: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    def type_(*words: str) -> str:
        assert run(["files", *words, "--root", str(root)]) == 0
        return capsys.readouterr().out

    return type_


def put(root: Path, key: str, body: bytes) -> None:
    with (
        closing(Repository(root, root / ".dayfly/index")) as repository,
        repository.stage("shop") as staged,
    ):
        staged.write(body)
        repository.put(staged, key)


def test_what_was_deleted_for_good_comes_back_from_the_trash(typed: Typed, root: Path) -> None:
    typed("limit", "shop", "--trash", "30d")
    for body in (b"one", b"two!"):
        put(root, "a", body)
    put(root, "b", b"three")
    said = typed("rm", "shop/a")
    assert said == (
        "shop/a is deleted, and can be put back for 30d: `dayfly files trash ls shop` shows it\n"
    )
    typed("rm", "shop/b")
    three, two, one = json.loads(typed("trash", "ls", "shop", "--json"))

    assert [each["size"] for each in (three, two, one)] == [5, 4, 3]
    assert "a\n" in typed("trash", "ls", "shop/a")
    typed("trash", "restore", "shop/a")
    assert (root / "data/shop/a").read_bytes() == b"two!"
    typed("trash", "restore", "shop/a", one["uid"])
    assert (root / "data/shop/a").read_bytes() == b"one"
    assert typed("trash", "empty", "shop", "--older", "1h") == "0 versions are gone for good.\n"
    typed("trash", "empty", "shop")
    assert json.loads(typed("trash", "ls", "shop", "--json")) == []
    with pytest.raises(DayflyError, match="nothing of it lies in the trash"):
        typed("trash", "restore", "shop/b")


def test_how_long_a_bucket_keeps_things(typed: Typed, root: Path) -> None:
    assert typed("retain", "shop") == "Everything is kept.\n"
    typed("retain", "shop", "--versions", "30d", "--newest", "3", "--uploads", "7d")
    said = typed("retain", "shop/tmp/", "--expire", "2d")

    whole_, below_ = said.splitlines()
    assert whole_.startswith("deleted: superseded versions after 30 days, but the newest 3")
    assert whole_.endswith("unfinished uploads after 7 days")
    assert below_ == "deleted below tmp/: objects after 2 days"
    with closing(Repository(root, root / ".dayfly/index")) as repository:
        whole, below = rules_of(repository.bucket("shop"))
    assert (whole.older_days, whole.older_kept, whole.upload_days, whole.days) == (30, 3, 7, 0)
    assert (below.prefix, below.days) == ("tmp/", 2)
    typed("retain", "shop", "--off")
    assert len(json.loads(typed("retain", "shop", "--json"))) == 1
    assert typed("retain", "shop/tmp/", "--off") == "Everything is kept.\n"


@pytest.mark.parametrize("days", ["0d", "36h", "x"])
def test_rules_have_whole_days(typed: Typed, days: str) -> None:
    with pytest.raises(UsageError):
        typed("retain", "shop", "--expire", days)


def test_what_happens_is_told_as_it_happens(typed: Typed, root: Path) -> None:
    put(root, "in/before", b"0")
    said: list[Any] = []
    thread = threading.Thread(
        target=lambda: said.append(typed("watch", "shop/in/", "--after", "0", "-n", "3", "--json"))
    )
    thread.start()
    put(root, "out/x", b"1")
    put(root, "in/a", b"2")
    typed_rm = Repository(root, root / ".dayfly/index")
    typed_rm.delete("shop", "in/a")
    typed_rm.close()
    thread.join(20)

    rows = [json.loads(line) for line in said[0].splitlines()]
    assert [(each["kind"], each["key"]) for each in rows] == [
        ("put", "in/before"),
        ("put", "in/a"),
        ("removed", "in/a"),
    ]
    again = typed("watch", "shop", "--after", str(rows[1]["change"]), "-n", "1")
    assert "removed    in/a" in again


def test_a_limit_stays_until_it_is_lifted(typed: Typed) -> None:
    typed("limit", "shop", "--quota", "5GB")
    said = typed("limit", "shop", "--trash", "30d")
    assert said == "shop holds 5GB; what is deleted for good can be restored for 30d.\n"

    said = typed("limit", "shop", "--quota", "0B", "--trash", "0s")
    assert said == "shop holds as much as the disk has; what is deleted for good is gone at once.\n"


def test_a_large_file_goes_on_after_a_kill(typed: Typed, root: Path, tmp_path: Path) -> None:
    """What was stored of it is not stored again."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        for number in range(96):
            file.write(number.to_bytes(1) * (1 << 20))
    words = ["files", "put", str(large), "shop/large", "--root", str(root)]
    begun = subprocess.Popen([sys.executable, "-c", DAYFLY, *words])
    parts = root / ".dayfly/uploads/shop"
    wait_until(lambda: len(list(parts.glob("*/0*.json"))) > 1, seconds=60, what="parts", poll=0.005)
    begun.kill()
    assert begun.wait() == -signal.SIGKILL
    assert not (root / "data/shop/large").exists()
    (upload,) = parts.iterdir()
    stored = {path.name: path.stat().st_ino for path in upload.glob("0*-*")}

    with closing(Repository(root, root / ".dayfly/index")) as repository:
        (found,) = repository.list_uploads("shop", Asked()).uploads
        before = repository.list_parts(found).parts
        typed(*words[1:4])
        made = repository.head("shop", "large")
    assert (made.parts[: len(before)], made.size) == (before, 96 << 20)
    assert filecmp.cmp(root / "data/shop/large", large, shallow=False)
    assert len(stored) >= len(before) >= 2
    assert not any(parts.iterdir())
