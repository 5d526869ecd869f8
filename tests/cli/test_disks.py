"""`dayfly images vm`: a file, or none."""

import pytest

from cli.conftest import Terminal
from fake_server import FakeEnvironment


@pytest.fixture(autouse=True)
def _release(environment: FakeEnvironment) -> None:
    environment.receipts[3] = {"app": "orders", "release": 3}


def test_a_disk_is_written_whole_and_named_after_its_release(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.disk = b"QFI" * 1_000_000
    done = terminal.type("images", "vm", "3")
    assert done.returncode == 0
    assert "orders-3.qcow2  3 MB" in done.stdout
    assert (terminal.folder / "orders-3.qcow2").read_bytes() == environment.disk


def test_a_disk_that_is_not_made_leaves_nothing(terminal: Terminal) -> None:
    done = terminal.type("images", "vm", "3", "--size", "10MB", "-o", "disk.qcow2")
    assert done.returncode == 1
    assert "a disk of 10MB is too small" in done.stderr
    assert not [path for path in terminal.folder.iterdir() if "disk" in path.name]


def test_a_disk_that_can_not_be_written_is_told(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.disk = b"QFI"
    done = terminal.type("images", "vm", "3", "-o", "nowhere/disk.qcow2")
    assert done.returncode == 1
    assert "nowhere/.disk.qcow2.part: No such file or directory" in done.stderr
