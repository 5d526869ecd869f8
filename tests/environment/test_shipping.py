"""What a machine wrote is kept until the log store has it."""

import os
import time
from pathlib import Path

import pytest

from dayfly.config.secrets import Secrets
from dayfly.environment import shipping
from dayfly.environment.collecting import Collector
from dayfly.environment.shipping import ShippingRuntime
from dayfly.files.tenants import Tenants
from dayfly.logs.forwarder import checkpoint as checkpoints
from dayfly.logs.forwarder.checkpoint import Checkpoint
from dayfly.machines.process import ProcessRuntime

NAME = "orders-1-web-1"


def collector_in(home: Path) -> Collector:
    archive = home / "archive"
    tenants = Tenants(
        root=archive,
        index=archive / ".dayfly/index",
        accounts=home / "accounts.json",
        secrets=Secrets(home / "secrets"),
        endpoint=lambda: "http://127.0.0.1:9000",
    )
    (home / "secrets").mkdir()
    return Collector(home / "output", tenants)


@pytest.fixture
def runtime(tmp_path: Path) -> ShippingRuntime:
    """With the output of a machine that is gone."""
    inner, collector = ProcessRuntime(tmp_path, "0123abcd"), collector_in(tmp_path)
    made = ShippingRuntime(inner, tmp_path / "forwarder", collector)
    (tmp_path / "forwarder").mkdir()
    folder = made.output(NAME)
    (folder / "files" / "log").mkdir(parents=True)
    (folder / ".machine.json").write_text('{"app":"orders","release":1,"process":"web"}')
    (folder / ".ended").touch()
    (folder / "output.log").write_text("said\n")
    (folder / "files" / "log" / "app.log").write_text("written\n")
    return made


def ship(runtime: ShippingRuntime, tmp_path: Path, *names: str) -> None:
    """The store has all of these files."""
    known = Checkpoint()
    for name in names:
        path = runtime.output(NAME) / name
        found = path.stat()
        position = known.register(path, str(path), found)
        position.read = position.acknowledged = found.st_size
    checkpoints.save(tmp_path / "forwarder", checkpoints.encoded(known))


def test_output_is_forgotten_only_when_all_of_it_is_in_the_store(
    runtime: ShippingRuntime, tmp_path: Path
) -> None:
    runtime.forget(NAME)
    assert runtime.output(NAME).exists()
    ship(runtime, tmp_path, "output.log")
    runtime.forget(NAME)
    assert runtime.output(NAME).exists()

    ship(runtime, tmp_path, "output.log", "files/log/app.log")
    with (runtime.output(NAME) / "output.log").open("a") as file:
        file.write("more\n")
    runtime.forget(NAME)
    assert runtime.output(NAME).exists()

    ship(runtime, tmp_path, "output.log", "files/log/app.log")
    runtime.forget(NAME)
    assert not runtime.output(NAME).exists()


def test_a_file_that_is_never_forwarded_is_not_waited_for_for_ever(
    runtime: ShippingRuntime, tmp_path: Path
) -> None:
    (runtime.output(NAME) / "files" / "log" / "app.log.1.gz").write_bytes(b"packed")
    ship(runtime, tmp_path, "output.log")
    long_ago = time.time() - shipping.UNSEEN_SECONDS - 1
    os.utime(runtime.output(NAME) / ".ended", (long_ago, long_ago))

    runtime.forget(NAME)

    assert not runtime.output(NAME).exists()


def test_output_that_no_forwarder_knows_of_goes_as_it_always_did(runtime: ShippingRuntime) -> None:
    (runtime.output(NAME) / ".machine.json").unlink()

    runtime.forget(NAME)

    assert not runtime.output(NAME).exists()


COLLECT = '{"bucket":"orders","places":{"out/*.csv":"batch/"},"app":"orders","release":1}'


def test_a_machine_waits_until_its_files_are_in_the_archive(
    runtime: ShippingRuntime, tmp_path: Path
) -> None:
    folder = runtime.output(NAME)
    (folder / ".collect.json").write_text(COLLECT)
    (folder / "collect" / "out").mkdir(parents=True)
    (folder / "collect" / "out" / "a.csv").write_text("1,2\n")
    ship(runtime, tmp_path, "output.log", "files/log/app.log")
    (tmp_path / "archive").write_text("no folder")

    runtime.forget(NAME)
    assert (folder / "collect/out/a.csv").exists()

    (tmp_path / "archive").unlink()
    runtime.forget(NAME)
    assert not folder.exists()
    assert (tmp_path / "archive/data/orders/batch/a.csv").read_text() == "1,2\n"


def test_why_files_are_not_in_is_told_once(
    runtime: ShippingRuntime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ship(runtime, tmp_path, "output.log", "files/log/app.log")
    told = '{"bucket":"exports","places":{"out/*":"batch/"},"app":"orders","release":1}'
    (runtime.output(NAME) / ".collect.json").write_text(told)
    (runtime.output(NAME) / "collect" / "out").mkdir(parents=True)
    (runtime.output(NAME) / "collect" / "out" / "a.csv").write_text("1")
    (tmp_path / "archive").write_text("not a folder")

    for _ in range(3):
        runtime.forget(NAME)

    assert runtime.output(NAME).exists()
    (problem,) = runtime.problems
    assert problem.startswith(f"{NAME}: {tmp_path}/archive")
    assert len(caplog.records) == 1
