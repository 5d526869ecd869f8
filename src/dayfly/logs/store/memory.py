"""What is stored but not sealed: searchable at once."""

import time
from collections.abc import Sequence

import polars as pl

from dayfly.logs.store.frame import frame_of, joined
from dayfly.logs.store.line import Line
from dayfly.logs.store.part import Hot

MOST_LINES = 2000  # kept as lines before they become columns
MOST_MERGED = 65_536  # rows of a frame that may still grow


class Memory:
    """Lines that just came, and frames of the ones before. Its owner locks it."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._parts: list[Hot] = []
        self.rows = self.text = 0
        self._oldest = 0.0

    def add(
        self, lines: Sequence[Line], columns: pl.DataFrame | None = None, text: int = 0
    ) -> None:
        """Lines, or columns instead of them; `text`: bytes of the body that they came in."""
        self._oldest = self._oldest or time.monotonic()
        self.rows += len(lines) if columns is None else columns.height
        self.text += text
        if columns is not None:
            self._settle()
            self._push(columns)
            return
        self._lines += lines
        if len(self._lines) >= MOST_LINES:
            self._settle()

    @property
    def age(self) -> float:
        """Seconds since the first record came."""
        return time.monotonic() - self._oldest if self._oldest else 0.0

    def parts(self) -> list[Hot]:
        self._settle()
        return list(self._parts)

    def take(self) -> list[Hot]:
        """All of it, which is here no longer."""
        parts = self.parts()
        self._parts, self.rows, self.text, self._oldest = [], 0, 0, 0.0
        return parts

    def _settle(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._push(frame_of(lines))

    def _push(self, frame: pl.DataFrame) -> None:
        """Merge frames of like size, so that there are few of them however small they came."""
        while self._parts and self._parts[-1].frame.height <= frame.height < MOST_MERGED:
            frame = joined([self._parts.pop().frame, frame]).rechunk()
        self._parts.append(Hot.of(frame))
