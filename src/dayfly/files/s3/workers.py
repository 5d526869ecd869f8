"""Several processes that take the connections of one address, and one that looks after them."""

import ctypes
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PAUSE_SECONDS = 1.0  # before one that ended is replaced, so that none dies in a loop
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Workers:
    """`work` is run in each process, with its number from 0 on; it is to end at SIGTERM."""

    number: int
    work: Callable[[int], None]
    grace: float
    _running: dict[int, tuple[int, float]] = field(default_factory=dict)  # number, and since when
    _ends: bool = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT, and then until all have ended."""
        for each in _ENDING:
            signal.signal(each, self._told)
        while not self._ends:
            numbers = {number for number, _ in self._running.values()}
            for number in set(range(self.number)) - numbers:
                self._start(number)
            self._wait()
        self._end()

    def _start(self, number: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._running[pid] = number, time.monotonic()
            return
        status = 1
        try:
            for each in _ENDING:
                signal.signal(each, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
            if os.getppid() == parent:
                self.work(number)
                status = 0
        finally:
            os._exit(status)

    def _wait(self) -> None:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pid = 0
        ended = self._running.pop(pid, None)
        if ended and not self._ends:
            time.sleep(max(0.0, PAUSE_SECONDS - (time.monotonic() - ended[1])))
        elif not self._ends:
            signal.sigtimedwait((signal.SIGCHLD,), 0.2)

    def _told(self, *_: object) -> None:
        self._ends = True

    def _end(self) -> None:
        self._tell(signal.SIGTERM)
        ends = time.monotonic() + self.grace
        while self._running and time.monotonic() < ends:
            self._reap()
            time.sleep(0.02)
        self._tell(signal.SIGKILL)

    def _reap(self) -> None:
        for pid in list(self._running):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self._running[pid]

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._running:
            os.kill(pid, number)
