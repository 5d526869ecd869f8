"""Halts and wakes all processes of a machine, with a cgroup or by signals."""

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import wait_until
from dayfly.machines import proc

PATIENCE = 5.0  # seconds for the kernel to halt a process that waits for a disk
POLL = 0.005


@dataclass(frozen=True)
class Freezer:
    """Of one cgroup folder; version 1 has files of its own for it."""

    folder: Path

    @property
    def there(self) -> bool:
        return self._old.exists() or self._new.exists()

    @property
    def frozen(self) -> bool:
        with suppress(OSError):
            if self._old.exists():
                return self._old.read_text().strip() == "FROZEN"
            return "frozen 1" in (self.folder / "cgroup.events").read_text().splitlines()
        return False

    def freeze(self) -> None:
        self._write("FROZEN", "1")

    def thaw(self) -> None:
        self._write("THAWED", "0")

    @property
    def _old(self) -> Path:
        return self.folder / "freezer.state"

    @property
    def _new(self) -> Path:
        return self.folder / "cgroup.freeze"

    def _write(self, old: str, new: str) -> None:
        with suppress(OSError):  # its machine is gone; who waits for it to freeze is told so
            if self._old.exists():
                self._old.write_text(old)
            else:
                self._new.write_text(new)


@dataclass(frozen=True)
class Signals:
    """For a machine without a cgroup: each of its processes is told."""

    pids: Callable[[], Iterable[int]]

    @property
    def frozen(self) -> bool:
        found = [fact for pid in self.pids() if (fact := proc.fact(pid))]
        return bool(found) and all(fact.state in "TZX" for fact in found)

    def freeze(self) -> None:
        for pid in self.pids():
            _send(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.pids():
            if (fact := proc.fact(pid)) and fact.state == "T":
                _send(pid, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def halt(what: Freezer | Signals, name: str) -> None:
    """Again and again, since what is not halted yet may fork."""

    def halted() -> bool:
        what.freeze()
        return what.frozen

    wait_until(halted, seconds=PATIENCE, what=f"pausing {name}", poll=POLL)
