import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dayfly.durable import FileError, locked, write_atomically


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a longer text than the one that replaces it")

    write_atomically(path, "new\n", mode=0o600)

    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path] == list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()

    with pytest.raises(FileError, match="folder"):
        write_atomically(path, "text")

    assert [path] == list(tmp_path.iterdir())


def test_no_folder_to_write_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"missing.*No such file"):
        write_atomically(tmp_path / "missing" / "file", "text")


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While one writer replaces a file again and again, each read finds one whole version."""
    path = tmp_path / "state"
    versions = ["a" * 50_000, "b" * 70_000]
    write_atomically(path, versions[0])
    done = threading.Event()

    def write() -> None:
        for n in range(30):
            write_atomically(path, versions[n % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(path.read_text())
    writer.join()

    assert seen <= set(versions)


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    """A process that is killed while it holds a lock does not block the next one."""
    program = (
        "import sys, time, pathlib\n"
        "from dayfly.durable import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "lock"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    with locked(tmp_path / "lock"):
        pass
