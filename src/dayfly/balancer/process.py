"""One running HAProxy: started, found again, watched by a pidfd, ended."""

import fcntl
import os
import select
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.balancer.accesslog import ACCESS_LOG
from dayfly.balancer.observed import read_info
from dayfly.balancer.render import ACCESS_LOG_VARIABLE, CONFIGURATION
from dayfly.balancer.runtime import NoAnswerError, command
from dayfly.command import CommandError, Setting, reap, start_detached

OFFER = "keeper.sock"  # where a starting HAProxy gets its listening sockets
OUTPUT = "haproxy.out"
PID = "haproxy.pid"
LAST_BYTES = 2000


@dataclass(frozen=True)
class Process:
    pid: int
    descriptor: int  # a pidfd: readable once the process has ended, whoever started it
    log: int | None = None  # the access log as it has it open; None when it is not our child

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)
        select.select([self.descriptor], [], [], 10)

    def end(self, seconds: float) -> None:
        """Let open requests finish for `seconds`, then end it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGUSR1)
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            self.kill()
        self.forget()

    def forget(self) -> None:
        reap(self.pid)
        os.close(self.descriptor)
        if self.log is not None:
            os.close(self.log)

    def appends(self, log: Path) -> bool:
        """Whether it writes at the end of its log, so that the log may be cut.

        HAProxy drops O_APPEND from the log when it writes its first line. We share the open file
        with a child and set the flag again; of an adopted HAProxy we can only look.
        """
        if self.log is not None:
            flags = fcntl.fcntl(self.log, fcntl.F_GETFL)
            fcntl.fcntl(self.log, fcntl.F_SETFL, flags | os.O_APPEND)
            return True
        with suppress(OSError):
            for link in Path(f"/proc/{self.pid}/fd").iterdir():
                if link.exists() and link.samefile(log):
                    return _flags(self.pid, link.name) & os.O_APPEND != 0
        return False


def start(folder: Path, program: str) -> Process:
    """Start HAProxy in its folder; it asks at `OFFER` for its sockets and outlives us."""
    with suppress(FileNotFoundError):
        (folder / OUTPUT).rename(folder / f"{OUTPUT}.1")
    log = os.open(folder / ACCESS_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.lseek(log, 0, os.SEEK_END)
    try:
        pid = start_detached(
            [program, "-db", "-f", CONFIGURATION, "-x", OFFER],
            output=folder / OUTPUT,
            setting=Setting(cwd=folder, env={ACCESS_LOG_VARIABLE: str(log)}, pass_fds=(log,)),
        )
    except CommandError:
        os.close(log)
        raise
    (folder / PID).write_text(f"{pid} {_start_time(pid)}\n")
    return _process(pid, log)


def find(folder: Path, environment: str) -> Process | None:
    """The HAProxy of this environment that runs already; one that does not answer is killed."""
    try:
        info = read_info(command(folder, "show info"))
    except NoAnswerError:
        info = {}
    if info.get("description") == f"dayfly {environment}":
        return _process(int(info["Pid"]))
    pid = _recorded(folder)
    if pid is not None:
        hanging = _process(pid)
        hanging.kill()
        hanging.forget()
    return None


def last_words(folder: Path) -> str:
    data = (folder / OUTPUT).read_bytes()[-LAST_BYTES:]
    lines = data.decode(errors="replace").splitlines()
    return " ".join(line for line in lines if "ALERT" in line) or "no word from it"


def _process(pid: int, log: int | None = None) -> Process:
    return Process(pid, os.pidfd_open(pid), log)


def _recorded(folder: Path) -> int | None:
    """The pid from the file, if that process is still the same one (its start time tells)."""
    with suppress(OSError, ValueError):
        pid, start_time = (folder / PID).read_text().split()
        if _start_time(int(pid)) == start_time:
            return int(pid)
    return None


def _start_time(pid: int) -> str:
    """In clock ticks since boot; the 22nd field, counted behind the name in parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def _flags(pid: int, number: str) -> int:
    """Of an open file of another process, as open(2) takes them."""
    text = Path(f"/proc/{pid}/fdinfo/{number}").read_text()
    return int(text.split("flags:", 1)[1].split()[0], 8)
