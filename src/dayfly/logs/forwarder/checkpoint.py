"""How far each file was read, and how far the store has it: on disk, so that a crash forgets none.

Which file is which: device and inode, the first bytes and those before the position, since an
inode is given again and a file may be cut and filled anew. Each content gets a random id, which
batches carry.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from dayfly.durable import write_atomically
from dayfly.stored import read_json

NAME = "checkpoint.json"
LOST_SECONDS = 600.0  # so long it is looked for
ANCHOR = 256  # bytes before the position that are remembered: more than a usual line has


@dataclass(kw_only=True)
class Position:
    id: str
    base: str  # the path at which it was found first: what it is to those who describe it
    path: str  # where it lay when last seen
    since: int  # when the file at `base` was last written before we knew of it, in nanoseconds
    device: int
    inode: int  # 0: its content was cut away
    read: int = 0  # so many bytes are in the spool or the store
    acknowledged: int = 0  # so many are in the store (or were dropped, which is counted)
    anchor: bytes = b""
    head: bytes = b""  # the first bytes: lines that are all alike have another first one
    lost: float = 0.0  # when its content was not found any more, in seconds; 0: it is there

    @property
    def key(self) -> tuple[int, int]:
        return self.device, self.inode

    def begin(self, data: bytes) -> None:
        """What follows the position is about to be read."""
        if len(self.head) == self.read < ANCHOR:
            self.head = (self.head + data)[:ANCHOR]

    def advance(self, read: int, anchor: bytes) -> None:
        if read > self.read:
            self.read, self.anchor = read, anchor

    def lose(self, *, cut: bool = False) -> None:
        """A copy of it, or its file under another name, may still be found."""
        self.inode = 0 if cut else self.inode
        self.lost = time.time()

    def found_again(self, path: Path, found: os.stat_result) -> None:
        self.device, self.inode, self.path = found.st_dev, found.st_ino, str(path)
        self.lost = 0.0


@dataclass(kw_only=True)
class Lost:
    """What did not reach the store, ever."""

    dropped_lines: int = 0  # because the spool was full, and the policy says so
    refused_batches: int = 0  # by the store, for good; they lie in the folder `refused`


@dataclass(kw_only=True)
class Checkpoint:
    positions: list[Position] = field(default_factory=list)
    lost: Lost = field(default_factory=Lost)

    def by_file(self) -> dict[tuple[int, int], Position]:
        return {each.key: each for each in self.positions if not each.lost}

    def by_id(self) -> dict[str, Position]:
        return {each.id: each for each in self.positions}

    def of(self, base: str) -> list[Position]:
        """All contents that a path had."""
        return [each for each in self.positions if each.base == base]

    def register(self, path: Path, base: str, found: os.stat_result) -> Position:
        """A content that nobody has seen."""
        made = Position(
            id=os.urandom(8).hex(),
            base=base,
            path=str(path),
            since=min((each.since for each in self.of(base)), default=found.st_mtime_ns),
            device=found.st_dev,
            inode=found.st_ino,
        )
        self.positions.append(made)
        return made

    def forget(self, waiting: Iterable[str]) -> None:
        """Contents that were lost long ago, once nothing of theirs waits to be sent."""
        kept, now = set(waiting), time.time()
        self.positions = [
            each
            for each in self.positions
            if each.id in kept or not each.lost or now - each.lost < LOST_SECONDS
        ]


def load(folder: Path) -> Checkpoint:
    hint = "Move it away to read all files from their beginning; lines will be there twice."
    return read_json(folder / NAME, Checkpoint, absent=Checkpoint(), hint=hint)


def encoded(checkpoint: Checkpoint) -> bytes:
    return msgspec.json.encode(checkpoint)


def save(folder: Path, raw: bytes) -> None:
    write_atomically(folder / NAME, raw)


Shipped = Literal["whole", "partly", "unseen"]


def acknowledged(folder: Path, path: Path) -> bool:
    """Whether the store has the last byte of a file: only then may its machine be retired.

    For another process than the forwarder's, which works with the same folder.
    """
    return shipped(load(folder), path) == "whole"


def shipped(checkpoint: Checkpoint, path: Path) -> Shipped:
    """How much of a file the store has; one that is empty or gone is whole."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "whole"
    if not found.st_size:
        return "whole"
    position = checkpoint.by_file().get((found.st_dev, found.st_ino))
    if position is None:
        return "unseen"
    return "whole" if position.acknowledged >= found.st_size else "partly"
