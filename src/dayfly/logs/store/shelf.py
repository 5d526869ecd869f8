"""The sealed segments: which there are, who reads them, and what becomes of damaged ones."""

import mmap
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.logs.store.bloom import probe
from dayfly.logs.store.files import crc_of
from dayfly.logs.store.gaps import Gap, Gaps
from dayfly.logs.store.part import Sealed
from dayfly.logs.store.problems import StoreError
from dayfly.logs.store.segment import Index, Segment, read_index

MANIFEST, DAYS = "manifest.json", "days"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What counts: a segment that is not named here does not exist."""

    format: int = 1
    sealed: int = 0  # sequence of the last frame of the write-ahead log that is in a segment
    segments: list[Segment] = []


class DamagedError(StoreError):
    """A segment is not what was written."""


class Shelf:
    def __init__(self, folder: Path, gaps: Gaps) -> None:
        self._folder = folder
        self.days = folder / DAYS
        self.days.mkdir(exist_ok=True)
        self._lock = threading.Lock()
        self._pins: Counter[str] = Counter()
        self._leaving: dict[str, Segment] = {}
        self._indexes: dict[str, Index] = {}
        self.gaps = gaps
        self._probe = probe()
        self.manifest = _read(folder / MANIFEST)
        self._tidy()

    def _tidy(self) -> None:
        """Remove what a crash left, name what is gone."""
        named = {path for each in self.manifest.segments for path in self._paths(each)}
        for path in self.days.glob("*/*"):
            if path not in named:
                path.unlink()
        for each in self.manifest.segments:
            for path in self._paths(each):
                if not path.exists():
                    self.quarantine(each, f"{path.name} is gone")
                    break

    def _paths(self, segment: Segment) -> tuple[Path, Path]:
        return segment.path(self.days), segment.index(self.days)

    def change(
        self, *, add: Sequence[Segment] = (), remove: Sequence[Segment] = (), sealed: int = 0
    ) -> None:
        """Durable when it returns; the files of what was removed go when nobody reads them."""
        with self._lock:
            gone = {each.name for each in remove}
            kept = [each for each in self.manifest.segments if each.name not in gone]
            fresh = Manifest(sealed=sealed or self.manifest.sealed, segments=[*kept, *add])
            write_atomically(self._folder / MANIFEST, msgspec.json.encode(fresh))
            self.manifest = fresh
            self._leaving |= {each.name: each for each in remove}
            self._clear()

    def _clear(self) -> None:
        for name in [name for name in self._leaving if not self._pins[name]]:
            segment = self._leaving.pop(name)
            self._indexes.pop(name, None)
            for path in self._paths(segment):
                path.unlink(missing_ok=True)

    @contextmanager
    def pinned(self, segments: Sequence[Segment]) -> Iterator[None]:
        """Keep the files of segments until the end."""
        try:
            yield
        finally:
            with self._lock:
                self._pins.subtract(each.name for each in segments)
                self._clear()

    def pin(self) -> list[Segment]:
        """All segments as they are now; who pins them hands them to `pinned`."""
        with self._lock:
            self._pins.update(each.name for each in self.manifest.segments)
            return list(self.manifest.segments)

    def open(self, segment: Segment) -> Sealed:
        """Ready to be read; DamagedError when its bytes are not those that were written."""
        index = self._indexes.get(segment.name) or self._verified(segment)
        return Sealed(segment, segment.path(self.days), index, self._probe)

    def _verified(self, segment: Segment) -> Index:
        path, beside = self._paths(segment)
        try:
            data = _mapped(beside)
            if zlib.crc32(data) != segment.index_crc:
                raise DamagedError(f"{beside.name}: its checksum is not the one of the manifest")
            if crc_of(path) != segment.crc:
                raise DamagedError(f"{path.name}: its checksum is not the one of the manifest")
        except OSError as error:
            raise DamagedError(f"{path.name}: {error.strerror}") from error
        index = read_index(data)
        with self._lock:
            self._indexes[segment.name] = index
        return index

    def rest(self) -> None:
        """Give back the memory of filters that were looked into; the kernel has the files."""
        with self._lock:
            indexes = list(self._indexes.values())
        for index in indexes:
            index.release()

    def quarantine(self, segment: Segment, why: str) -> str:
        """Move a damaged segment aside, name it, and go on without it."""
        with self._lock:
            here = any(each.name == segment.name for each in self.manifest.segments)
        told = f"segment {segment.day}/{segment.name} ({segment.rows} records): {why}"
        if here:
            self.gaps.aside.mkdir(exist_ok=True)
            for path in self._paths(segment):
                if path.exists():
                    path.replace(self.gaps.aside / path.name)
            self.gaps.add(segment.name, Gap(told=told, first=segment.first, last=segment.last))
            self.change(remove=[segment])
        return told


def _mapped(path: Path) -> mmap.mmap:
    """A file that the kernel reads where it is asked for: filters of old days cost no memory."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise DamagedError(f"{path.name} is empty")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read(path: Path) -> Manifest:
    if not path.exists():
        return Manifest()
    try:
        found = typed.decode(path.read_bytes(), Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(
            f"{path}: {error}", hint="Bring the file back from a backup of this folder."
        ) from error
    if found.format != 1:
        raise StoreError(f"{path}: format {found.format}, this Dayfly knows format 1")
    return found
