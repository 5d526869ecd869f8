"""Systemd's journal as a file that is read like every other one, each entry in it once.

Every line says where in the journal it stands, so the next run goes on behind the last one.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.clock import Stop
from dayfly.command import run
from dayfly.durable import translated, write_atomically
from dayfly.errors import StoppedError
from dayfly.logs.forwarder.checkpoint import acknowledged
from dayfly.rounds import Told

FOLDER, FILE = "journal", "journal.log"
LARGEST = 64 * 1024 * 1024
BLOCK = 1 << 16
AGAIN_SECONDS = 5.0  # after journalctl ended
_FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,SYSLOG_FACILITY,_COMM,_PID,_HOSTNAME,_SYSTEMD_UNIT"


class _Place(msgspec.Struct):
    cursor: str = msgspec.field(name="__CURSOR", default="")


class Journal:
    """`folder` is the forwarder's; `source` a folder of journals, else the system's is read."""

    def __init__(self, folder: Path, *, source: str = "") -> None:
        self._state = folder
        self._path = folder / FOLDER / FILE
        self._source = source
        self._descriptor = -1
        self._size = 0

    def prepare(self) -> None:
        """Before anybody reads the file: a line that a kill has torn is written anew."""
        with translated(self._path):
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
            begun = self._path.with_name("begun")
            if not begun.exists():
                write_atomically(begun, f"{time.time():.6f}")
            if self._path.exists():
                os.truncate(self._path, _end_of_lines(self._path))

    def follow(self, stop: Stop) -> None:
        """Until a stop is requested. What is missing while journalctl is away comes later."""
        told = Told("journal")
        with suppress(StoppedError):
            while not stop.requested:
                told.guard("journalctl", self._once(stop))
                stop.wait(AGAIN_SECONDS)

    def _once(self, stop: Stop) -> Callable[[], None]:
        def one() -> None:
            with translated(self._path):
                self._open()
            try:
                run(self._argv(), on_line=lambda line: self._take(line, stop), stop=stop)
            finally:
                os.close(self._descriptor)

        return one

    def _argv(self) -> list[str]:
        """Merged, as it follows the last boot alone else, and the end of the one before is lost."""
        argv = ["journalctl", "--follow", "--merge", "--output=json", "--all"]
        argv += ["--no-pager", "--quiet"]
        argv += [f"--output-fields={_FIELDS}"]
        argv += [f"--directory={self._source}"] if self._source else []
        if cursor := self._cursor():
            return [*argv, "--no-tail", f"--after-cursor={cursor}"]
        since = self._path.with_name("begun").read_text()
        return [*argv, "--no-tail", f"--since=@{since}"]

    def _cursor(self) -> str:
        """Of the last line that is whole."""
        for path in (self._path, self._older):
            line = _last_line(path)
            if line:
                return typed.decode(line, _Place).cursor
        return ""

    @property
    def _older(self) -> Path:
        return self._path.with_name(f"{FILE}.1")

    def _open(self) -> None:
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, how, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _take(self, line: str, stop: Stop) -> None:
        if not line.startswith("{"):
            return  # what journalctl itself has to say
        if self._size > LARGEST:
            self._begin_anew(stop)
        raw = line.encode(errors="replace") + b"\n"
        os.write(self._descriptor, raw)
        self._size += len(raw)

    def _begin_anew(self, stop: Stop) -> None:
        """The journal keeps what comes while the store does not have the file before."""
        while self._older.exists() and not acknowledged(self._state, self._older):
            stop.wait(1.0)
        self._path.replace(self._older)
        os.close(self._descriptor)
        self._open()


def _last_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            data, position = b"", size
            while position and data.rstrip(b"\n").count(b"\n") == 0:
                position = max(0, position - BLOCK)
                file.seek(position)
                data = file.read(size - position)
    except FileNotFoundError:
        return b""
    return data.rstrip(b"\n").rpartition(b"\n")[2]


def _end_of_lines(path: Path) -> int:
    """Behind the last line that ends."""
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        while position:
            begin = max(0, position - BLOCK)
            file.seek(begin)
            found = file.read(position - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            position = begin
    return 0
