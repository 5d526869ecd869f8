"""Directories that all machines of an app share, kept in the archive with every version.

files/mounts/APP/PATH.json   what is known of one, PATH as in a URL
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import msgspec

from dayfly.durable import translated, write_atomically
from dayfly.environment.followed import (
    Followed,
    Known,
    Look,
    LookError,
    Place,
    Waits,
    gone,
    look_into,
)
from dayfly.environment.mounts import Mount, clashes, served
from dayfly.errors import DayflyError
from dayfly.files.errors import LeasedError
from dayfly.files.gathering import ChangedError, Found, UnreadError, files, store, type_of
from dayfly.files.objects import Description, Provenance
from dayfly.files.store import Store
from dayfly.files.tenants import Tenants
from dayfly.rounds import Told
from dayfly.stored import read_json

ROUND_SECONDS = 2.0
REST = 20  # times what a round took: looking takes no more than a twentieth of a core


@dataclass
class Mounting:
    """What was put, changed or deleted in a directory is so in the archive, some seconds later.

    A deletion is a delete marker: what was there can be restored. Nothing is taken to be deleted
    that could not be looked at, nor because the directory is missing or another one than before.
    What was written is from the release that served then, by the kernel's clock; when something
    was deleted nobody knows, so that is from the one that serves.
    """

    state: Path
    tenants: Tenants
    mounts: Callable[[], Iterable[Mount]]
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _told: Told = field(default_factory=lambda: Told("mounting"))
    _said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _waits: dict[str, Waits] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """Of the last round: what is in the way of a directory, and of files in one."""
        met = [f"{about}: {problem}" for about, problem in self._told.problems.copy().items()]
        said = [f"{about}: {each}" for about, all_ in self._said.copy().items() for each in all_]
        return (*met, *said)

    def round(self) -> None:
        began = self.clock()
        if began < self._next:
            return
        mounts = {mount.about: mount for mount in self.mounts()}
        clashing = clashes(mounts.values())
        if clashing:  # who has a prefix already keeps it
            clashing = clashes(sorted(mounts.values(), key=self._is_new))
        for kept in (self._told.problems, self._said, self._waits):
            for about in kept.keys() - mounts.keys():
                kept.pop(about, None)
        for about, mount in mounts.items():  # what is in the way of one holds up no other
            self._told.guard(about, partial(self._follow, mount, clashing.get(about)))
        ended = self.clock()
        self._next = ended + REST * (ended - began)

    def _is_new(self, mount: Mount) -> bool:
        with suppress(DayflyError):
            return self._read(mount) is None
        return False

    def _path(self, mount: Mount) -> Path:
        name = quote(str(PurePosixPath(mount.path)), safe="")
        return self.state / mount.app / f"{name}.json"

    def _follow(self, mount: Mount, clash: str | None) -> None:
        if clash:
            self._said.pop(mount.about, None)
            raise LookError(clash)
        look, followed = look_into(mount), self._read(mount)
        if look is None:
            self._said[mount.about] = _missing(mount, followed)
            return
        waits = self._waits.setdefault(mount.about, Waits())
        before = followed.folder if followed else None
        followed = followed or Followed(place=self._place(mount), folder=look.folder)
        lost = gone(followed.known, look.present, look.unread)
        other = bool(lost) and not followed.folder.is_whole_in(look.folder)
        if not (other or look.unread):
            followed.folder = look.folder
        fresh = waits.fresh(followed.known, look.present, self.clock())
        deleted = set[str]() if other else lost
        try:
            if fresh or deleted or followed.folder != before:
                self._take_in(mount, followed, look, fresh, deleted)
        finally:
            another = _another(self._path(mount), len(lost)) if other else ()
            self._said[mount.about] = (*_said(look, waits, self.clock()), *another)

    def _place(self, mount: Mount) -> Place:
        return Place(store=self.tenants.store, bucket=mount.bucket, prefix=mount.prefix)

    def _read(self, mount: Mount) -> Followed | None:
        """None of another place: nothing of it is in this one yet."""
        path = self._path(mount)
        if not path.exists():
            return None
        found = read_json(path, Followed)
        return found if found.place == self._place(mount) else None

    def _take_in(
        self,
        mount: Mount,
        followed: Followed,
        look: Look,
        fresh: Collection[str],
        deleted: Collection[str],
    ) -> None:
        path = self._path(mount)
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if fresh or deleted:
                self.tenants.access(mount.app, mount.bucket)
                with self.tenants.opened() as repository:  # one that is held keeps no other waiting
                    held = [
                        *self._put(repository, mount, followed.known, look, fresh),
                        *_delete(repository, mount, followed.known, deleted),
                    ]
                if held:
                    raise held[-1]
        finally:
            write_atomically(path, msgspec.json.encode(followed))

    def _put(
        self, repository: Store, mount: Mount, known: Known, look: Look, fresh: Collection[str]
    ) -> Iterator[LeasedError]:
        waits = self._waits[mount.about]
        for found in files(mount.folder, mount.key, unseen=look.miss):
            try:
                if found.path in fresh and waits.is_due(found.path, found.stamp, self.clock()):
                    store(repository, mount.bucket, found, _described(mount, found))
                    known[found.path] = found.stamp
                    waits.stored(found.path)
            except LeasedError as error:
                yield error
            except ChangedError:
                continue  # it is read again when it is due again
            except UnreadError as error:
                look.unread[found.path] = error.message
            finally:
                os.close(found.descriptor)


def _delete(
    repository: Store, mount: Mount, known: Known, names: Collection[str]
) -> Iterator[LeasedError]:
    for name in names:
        try:
            repository.delete(mount.bucket, mount.key(name), by=_origin(mount, mount.release))
            del known[name]
        except LeasedError as error:
            yield error


def _said(look: Look, waits: Waits, moment: float) -> Iterator[str]:
    yield from _counted("left out of the archive by its name", [*look.unnamed.values()])
    unread = [*look.unread.values()]
    yield from _counted("can't be read, and is in the archive as it was before", unread)
    unsteady = waits.unsteady(look.present, moment)
    yield from _counted("written all the time, and not in the archive as it is now", unsteady)


def _missing(mount: Mount, followed: Followed | None) -> tuple[str, ...]:
    if not (followed and followed.known):
        return ()
    return (f"{mount.folder} is missing; what it had stays in the archive.",)


def _another(path: Path, number: int) -> tuple[str, ...]:
    missing = "1 file that was there is" if number == 1 else f"{number} files that were there are"
    says = (
        "it is another directory than before, or one below it is not mounted: "
        f"{missing} not, and stay in the archive. If it is to be so, remove {path}: "
        "it is followed anew then, and `dayfly files rm` takes out what it has no more."
    )
    return (says,)


def _counted(says: str, each: list[str]) -> Iterator[str]:
    if each:
        yield f"{says}: {each[0]}" + (f", and {len(each) - 1} more" if each[1:] else "")


def _described(mount: Mount, found: Found) -> Description:
    changed = os.fstat(found.descriptor).st_ctime  # which no program can set, unlike st_mtime
    return Description(
        owner=mount.app,
        headers={"content-type": type_of(found.key)},
        provenance=_origin(mount, served(mount, changed)),
    )


def _origin(mount: Mount, release: int) -> Provenance:
    return Provenance(who=mount.app, release=str(release), source=mount.path)
