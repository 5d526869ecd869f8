"""What a machine wrote is kept until the log store has it."""

import os
import time
from pathlib import Path

import pytest

from dayfly.environment import shipping
from dayfly.environment.shipping import ShippingRuntime
from dayfly.logs.forwarder import checkpoint as checkpoints
from dayfly.logs.forwarder.checkpoint import Checkpoint
from dayfly.machines.process import ProcessRuntime

NAME = "orders-1-web-1"


@pytest.fixture
def runtime(tmp_path: Path) -> ShippingRuntime:
    """With the output of a machine that is gone."""
    made = ShippingRuntime(ProcessRuntime(tmp_path, "0123abcd"), tmp_path / "forwarder")
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
