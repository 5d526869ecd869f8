"""Files that machines have finished go into the archive, by what their app says of them."""

import os
import shutil
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

import msgspec

from dayfly.durable import translated, write_atomically
from dayfly.environment import aside
from dayfly.errors import DayflyError
from dayfly.files.errors import LeasedError
from dayfly.files.gathering import (
    ChangedError,
    Found,
    Stamp,
    UnreadError,
    files,
    key_of,
    leads,
    quiet,
    store,
    type_of,
    unseen_says,
)
from dayfly.files.keys import unfit
from dayfly.files.objects import Description, Provenance
from dayfly.files.tenants import Tenants
from dayfly.logs.forwarder.starting import ENDED
from dayfly.machines.collected import FOLDER, TOLD, Collected, told
from dayfly.stored import read_json

DONE = ".taken-in.json"  # which files, beside what is told of them
ROUND_SECONDS = 2.0


class CollectError(DayflyError):
    """Something in a machine's folders could not be looked at."""


@dataclass
class Collector:
    """A file that changes after it was collected is collected again, as a newer version.

    What could not be looked at is not taken for collected: its machine waits, and that is told.
    """

    output: Path
    tenants: Tenants
    problems: dict[str, str] = field(default_factory=dict)  # by machine, of its last time
    _known: dict[str, dict[str, Stamp]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def collect(self, name: str) -> bool:
        """Take in what a machine has finished; whether nothing more will come of it.

        DayflyError where the archive does not take it, or it can't be read; it stays where it is.
        """
        with self._lock:
            try:
                done = self._collected(name)
            except DayflyError as error:
                self.problems[name] = f"{error.message} {error.hint}".strip()
                raise
            self.problems.pop(name, None)
            return done

    def collect_all(self) -> None:
        """Of machines that run, and what is left of others; the last error that one of them met."""
        met: DayflyError | None = None
        names = {path.parent.name for path in self.output.glob(f"*/{TOLD}")}
        for gone in self.problems.keys() - names:
            self.problems.pop(gone, None)
        for name in sorted(names):
            try:
                self.collect(name)
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
        look = _Look(folder / FOLDER, wanted)
        fresh = {path for path, stamp in look.finished(ended=ended) if known.get(path) != stamp}
        if fresh:
            self._put(name, look, fresh, known, ended=ended)
        look.refuse_unseen()
        if not ended:
            return False
        self._lay_aside(name, look)
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

    def _put(
        self,
        name: str,
        look: "_Look",
        fresh: Container[str],
        known: dict[str, Stamp],
        *,
        ended: bool,
    ) -> None:
        wanted = look.wanted
        self.tenants.access(wanted.app, wanted.bucket)
        held: LeasedError | None = None  # one that somebody holds keeps no other waiting
        with self.tenants.opened() as repository:
            for found in look.files():
                try:
                    if found.path in fresh:
                        described = _described(name, wanted, found)
                        store(repository, wanted.bucket, found, described, moving=ended)
                        known[found.path] = found.stamp
                except LeasedError as error:
                    held = error
                except ChangedError:
                    continue  # it is not finished, then
                except UnreadError as error:
                    look.unread[found.path] = error.message
                finally:
                    os.close(found.descriptor)
        write_atomically(self.output / name / DONE, msgspec.json.encode(known))
        if held:
            raise held

    def _lay_aside(self, name: str, look: "_Look") -> None:
        """What no key can name: it is kept for a person, and its machine need not wait."""
        for found in look.files():
            try:
                if unfit(found.key):
                    aside.lay(self.output, name, found.path, found.descriptor)
            finally:
                os.close(found.descriptor)
        look.refuse_unseen()


@dataclass
class _Look:
    """Into a machine's folders, as far as files to collect may lie there; what can't be read."""

    folder: Path
    wanted: Collected
    unread: dict[str, str] = field(default_factory=dict)

    def files(self) -> Iterator[Found]:
        places = self.wanted.places
        return files(
            self.folder,
            partial(key_of, places=places),
            leads=partial(leads, places),
            unseen=self._miss,
        )

    def finished(self, *, ended: bool) -> Iterator[tuple[str, Stamp]]:
        for found in self.files():
            os.close(found.descriptor)
            if (ended or quiet(found.stamp, time.time_ns())) and not unfit(found.key):
                yield found.path, found.stamp

    def refuse_unseen(self) -> None:
        if not self.unread:
            return
        first, *others = self.unread.values()
        more = f", and {len(others)} more" if others else ""
        raise CollectError(
            f"finished files can't be read: {first}{more}.",
            hint=f"They stay in {self.folder}, and the machine waits: let the server read them, "
            "or take them away.",
        )

    def _miss(self, path: str, error: OSError) -> None:
        self.unread[path] = unseen_says(path, error)


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
