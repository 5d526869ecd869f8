"""The one place that starts programs."""

import os
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from dayfly.clock import Stop
from dayfly.errors import DayflyError

TAIL_LINES = 20
POLL_SECONDS = 0.1
KILL_GRACE_SECONDS = 5.0
CHUNK = 65536
SHOWN = 100  # characters of a command in a message


class CommandError(DayflyError):
    """A program could not be started, failed, or took too long. `tail` holds its last lines."""

    def __init__(self, message: str, *, status: int | None = None, tail: str = "") -> None:
        super().__init__(message, hint=tail)
        self.status = status
        self.tail = tail


@dataclass(frozen=True)
class Completed:
    """How a program ended. `status` is negative for a signal, as in `subprocess`."""

    status: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Under which circumstances a program runs. `uid` needs root."""

    cwd: Path | None = None
    env: Mapping[str, str] | None = None  # the whole environment; None inherits ours
    uid: int | None = None
    gid: int | None = None
    pass_fds: tuple[int, ...] = ()
    stdin: int | None = None  # a file descriptor; None is /dev/null
    umask: int = -1


ORDINARY = Setting()


@dataclass
class _Lines:
    """Of one program: bytes in, whole lines out; remembers the last ones."""

    argv: Sequence[str]
    on_line: Callable[[str], None] | None
    tail: list[str] = field(default_factory=list)
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._take(line)

    def close(self) -> None:
        if self._rest:
            self._take(self._rest)
            self._rest = b""

    def _take(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip("\r")
        self.tail = [*self.tail[-(TAIL_LINES - 1) :], line]
        if self.on_line:
            self.on_line(line)


def which(program: str) -> str | None:
    """Where `program` lies; the sbin folders count, although a plain user's PATH lacks them."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    return shutil.which(program, path=path)


def output_of(argv: Sequence[str], *, setting: Setting = ORDINARY, seconds: float = 60) -> str:
    """What a quick program prints; CommandError with its words when it fails."""
    with _translated(argv):
        done: subprocess.CompletedProcess[bytes] = subprocess.run(  # noqa: PLW1510 - checked below, with its own words
            argv, capture_output=True, timeout=seconds, **_popen_arguments(setting)
        )
    if done.returncode != 0:
        raise _failed(argv, done.returncode, (done.stderr or done.stdout).decode(errors="replace"))
    return done.stdout.decode(errors="replace")


def run(
    argv: Sequence[str],
    *,
    setting: Setting = ORDINARY,
    on_line: Callable[[str], None] | None = None,
    stop: Stop | None = None,
    seconds: float | None = None,
    check: bool = True,
) -> Completed:
    """Run a program to its end, its stdout and stderr line by line into `on_line`.

    The program leads a process group of its own; a stop or the end of `seconds` ends the group,
    with SIGKILL for what is left. `output` keeps the last lines only.
    """
    stop = stop or Stop()
    lines = _Lines(argv, on_line)
    with started(argv, setting=setting) as process:
        try:
            _read_until_end(process, lines, stop, seconds)
        finally:
            end_group(process)
            lines.close()
    tail = "\n".join(lines.tail)
    if check and process.returncode != 0:
        raise _failed(argv, process.returncode, tail)
    return Completed(process.returncode, tail)


@contextmanager
def started(
    argv: Sequence[str], *, setting: Setting = ORDINARY
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program with its output in a pipe; reaped on the way out."""
    with _translated(argv):
        process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **_popen_arguments(setting),
        )
    try:
        yield process
    finally:
        if process.stdout:
            process.stdout.close()
        process.wait()


def start_detached(argv: Sequence[str], *, output: Path, setting: Setting = ORDINARY) -> int:
    """Start a program that outlives us, its output appended to a file; returns its pid.

    It is our child until we end, so whoever waits for pids sees it; `reap` avoids a zombie.
    """
    with _translated(argv), output.open("ab") as log:
        process = subprocess.Popen(
            argv, stdout=log, stderr=log, start_new_session=True, **_popen_arguments(setting)
        )
    process.returncode = 0  # ours no longer: keeps Popen from warning when it is forgotten
    return process.pid


@dataclass(frozen=True)
class Connected:
    """A program that runs with our socket's other end as its input and output."""

    socket: socket.socket
    _process: subprocess.Popen[bytes]
    _said: IO[bytes]

    def ended(self, *, seconds: float) -> Completed | None:
        """How it ended and what it said of errors; None where it still runs after so long."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._said.seek(0)
        return Completed(status, self._said.read(CHUNK).decode(errors="replace"))


@contextmanager
def connected(argv: Sequence[str]) -> Iterator[Connected]:
    """A program to talk with; it is ended on the way out."""
    ours, theirs = socket.socketpair()
    with ours, TemporaryFile() as said:
        with theirs, _translated(argv):
            process = subprocess.Popen(
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=said,
                start_new_session=True,
            )
        try:
            yield Connected(ours, process, said)
        finally:
            ours.close()
            end_group(process)


def reap(pid: int) -> int | None:
    """The exit status of an ended child of ours; None while it runs or when it is not ours."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if done else None


def end_group(process: subprocess.Popen[bytes], grace: float = KILL_GRACE_SECONDS) -> None:
    """End a program and all it started: SIGTERM, then SIGKILL after `grace` seconds."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
    _signal_group(process.pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # the group is gone, and its number may belong to somebody else by now


def _read_until_end(
    process: subprocess.Popen[bytes], lines: _Lines, stop: Stop, seconds: float | None
) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    pipe = _pipe_of(process)
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            stop.check()
            if deadline is not None and time.monotonic() > deadline:
                raise CommandError(
                    f"{_shown(lines.argv)}: not done within {seconds:g} s",
                    tail="\n".join(lines.tail),
                )
            if not selector.select(POLL_SECONDS):
                if process.poll() is not None:
                    return  # ended, though a child of it still holds the pipe
                continue
            data = os.read(pipe.fileno(), CHUNK)
            if not data:
                process.wait()
                return
            lines.feed(data)


def _pipe_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise ValueError("started without a pipe")
    return process.stdout


@contextmanager
def _translated(argv: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise CommandError(f"{argv[0]}: no such program") from error
    except OSError as error:
        raise CommandError(f"{argv[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{_shown(argv)}: not done within {error.timeout:g} s") from error


def _failed(argv: Sequence[str], status: int, tail: str) -> CommandError:
    how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    last = "\n".join(tail.strip().splitlines()[-TAIL_LINES:])
    return CommandError(f"{_shown(argv)}: {how}", status=status, tail=last)


def _shown(argv: Sequence[str]) -> str:
    words = " ".join(argv)
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"


def _popen_arguments(setting: Setting) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "cwd": setting.cwd,
        "env": setting.env,
        "stdin": subprocess.DEVNULL if setting.stdin is None else setting.stdin,
        "pass_fds": setting.pass_fds,
        "umask": setting.umask,
    }
    if setting.uid is not None:
        arguments |= {"user": setting.uid, "group": setting.gid or setting.uid, "extra_groups": []}
    return arguments
