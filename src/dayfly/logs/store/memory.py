"""What is stored but not sealed: searchable at once."""

import time
from collections.abc import Sequence
from itertools import takewhile

import polars as pl

from dayfly.logs.store.frame import frame_of, joined
from dayfly.logs.store.line import Line
from dayfly.logs.store.part import Hot

MOST_LINES = 2000  # kept as lines before they become columns
MOST_MERGED = 16_384  # rows of a frame that may still grow
TOGETHER = 4  # frames of like size that become one


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
        if frame.height >= MOST_MERGED:
            self._merge(MOST_MERGED)
        self._parts.append(Hot.of(frame))
        while self._merge(4 ** (self._parts[-1].frame.height.bit_length() // 2 + 1)):
            pass

    def _merge(self, below: int) -> bool:
        """The last frames with fewer rows; whether there were enough of them."""
        below = min(below, MOST_MERGED)
        alike = list(takewhile(lambda part: part.frame.height < below, reversed(self._parts)))
        if len(alike) < TOGETHER:
            return False
        frames = [part.frame for part in reversed(alike)]
        self._parts[-len(frames) :] = [Hot.of(joined(frames).rechunk())]
        return True
