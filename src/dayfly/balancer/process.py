"""One running HAProxy: started, found again, watched by a pidfd, ended."""

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
from dayfly.command import Setting, reap, start_detached

OFFER = "keeper.sock"  # where a starting HAProxy gets its listening sockets
OUTPUT = "haproxy.out"
PID = "haproxy.pid"
LAST_BYTES = 2000


@dataclass(frozen=True)
class Process:
    pid: int
    descriptor: int  # a pidfd: readable once the process has ended, whoever started it

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


def start(folder: Path, program: str) -> Process:
    """Start HAProxy in its folder; it asks at `OFFER` for its sockets and outlives us."""
    log = os.open(folder / ACCESS_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        pid = start_detached(
            [program, "-db", "-f", CONFIGURATION, "-x", OFFER],
            output=folder / OUTPUT,
            setting=Setting(cwd=folder, env={ACCESS_LOG_VARIABLE: str(log)}, pass_fds=(log,)),
        )
    finally:
        os.close(log)
    (folder / PID).write_text(f"{pid} {_start_time(pid)}\n")
    return Process(pid, os.pidfd_open(pid))


def find(folder: Path, environment: str) -> Process | None:
    """The HAProxy of this environment that runs already; one that does not answer is killed."""
    pid = _recorded(folder)
    if pid is None:
        return None
    found = Process(pid, os.pidfd_open(pid))
    try:
        info = read_info(command(folder, "show info"))
    except NoAnswerError:
        info = {}
    if info.get("Pid") == str(pid) and info.get("description") == f"dayfly {environment}":
        return found
    found.kill()
    found.forget()
    return None


def last_words(folder: Path) -> str:
    data = (folder / OUTPUT).read_bytes()[-LAST_BYTES:]
    lines = data.decode(errors="replace").splitlines()
    return " ".join(line for line in lines if "ALERT" in line) or "no word from it"


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
