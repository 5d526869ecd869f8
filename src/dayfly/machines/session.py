"""The processes of one machine of the process runtime: found, ended, and how they ended."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import DeadlineError, wait_until
from dayfly.command import reap
from dayfly.machines import proc
from dayfly.machines.cgroup import Cgroups
from dayfly.machines.ending import NEVER_STARTED, reason_of
from dayfly.machines.freezer import Freezer, Signals, halt
from dayfly.marked import marked

LAST_WORD = 1.0  # seconds the shim gets to record how the app ended, once all else is killed
PATIENCE = 5.0  # seconds for killed processes to be gone
POLL = 0.005


@dataclass(frozen=True)
class Session:
    """Led by the shim, whose pid, start and boot stand in the machine's folder."""

    name: str
    folder: Path
    cgroups: Cgroups

    def record(self, pid: int) -> None:
        found = proc.fact(pid)
        fresh = self.folder / "pid.new"
        fresh.write_text(f"{pid} {found.start if found else 0} {proc.boot()}")
        fresh.replace(self.folder / "pid")

    def shim(self) -> int | None:
        """Its pid while it lives; never that of a process that got the number later."""
        try:
            pid, start, boot = (self.folder / "pid").read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        found = proc.fact(int(pid))
        if found is None or found.start != int(start) or boot != proc.boot():
            return None
        if found.state in "ZX":
            reap(int(pid))
            return None
        return int(pid)

    def pids(self) -> tuple[int, ...]:
        if self.cgroups.version:
            return tuple(pid for pid in self.cgroups.pids(self.name) if proc.alive(pid))
        return self._search()

    def status(self) -> int | None:
        with suppress(FileNotFoundError):
            text = (self.folder / "state" / "status").read_text()
            if text.endswith("\n") and text.strip().isdecimal():
                return int(text)
        return None

    def reason(self) -> str:
        if not (self.folder / "pid").exists():
            return NEVER_STARTED
        return reason_of(self.status(), out_of_memory=self.cgroups.out_of_memory(self.name))

    @property
    def paused(self) -> bool:
        return self._freezer.frozen

    def pause(self) -> None:
        if not self.shim():
            return
        try:
            halt(self._freezer, self.name)
        except DeadlineError:
            self.resume()
            if self.shim():
                raise

    def resume(self) -> None:
        self._freezer.thaw()

    def end(self, grace: float, *, alone: bool) -> None:
        """SIGTERM to the main process, or with all around it; SIGKILL after `grace` seconds.

        What a main process leaves behind hears SIGTERM when that one has ended.
        """
        self.resume()
        deadline = time.monotonic() + grace
        for chosen in (self._main, self._all_but_shim)[0 if alone else 1 :]:
            _send(chosen(), signal.SIGTERM)
            _await_none(chosen, deadline - time.monotonic())
        self.kill()

    def kill(self) -> None:
        """The shim last, so that it can still record how the app ended.

        What is paused takes the signal before it goes on.
        """
        _send(self._all_but_shim(), signal.SIGKILL)
        self.resume()
        _await_none(self.pids, LAST_WORD)
        self.cgroups.kill(self.name)
        wait_until(self._is_killed, seconds=PATIENCE, what=f"the end of {self.name}", poll=POLL)

    @property
    def _freezer(self) -> Freezer | Signals:
        return self.cgroups.freezer(self.name) or Signals(self.pids)

    def _is_killed(self) -> bool:
        pids = self.pids()
        _send(pids, signal.SIGKILL)
        return not pids

    def _main(self) -> tuple[int, ...]:
        """The app itself: what the shim waits for."""
        shim = self.shim()
        return tuple(pid for pid in self.pids() if shim and _parent(pid) == shim)

    def _all_but_shim(self) -> tuple[int, ...]:
        shim = self.shim()
        return tuple(pid for pid in self.pids() if pid != shim)

    def _search(self) -> tuple[int, ...]:
        """Without a cgroup: the shim's session and descendants, and who carries the mark."""
        known = tuple(proc.facts())
        found = set(marked(self._marks()))
        if shim := self.shim():
            found |= {each.pid for each in known if each.session == shim}
            found |= set(proc.descendants(shim, known))
        return tuple(sorted(pid for pid in found if proc.alive(pid)))

    def _marks(self) -> tuple[bytes, bytes]:
        return (
            f"DAYFLY_MACHINE={self.name}".encode(),
            f"DAYFLY_ENVIRONMENT={self.cgroups.environment}".encode(),
        )


def _await_none(chosen: Callable[[], tuple[int, ...]], seconds: float) -> None:
    with suppress(DeadlineError):
        wait_until(lambda: not chosen(), seconds=max(0.0, seconds), what="the end", poll=POLL)


def _send(pids: tuple[int, ...], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _parent(pid: int) -> int | None:
    found = proc.fact(pid)
    return found.parent if found else None
