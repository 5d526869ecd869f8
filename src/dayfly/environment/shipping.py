"""Machines are retired when the log store has their last line, and the archive their files.

Until then what has ended waits.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dayfly.clock import Stop
from dayfly.durable import translated
from dayfly.environment import aside
from dayfly.environment.collecting import Collector
from dayfly.images.image import Image
from dayfly.logs.forwarder import checkpoint as checkpoints
from dayfly.logs.forwarder.checkpoint import Checkpoint
from dayfly.logs.forwarder.rotated import PACKED
from dayfly.logs.forwarder.starting import ENDED, MACHINE, OUTPUT
from dayfly.machines.machine import Fingerprint, Machine, Runtime, Spec, Usage
from dayfly.rounds import Told

ROUND_SECONDS = 0.5
USUAL_SECONDS = 5.0  # until the last lines of a machine are in
MOST_WAITING = 200  # beyond it the one that waits longest goes; its output stays until it is in
UNSEEN_SECONDS = 60.0  # a file that is not found in this time is none that is forwarded
FILES = "files"


class ShippingRuntime:
    """One contract for all runtimes: see `machine.Runtime`.

    `remove` ends a machine at once and for whoever looks; what it held is freed when its lines are
    in the log store. That takes a moment, or as long as the store is away.
    """

    def __init__(self, runtime: Runtime, forwarder: Path, collector: Collector) -> None:
        self.inner = runtime
        self.collector = collector
        self._forwarder = forwarder
        self._told = Told("collecting")
        self._waiting = {
            machine.name for machine in runtime.machines() if self._ended(machine.name).exists()
        }

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def notes(self) -> tuple[str, ...]:
        return self.inner.notes

    @property
    def waiting(self) -> tuple[str, ...]:
        """Machines that have ended, and whose lines the store does not have yet."""
        return tuple(sorted(self._waiting))

    @property
    def late(self) -> tuple[str, ...]:
        """Those that wait longer than the forwarder usually takes."""
        now = time.time()
        return tuple(name for name in self.waiting if now - self._since(name) > USUAL_SECONDS)

    def launch(self, spec: Spec) -> Machine:
        return self.inner.launch(spec)

    def machines(self) -> tuple[Machine, ...]:
        return tuple(each for each in self.inner.machines() if each.name not in self._waiting)

    def pause(self, name: str) -> None:
        self.inner.pause(name)

    def resume(self, name: str) -> None:
        self.inner.resume(name)

    def stop(self, name: str, grace: float) -> None:
        self.inner.stop(name, grace)

    def remove(self, name: str) -> None:
        if not (self.inner.output(name) / MACHINE).exists():
            self.inner.remove(name)
            return
        self.inner.stop(name, 0)
        with translated(self._ended(name)):
            self._ended(name).touch()
        self._waiting.add(name)

    def run(
        self,
        spec: Spec,
        *,
        on_line: Callable[[str], None],
        stop: Stop | None = None,
        seconds: float | None = None,
    ) -> int:
        return self.inner.run(spec, on_line=on_line, stop=stop, seconds=seconds)

    def output(self, name: str) -> Path:
        return self.inner.output(name)

    def forget(self, name: str) -> None:
        """Only what the log store has; the rest is asked for again."""
        if self._is_in(name, checkpoints.load(self._forwarder)):
            self.inner.forget(name)

    def usage(self, name: str) -> Usage | None:
        return self.inner.usage(name)

    def fingerprint(self, name: str, image: Image, mutable: Sequence[str]) -> Fingerprint:
        return self.inner.fingerprint(name, image, mutable)

    def pids(self, name: str) -> tuple[int, ...]:
        return self.inner.pids(name)

    def retire(self) -> None:
        """Remove those that wait no longer, and the oldest of too many."""
        if not self._waiting:
            return
        known = checkpoints.load(self._forwarder)
        waiting = sorted(self._waiting, key=self._since)
        surplus = waiting[: max(0, len(waiting) - MOST_WAITING)]
        for name in waiting:
            if name in surplus or self._is_in(name, known):
                self._retire(name)

    def retire_all(self) -> None:
        """Whether their lines are in or not: their output stays until it is."""
        for name in self.waiting:
            self._retire(name)

    def _retire(self, name: str) -> None:
        self.inner.remove(name)
        self._waiting.discard(name)
        self._told.problems.pop(name, None)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is in the way of the files of machines."""
        met = {**self.collector.problems, **self._told.problems}
        told = (f"{name}: {why}" for name, why in met.items())
        return (*told, *aside.told(self.collector.output))

    def _is_in(self, name: str, known: Checkpoint) -> bool:
        """Its lines in the log store, its finished files in the archive."""
        collected = False

        def collect() -> None:
            nonlocal collected
            collected = self.collector.collect(name)

        if self._is_shipped(name, known):
            self._told.guard(name, collect)
        return collected

    def _is_shipped(self, name: str, known: Checkpoint) -> bool:
        folder = self.inner.output(name)
        if not (folder / MACHINE).exists():
            return True
        long_ago = time.time() - self._since(name) > UNSEEN_SECONDS
        for path in _files(folder):
            shipped = checkpoints.shipped(known, path)
            other = shipped == "unseen" and path.name != OUTPUT and long_ago
            if shipped != "whole" and not other:
                return False
        return True

    def _since(self, name: str) -> float:
        """When it ended; one that has not, has just now."""
        try:
            return self._ended(name).stat().st_mtime
        except FileNotFoundError:
            return time.time()

    def _ended(self, name: str) -> Path:
        return self.inner.output(name) / ENDED


def _files(folder: Path) -> Iterator[Path]:
    """What the forwarder reads of a machine."""
    yield folder / OUTPUT
    for path in (folder / FILES).rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix not in PACKED:
            yield path
