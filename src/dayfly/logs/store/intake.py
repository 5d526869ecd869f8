"""From a body to the disk and to memory."""

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from dayfly.clock import SECOND
from dayfly.logs.store import wal
from dayfly.logs.store.batches import Batches
from dayfly.logs.store.files import free_bytes, zstd
from dayfly.logs.store.frame import frame_of
from dayfly.logs.store.gaps import Gap, Gaps
from dayfly.logs.store.line import Line, UntimedError, read, read_apart, written
from dayfly.logs.store.memory import MOST_LINES, Memory
from dayfly.logs.store.packed import packed, unpacked
from dayfly.logs.store.part import Hot
from dayfly.logs.store.problems import StoreFullError
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.wanted import EARLIEST

BEHIND = 4  # times the rows of a segment, not sealed yet: nothing more is taken
WAIT_SECONDS = 10.0
WAL, BATCHES = "wal", "batches"


class Intake:
    """Records that are acknowledged and not sealed yet."""

    def __init__(
        self,
        folder: Path,
        sealed: int,
        settings: Settings,
        now: Callable[[], float],
        still_needed: Callable[[], int],
        gaps: Gaps,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._now = now
        self._still_needed = still_needed
        self._gaps = gaps
        self._sealed = sealed
        self.state = threading.Condition()  # guards memory, and what is being sealed
        self._memory = Memory()
        self._sealing: list[Hot] = []
        self._sealing_text = 0
        self._batches = Batches(folder / BATCHES, now())
        (folder / WAL).mkdir(exist_ok=True)
        last = self._replay(sealed)
        self._wal = wal.Wal(folder / WAL, last + 1, self._take_in)
        self.tidy()  # what a kill left

    def _replay(self, sealed: int) -> int:
        paths = wal.files(self._folder / WAL)
        done = set(wal.ended(self._folder / WAL, sealed))
        last = sealed
        for path in paths:
            if path in done:
                continue
            damaged, times = list[wal.Damage](), list[int]()
            for frame in wal.replay(path, last=path == paths[-1], damaged=damaged):
                if frame.sequence > sealed:
                    times += _filled(frame)
                    self._take_in([frame])
                times.append(round(frame.arrived * SECOND))
                last = max(last, frame.sequence)
            last = max(last, wal.first_of(path))  # a name that was given is not given again
            for each in damaged:
                self._keep_aside(each, times)
        return last

    def _keep_aside(self, damage: wal.Damage, times: Sequence[int]) -> None:
        """What is lost has the times of what is around it, as far as anybody can know."""
        path = damage.path
        self._gaps.aside.mkdir(exist_ok=True)
        shutil.copy(path, self._gaps.aside)
        told = f"write-ahead log {path.name}: {damage.lost} bytes at {damage.position} are damaged"
        first = min(times, default=EARLIEST)
        gap = Gap(told=told, first=first, last=max(*times, path.stat().st_mtime_ns, first))
        self._gaps.add(f"{path.name}-{damage.position}", gap)

    def append(self, body: bytes, batch: str, known: Sequence[Line] | None = None) -> int:
        """`known` are the lines of the body where somebody has them."""
        with self._batches.once(batch) as fresh:
            if fresh and known is None:
                body, known = self._read(body)
            lines = known if fresh and known else ()
            if not lines:
                return 0
            columns = frame_of(lines) if len(lines) >= MOST_LINES else None
            self._commit(body, batch, lines, columns)
            return len(lines)

    def _read(self, body: bytes) -> tuple[bytes, Sequence[Line]]:
        """What has no time of its own gets this moment, for good."""
        try:
            return body, read_apart(body)
        except UntimedError:
            lines = read_apart(body, round(self._now() * SECOND))
            return written(lines), lines

    def append_frame(self, columns: pl.DataFrame, batch: str) -> int:
        with self._batches.once(batch) as fresh:
            if not (fresh and columns.height):
                return 0
            self._commit(packed(columns), batch, (), columns)
            return columns.height

    def _commit(
        self, body: bytes, batch: str, lines: Sequence[Line], columns: pl.DataFrame | None
    ) -> None:
        self._check_room()
        small = zstd.compress(body, 1)
        frame = wal.Frame(batch=batch, body=small, arrived=self._now(), size=len(body))
        frame.lines, frame.columns = lines, columns
        self._wal.commit(frame)

    @property
    def full(self) -> bool:
        """Whether the disk has no room for more."""
        return free_bytes(self._folder) < self._settings.reserve

    def _check_room(self) -> None:
        free = free_bytes(self._folder)
        if free < self._settings.reserve:
            raise StoreFullError(
                f"nothing was taken: {free} bytes are free, {self._settings.reserve} are reserved",
                hint="Make room on the disk, or keep less: [logs] retention.",
            )
        with self.state:
            if not self.state.wait_for(lambda: self._behind < BEHIND, WAIT_SECONDS):
                raise StoreFullError(f"nothing was taken: {self.rows} records wait to be sealed")

    @property
    def _behind(self) -> float:
        """How many segments what waits would make."""
        text = self._memory.text + self._sealing_text
        return max(self.rows / self._settings.rows, text / self._settings.text)

    def _take_in(self, group: Sequence[wal.Frame]) -> None:
        with self.state:
            for frame in group:
                self._memory.add(frame.lines, frame.columns, frame.size)
                frame.lines, frame.columns = (), None
                if frame.batch:
                    self._batches.remember(frame.batch, frame.arrived)

    @property
    def rows(self) -> int:
        return self._memory.rows + sum(part.frame.height for part in self._sealing)

    @property
    def enough(self) -> bool:
        """Whether there is as much as makes a segment, and nothing is being sealed."""
        with self.state:
            return not self._sealing and self._behind >= 1

    @property
    def due(self) -> bool:
        with self.state:
            old = self._memory.age >= self._settings.seconds
            return bool(self._sealing) or self._behind >= 1 or old

    def parts(self) -> list[Hot]:
        """All of it; call it with `state` held."""
        return [*self._sealing, *self._memory.parts()]

    def to_seal(self) -> tuple[int, list[Hot]]:
        """What is here now, and the sequence of its last frame; it stays searchable."""
        last = self._wal.rotate(self._move)
        self._batches.save(self._now())
        return last, list(self._sealing)

    def _move(self) -> None:
        with self.state:
            self._sealing_text += self._memory.text
            self._sealing += self._memory.take()

    def forget(self, last: int, in_manifest: Callable[[], None]) -> None:
        """What `to_seal` gave is sealed; nobody sees it twice or not at all."""
        with self.state:
            in_manifest()
            self._sealing, self._sealing_text = [], 0
            self.state.notify_all()
        self._sealed = last
        self.tidy()

    def tidy(self) -> None:
        """Remove what is sealed from the write-ahead log, and what nobody else waits for."""
        self._wal.remove_until(min(self._sealed, self._still_needed() - 1))

    @property
    def durable(self) -> int:
        """Sequence of the last frame that is on disk."""
        return self._wal.durable

    def erase(self, change: Callable[[bytes], bytes]) -> None:
        """Change the bodies that are sealed and wait for somebody else."""
        self._wal.rewrite_until(self._sealed, change)

    def close(self) -> None:
        self._wal.close()


def _filled(frame: wal.Frame) -> tuple[int, int]:
    """Read what it has; the times between which that lies."""
    body = frame.unpacked()
    frame.size, frame.columns = len(body), unpacked(body)
    if frame.columns is not None:
        hot = Hot.of(frame.columns)
        return hot.first, hot.last
    frame.lines = read(body)
    times = [line.time for line in frame.lines]
    return min(times), max(times)
