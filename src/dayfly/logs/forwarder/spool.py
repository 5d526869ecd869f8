"""Batches on disk that the store does not have yet: bounded, oldest first, whole after a crash."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import translated, write_atomically

_NAME = re.compile(r"(\d{16})-([0-9a-f]{16})-(\d+)-(\d+)\.batch")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Bytes `start` to `end` of a content. The same identity always means the same lines."""

    number: int  # of the order in which they were made
    content: str
    start: int
    end: int
    lines: int
    anchor: bytes  # what the checkpoint needs, should it be older
    size: int = 0  # on disk

    @property
    def identity(self) -> str:
        return f"{self.content}-{self.start}-{self.end}"

    @property
    def name(self) -> str:
        return f"{self.number:016d}-{self.identity}.batch"


class Spool:
    """Not for two threads at once: whoever has two guards it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with translated(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for torn in folder.glob(".*.batch.*"):
                torn.unlink()
            found = sorted(self._found(), key=lambda batch: batch.number)
        self.batches = {batch.number: batch for batch in found}
        self.size = sum(batch.size for batch in found)
        self._next = max(self.batches, default=0) + 1

    def put(
        self, content: str, span: tuple[int, int], lines: int, anchor: bytes, body: bytes
    ) -> Batch:
        batch = Batch(
            number=self._next,
            content=content,
            start=span[0],
            end=span[1],
            lines=lines,
            anchor=anchor,
        )
        raw = msgspec.json.encode(batch) + b"\n" + body
        write_atomically(self.folder / batch.name, raw)
        self._next += 1
        self.batches[batch.number] = kept = replace(batch, size=len(raw))
        self.size += kept.size
        return kept

    def body(self, batch: Batch) -> bytes:
        with translated(self.folder), (self.folder / batch.name).open("rb") as file:
            file.readline()
            return file.read()

    def remove(self, batch: Batch) -> None:
        with translated(self.folder), suppress(FileNotFoundError):
            (self.folder / batch.name).unlink()
        if self.batches.pop(batch.number, None):
            self.size -= batch.size

    def first(self) -> Iterator[Batch]:
        """The oldest batch of each content: no second one may be under way."""
        seen = set[str]()
        for batch in self.batches.values():
            if batch.content not in seen:
                seen.add(batch.content)
                yield batch

    def _found(self) -> Iterator[Batch]:
        for path in self.folder.glob("*.batch"):
            if _NAME.fullmatch(path.name):
                with path.open("rb") as file:
                    batch = typed.decode(file.readline(), Batch)
                yield replace(batch, size=path.stat().st_size)
