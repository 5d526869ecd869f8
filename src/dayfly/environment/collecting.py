"""Files that machines have finished go into the archive, by what their app says of them."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

import msgspec

from dayfly.durable import translated, write_atomically
from dayfly.environment import aside
from dayfly.errors import DayflyError
from dayfly.files.errors import LeasedError
from dayfly.files.gathering import Found, Stamp, files, key_of, store, type_of
from dayfly.files.keys import unfit
from dayfly.files.objects import Description, Provenance
from dayfly.files.tenants import Tenants
from dayfly.logs.forwarder.starting import ENDED
from dayfly.machines.collected import FOLDER, TOLD, Collected, told
from dayfly.stored import read_json

DONE = ".collected.json"  # which files, beside what is told of them
ROUND_SECONDS = 2.0
FINISHED_SECONDS = 10.0  # for which nobody has written into a file of a machine that runs


@dataclass
class Collector:
    """A file that changes after it was collected is collected again, as a newer version."""

    output: Path
    tenants: Tenants
    _known: dict[str, dict[str, Stamp]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def collect(self, name: str) -> bool:
        """Take in what a machine has finished; whether nothing more will come of it.

        FilesError where the archive does not take it; it stays where it is, then.
        """
        with self._lock:
            return self._collected(name)

    def collect_all(self) -> None:
        """Of machines that run, and what is left of others; the last error that one of them met."""
        met: DayflyError | None = None
        for path in sorted(self.output.glob(f"*/{TOLD}")):
            try:
                self.collect(path.parent.name)
            except DayflyError as error:
                met = error
        if met:
            raise met

    def _collected(self, name: str) -> bool:
        folder = self.output / name
        wanted = told(folder)
        if wanted is None:
            return True
        ended = (folder / ENDED).exists()
        known = self._known.get(name) or self._read(name)
        fresh = [
            path
            for path, stamp in self._finished(folder, wanted, ended=ended)
            if known.get(path) != stamp
        ]
        if fresh:
            self._put(name, wanted, frozenset(fresh), known)
        if not ended:
            return False
        self._lay_aside(name, wanted)
        with translated(folder):
            (folder / TOLD).unlink()
            (folder / DONE).unlink(missing_ok=True)
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
        self._known.pop(name, None)
        return True

    def _read(self, name: str) -> dict[str, Stamp]:
        path = self.output / name / DONE
        self._known[name] = read_json(path, dict[str, Stamp]) if path.exists() else {}
        return self._known[name]

    def _finished(
        self, folder: Path, wanted: Collected, *, ended: bool
    ) -> Iterator[tuple[str, Stamp]]:
        before = time.time_ns() - int(FINISHED_SECONDS * 1e9)
        for found in files(folder / FOLDER, partial(key_of, places=wanted.places)):
            os.close(found.descriptor)
            if (ended or found.stamp[1] < before) and not unfit(found.key):
                yield found.path, found.stamp

    def _put(
        self, name: str, wanted: Collected, fresh: frozenset[str], known: dict[str, Stamp]
    ) -> None:
        self.tenants.access(wanted.app, wanted.bucket)
        held: LeasedError | None = None  # one that somebody holds keeps no other waiting
        with self.tenants.opened() as repository:
            for found in files(self.output / name / FOLDER, partial(key_of, places=wanted.places)):
                try:
                    if found.path in fresh:
                        store(repository, wanted.bucket, found, _described(name, wanted, found))
                        known[found.path] = found.stamp
                except LeasedError as error:
                    held = error
                finally:
                    os.close(found.descriptor)
        write_atomically(self.output / name / DONE, msgspec.json.encode(known))
        if held:
            raise held

    def _lay_aside(self, name: str, wanted: Collected) -> None:
        """What no key can name: it is kept for a person, and its machine need not wait."""
        for found in files(self.output / name / FOLDER, partial(key_of, places=wanted.places)):
            try:
                if unfit(found.key):
                    aside.lay(self.output, name, found.path, found.descriptor)
            finally:
                os.close(found.descriptor)


def _described(machine: str, wanted: Collected, found: Found) -> Description:
    return Description(
        owner=wanted.app,
        headers={"content-type": type_of(found.key)},
        provenance=Provenance(
            who=wanted.app,
            release=str(wanted.release),
            machine=machine,
            job=wanted.process if wanted.job else "",
            source=found.path,
        ),
    )
