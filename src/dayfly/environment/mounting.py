"""Directories that all machines of an app share, kept in the archive with every version."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

import msgspec

from dayfly.config.app import App
from dayfly.durable import translated, write_atomically
from dayfly.files.errors import LeasedError
from dayfly.files.gathering import QUIET_SECONDS, Found, Stamp, files, store, type_of
from dayfly.files.keys import unfit
from dayfly.files.objects import Description, Provenance
from dayfly.files.tenants import Tenants
from dayfly.release.work import Parts
from dayfly.rounds import Told
from dayfly.stored import read_json

ROUND_SECONDS = 2.0
REST = 20  # times what a round took: looking takes no more than a twentieth of a core

Known = dict[str, Stamp]


@dataclass(frozen=True, kw_only=True)
class Mount:
    """`path` is that of dayfly.toml, `folder` where it lies; keys begin with the prefix.

    `turns` tell when which release began to serve, in seconds since the epoch, oldest first.
    """

    app: str
    release: int
    turns: tuple[tuple[float, int], ...] = ()
    bucket: str
    path: str
    folder: Path
    prefix: str


@dataclass
class Mounting:
    """What was put, changed or deleted in a directory is so in the archive, some seconds later.

    A deletion is a delete marker: what was there can be restored. Of a directory that is missing
    nothing is taken to be deleted. What was written is from the release that served then, by the
    kernel's clock; when something was deleted nobody knows, so that is from the one that serves.
    """

    state: Path
    tenants: Tenants
    mounts: Callable[[], Iterable[Mount]]
    _next: float = 0.0
    _told: Told = field(default_factory=lambda: Told("mounting"))
    _left_out: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """Of the last round: what is in the way of a directory, and files that no key can name."""
        met = [f"{about}: {problem}" for about, problem in self._told.problems.copy().items()]
        return (*met, *self._left_out.copy().values())

    def round(self) -> None:
        began = time.monotonic()
        if began < self._next:
            return
        mounts = {f"{mount.app}: {mount.path}": mount for mount in self.mounts()}
        for about in (self._told.problems.keys() | self._left_out.keys()) - mounts.keys():
            self._told.problems.pop(about, None)
            self._left_out.pop(about, None)
        for about, mount in mounts.items():  # what is in the way of one holds up no other
            if mount.folder.is_dir():
                self._told.guard(about, partial(self._follow, mount, about))
        ended = time.monotonic()
        self._next = ended + REST * (ended - began)

    def _follow(self, mount: Mount, about: str) -> None:
        path = self.state / f"{mount.app}-{quote(mount.path, safe='')}.json"
        known = read_json(path, Known) if path.exists() else {}
        present, unnamed = _present(mount)
        self._tell_left_out(about, unnamed)
        before = time.time_ns() - int(QUIET_SECONDS * 1e9)
        fresh = {
            name
            for name, stamp in present.items()
            if known.get(name) != stamp and stamp[1] < before
        }
        gone = known.keys() - present.keys()
        if fresh or gone:
            with translated(self.state):
                self.state.mkdir(exist_ok=True)
            try:
                self._write(mount, known, fresh, gone)
            finally:
                write_atomically(path, msgspec.json.encode(known))

    def _tell_left_out(self, about: str, unnamed: list[str]) -> None:
        if not unnamed:
            self._left_out.pop(about, None)
            return
        more = f", and {len(unnamed) - 1} more" if unnamed[1:] else ""
        self._left_out[about] = f"{about}: left out of the archive by its name: {unnamed[0]}{more}"

    def _write(
        self, mount: Mount, known: Known, fresh: Collection[str], gone: Collection[str]
    ) -> None:
        self.tenants.access(mount.app, mount.bucket)
        held: LeasedError | None = None  # one that somebody holds keeps no other waiting
        with self.tenants.opened() as repository:
            for found in files(mount.folder, partial(_key, mount)):
                try:
                    if found.path in fresh:
                        store(repository, mount.bucket, found, _described(mount, found))
                        known[found.path] = found.stamp
                except LeasedError as error:
                    held = error
                finally:
                    os.close(found.descriptor)
            for name in gone:
                try:
                    origin = _origin(mount, mount.release)
                    repository.delete(mount.bucket, _key(mount, name), by=origin)
                    del known[name]
                except LeasedError as error:
                    held = error
        if held:
            raise held


@dataclass
class Serving:
    """The mounts of what serves, by the settings of its release."""

    parts: Parts
    _apps: dict[int, App] = field(default_factory=dict)

    def mounts(self) -> Iterator[Mount]:
        for name in self.parts.balancer.routing().serving:
            number = self.parts.serving(name)
            if number is not None:
                yield from self._of(number)

    def _of(self, number: int) -> Iterator[Mount]:
        if number not in self._apps:
            self._apps[number] = self.parts.app_of(self.parts.journal.release(number))
        app = self._apps[number]
        for path, prefix in app.files.mount_places.items():
            yield Mount(
                app=app.app,
                release=number,
                turns=self._turns(app.app),
                bucket=self.parts.archive.bucket_of(app),
                path=path,
                folder=self.parts.home.keep(app.app, path),
                prefix=prefix,
            )

    def _turns(self, app: str) -> tuple[tuple[float, int], ...]:
        events = self.parts.journal.told(app, "cutover")
        return tuple((event.time, event.release) for event in events if event.release)


def _present(mount: Mount) -> tuple[Known, list[str]]:
    """Files by path, and those that no key can name, each with why."""
    present, unnamed = Known(), list[str]()
    for found in files(mount.folder, partial(_key, mount)):
        os.close(found.descriptor)
        if why := unfit(found.key):
            unnamed.append(f"{found.path[:200]!a} ({why[:200]})")
        else:
            present[found.path] = found.stamp
    return present, unnamed


def _key(mount: Mount, path: str) -> str:
    return f"{mount.prefix}{path}"


def _described(mount: Mount, found: Found) -> Description:
    changed = os.fstat(found.descriptor).st_ctime  # which no program can set, unlike st_mtime
    return Description(
        owner=mount.app,
        headers={"content-type": type_of(found.key)},
        provenance=_origin(mount, served(mount, changed)),
    )


def served(mount: Mount, moment: float) -> int:
    """The release that served then."""
    began = [release for time, release in mount.turns if time <= moment]
    return began[-1] if began else mount.release


def _origin(mount: Mount, release: int) -> Provenance:
    return Provenance(who=mount.app, release=str(release), source=mount.path)
