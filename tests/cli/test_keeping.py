"""The trash, retention, and what happens, as a person types it about an archive that runs alone."""

import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dayfly.cli.commands import run
from dayfly.errors import DayflyError, UsageError
from dayfly.files.repository import Repository
from dayfly.files.s3.expiring import rules_of

Typed = Callable[..., str]


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
    typed("rm", "shop/a")
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
