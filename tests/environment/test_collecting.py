"""Which files of a machine go into the archive, when, and as what."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dayfly.config.secrets import Secrets
from dayfly.environment import aside
from dayfly.environment.collecting import Collector
from dayfly.errors import DayflyError
from dayfly.files.gathering import files, key_of, leads, quiet
from dayfly.files.objects import Asked, Version
from dayfly.files.repository import Repository
from dayfly.files.tenants import Tenants
from workshop.rights import plain_user

NAME = "orders-7-export-1"
TOLD = """{"bucket":"exports","places":{"out/*.csv":"batch/","out/dark/*":"batch/"},
"app":"orders","release":7,"process":"export","job":true}"""


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return collector_in(tmp_path)


def collector_in(home: Path) -> Collector:
    (home / "secrets").mkdir()
    (home / "output" / NAME / "collect" / "out").mkdir(parents=True)
    (home / "output" / NAME / ".collect.json").write_text(TOLD)
    tenants = Tenants(
        root=home / "archive",
        index=home / "archive/.dayfly/index",
        accounts=home / "accounts.json",
        secrets=Secrets(home / "secrets"),
        endpoint=lambda: "http://127.0.0.1:9000",
    )
    return Collector(home / "output", tenants)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "output" / NAME / "collect" / "out"


def write(path: Path, text: str, *, ago: float) -> None:
    path.write_text(text)
    os.utime(path, (time.time() - ago, time.time() - ago))


def versions(collector: Collector) -> Iterator[Version]:
    repository = Repository(collector.tenants.root, collector.tenants.index)
    try:
        for entry in repository.list_versions("exports", Asked()).entries:
            yield repository.head("exports", entry.key, entry.id)
    finally:
        repository.close()


def test_a_file_is_taken_in_when_nobody_writes_it_any_more(collector: Collector, out: Path) -> None:
    write(out / "done.csv", "1", ago=60)
    write(out / "still.csv", "1", ago=1)
    write(out / "done.tmp", "1", ago=60)

    assert not collector.collect(NAME), "it may write more"

    (version,) = versions(collector)
    assert (version.key, version.description.owner) == ("batch/done.csv", "orders")
    told = version.description.provenance
    assert (told.release, told.machine, told.job) == ("7", NAME, "export")
    assert told.source == "out/done.csv"
    assert version.description.headers["content-type"] == "text/csv"


def test_what_ended_is_taken_in_whole_and_freed(collector: Collector, out: Path) -> None:
    write(out / "still.csv", "1", ago=0)
    (out.parents[1] / ".ended").touch()

    assert collector.collect(NAME)

    assert [each.key for each in versions(collector)] == ["batch/still.csv"]
    assert not out.exists()
    assert collector.collect(NAME), "there is nothing to do any more"


def test_a_change_is_a_newer_version_and_nothing_else_is(
    collector: Collector, out: Path, tmp_path: Path
) -> None:
    write(out / "a.csv", "1", ago=60)
    collector.collect(NAME)
    collector.collect(NAME)
    Collector(tmp_path / "output", collector.tenants).collect(NAME)  # after a restart
    assert len([*versions(collector)]) == 1

    write(out / "a.csv", "22", ago=30)
    collector.collect_all()

    assert [each.size for each in versions(collector)] == [2, 1]


def test_a_restart_makes_no_old_file_the_newest(
    collector: Collector, out: Path, tmp_path: Path
) -> None:
    write(out / "a.csv", "1", ago=60)
    collector.collect(NAME)
    (tmp_path / "output" / "other" / "collect" / "out").mkdir(parents=True)
    (tmp_path / "output" / "other" / ".collect.json").write_text(TOLD)
    write(tmp_path / "output" / "other" / "collect" / "out" / "a.csv", "22", ago=30)
    collector.collect_all()

    Collector(tmp_path / "output", collector.tenants).collect_all()

    assert [each.size for each in versions(collector)] == [2, 1]


def test_no_link_leads_out_of_a_machine(collector: Collector, out: Path, tmp_path: Path) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "a.csv").write_text("secret")
    (out / "link.csv").symlink_to(tmp_path / "shadow" / "a.csv")
    out.rename(out.with_name("real"))
    out.symlink_to(tmp_path / "shadow")
    os.mkfifo(out.with_name("real") / "pipe.csv")

    assert [*files(out.parent, str)] == []


def test_files_wait_where_the_archive_is_away(
    collector: Collector, out: Path, tmp_path: Path
) -> None:
    write(out / "a.csv", "1", ago=60)
    (out.parents[1] / ".ended").touch()
    (tmp_path / "archive").write_text("not a folder")
    with pytest.raises(DayflyError):
        collector.collect_all()
    assert (out / "a.csv").exists()

    (tmp_path / "archive").unlink()
    collector.collect_all()

    assert [each.key for each in versions(collector)] == ["batch/a.csv"]


@pytest.mark.parametrize(
    ("path", "places", "key"),
    [
        ("out/a.csv", {"out/*.csv": "batch/"}, "batch/a.csv"),
        ("out/a.csv", {"out/*.csv": ""}, "a.csv"),
        ("out/sub/a.csv", {"out/*.csv": "batch/"}, None),
        ("out/sub/a.csv", {"out/*/*.csv": "batch/"}, "batch/sub/a.csv"),
        ("out/fix.csv", {"out/fix.csv": "b/"}, "b/fix.csv"),
        ("out/a.pdf", {"out/*.csv": "c/", "out/*": "all/"}, "all/a.pdf"),
        ("out/A.CSV", {"out/*.csv": "c/"}, None),
    ],
)
def test_the_key_of_a_file(path: str, places: Mapping[str, str], key: str | None) -> None:
    assert key_of(path, places) == key


def test_what_no_key_can_name_lies_aside_and_holds_up_nothing(
    collector: Collector, out: Path, tmp_path: Path
) -> None:
    write(out / os.fsdecode(b"bad\xff.csv"), "1", ago=60)
    write(out / "z.csv", "2", ago=60)

    assert not collector.collect(NAME)
    assert [each.key for each in versions(collector)] == ["batch/z.csv"]
    (out.parents[1] / ".ended").touch()
    assert collector.collect(NAME)

    assert not out.exists()
    (lies,) = (tmp_path / "output" / ".left-out" / NAME).iterdir()
    assert (lies.read_text(), lies.name.partition("-")[2]) == ("1", "out%2Fbad%FF.csv")
    (told,) = aside.told(tmp_path / "output")
    assert told.startswith("1 file that a machine has finished could not be collected, by its name")


def test_a_machine_waits_for_files_that_can_not_be_read() -> None:
    with plain_user() as home:
        collector, out = collector_in(home), home / "output" / NAME / "collect" / "out"
        write(out / "a.csv", "1", ago=60)
        write(out / "b.csv", "precious", ago=60)
        (out / "b.csv").chmod(0)
        for each, mode in (("dark", 0o300), ("others", 0)):
            (out / each).mkdir()
            write(out / each / "c.csv", "precious", ago=60)
            (out / each).chmod(mode)
        (out.parents[1] / ".ended").touch()

        for _ in range(2):
            with pytest.raises(DayflyError, match="finished files can't be read") as met:
                collector.collect(NAME)
        assert "'out/b.csv': Permission denied, and 1 more" in met.value.message
        assert collector.problems == {NAME: f"{met.value.message} {met.value.hint}"}
        assert [each.key for each in versions(collector)] == ["batch/a.csv"]

        (out / "b.csv").chmod(0o600)
        (out / "dark").chmod(0o700)
        assert collector.collect(NAME), "what could not be seen is there now"
        keys = {each.key for each in versions(collector)}
        assert keys == {"batch/a.csv", "batch/b.csv", "batch/c.csv"}
        assert not collector.problems


@pytest.mark.parametrize(
    ("folder", "looked_into"),
    [("out", True), ("out/sub", True), ("out/a/b", False), ("other", False), ("out/sub/c", False)],
)
def test_only_folders_of_files_to_collect_are_looked_into(
    folder: str, *, looked_into: bool
) -> None:
    assert leads(["out/*.csv", "out/s*/*.csv"], folder) is looked_into


@pytest.mark.parametrize(
    ("changed", "by_kernel", "so"),
    [
        pytest.param(80, 100, True, id="unpacked just now with its old time"),
        pytest.param(95, 95, False, id="written just now"),
        pytest.param(200, 80, True, id="its time lies in the future"),
        pytest.param(200, 95, False, id="in the future, and written just now"),
    ],
)
def test_when_nobody_writes_into_a_file_any_more(changed: int, by_kernel: int, *, so: bool) -> None:
    second = 10**9
    assert quiet((1, changed * second, by_kernel * second, 7), 100 * second) is so
