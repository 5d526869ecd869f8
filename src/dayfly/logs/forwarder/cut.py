"""Bytes of a file into whole records: pure, so that the same bytes always give the same."""

from typing import NamedTuple

from dayfly.logs.parsing.line import LONGEST, text_of
from dayfly.logs.parsing.multiline import Bounds, starts, unsettled

BLOCK = LONGEST + 1  # bytes of a file that are looked at; a line and its end
_CONTINUED = 0b1000_0000, 0b1100_0000  # a byte of UTF-8 that does not begin a character, and mask


class Cut(NamedTuple):
    records: list[str]
    end: int  # so many bytes are in them; the rest waits


NOTHING = Cut([], 0)


def cut(data: bytes, bounds: Bounds, *, more: bool, quiet: bool, last: bool) -> Cut:
    """What is whole.

    more: the file goes on behind the data. quiet: nothing came for a while, so the last record has
    no further lines. last: nothing will come, so a line without its end is one.
    """
    end = data.rfind(b"\n") + 1
    if not end:
        return _without_end(data, last=last and not more)
    if last and not more:
        end = len(data)
    whole = data if end == len(data) else data[:end]
    lines = _lines(whole)
    begins = starts(lines, bounds)
    if (more or not quiet) and begins:
        held = unsettled(lines, begins)
        if held == len(begins):
            if not more:
                return NOTHING
            held = 1  # it is too long to wait for
        if held < len(begins):
            end -= _held(whole, len(lines) - begins[-held])
            lines, begins = lines[: begins[-held]], begins[:-held]
    return Cut(_joined(lines, begins), end)


def _without_end(data: bytes, *, last: bool) -> Cut:
    """A part of a line: cut when it is too long, between two characters."""
    if len(data) <= LONGEST:
        return Cut(_joined([text_of(data)], [0]), len(data)) if last and data else NOTHING
    end = _boundary(data, LONGEST)
    return Cut([text_of(data[:end])], end)


def _lines(whole: bytes) -> list[str]:
    text = text_of(whole) if b"\0" not in whole else "\n".join(map(text_of, whole.split(b"\n")))
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _held(whole: bytes, lines: int) -> int:
    """The bytes of so many last lines."""
    position = len(whole) - whole.endswith(b"\n")
    for _ in range(lines):
        position = whole.rfind(b"\n", 0, position)
    return len(whole) - position - 1


def _joined(lines: list[str], begins: list[int]) -> list[str]:
    if len(begins) == len(lines):
        return [line for line in lines if line and not line.isspace()]
    ends = [*begins[1:], len(lines)]
    joined = ("\n".join(lines[a:b]).rstrip("\n") for a, b in zip(begins, ends, strict=True))
    return [record for record in joined if record and not record.isspace()]


def _boundary(data: bytes, end: int) -> int:
    """Not within a character."""
    bits, mask = _CONTINUED
    for back in range(4):
        if end - back < len(data) and data[end - back] & mask != bits:
            return end - back
    return end
