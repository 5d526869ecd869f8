"""Bytes of a file into records: wherever the blocks end, every line is in one record."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.logs.forwarder.cut import BLOCK, cut
from dayfly.logs.parsing.line import LONGEST
from dayfly.logs.parsing.multiline import Bounds


@pytest.mark.parametrize(
    ("data", "quiet", "last", "records", "end"),
    [
        (b"", True, True, [], 0),
        (b"one\ntwo\n", True, False, ["one", "two"], 8),
        (b"one\ntwo\n", False, False, ["one"], 4),  # a further line of `two` may come
        (b"one\n", False, False, [], 0),
        (b"one\ntw", True, False, ["one"], 4),
        (b"one\ntw", True, True, ["one", "tw"], 6),
        (b"tw", True, False, [], 0),
        (b"one\n  more\ntwo\n", False, False, ["one\n  more"], 11),
        (b"one\n\n\n", True, False, ["one"], 6),
        (b"\n\0\0\none\n\ntwo\n \n", True, True, ["one", "two\n "], 15),
        (b"\n \n", True, False, [], 3),
        (b"one\r\ntwo\r\n", True, False, ["one", "two"], 10),
        (b"one\n\0\0\0", True, True, ["one"], 7),
    ],
)
def test_what_is_whole(data: bytes, quiet: bool, last: bool, records: list[str], end: int) -> None:
    found = cut(data, Bounds(), more=False, quiet=quiet, last=last)

    assert (found.records, found.end) == (records, end)


@given(some.integers(0, 3), some.sampled_from(["é", "€", "𝄞"]))
def test_a_line_too_long_is_cut_between_characters(shift: int, letter: str) -> None:
    data = (b"x" * shift + letter.encode() * LONGEST)[:BLOCK]
    found = cut(data, Bounds(), more=True, quiet=False, last=False)

    assert 0 <= LONGEST - found.end < 4
    assert found.records == [data[: found.end].decode()]


LINE = some.sampled_from(
    [
        b"one",
        b"  indented",
        b"",
        b"Traceback (most recent call last):",
        b"ValueError: x",
        b"    at f (a.js:1)",
        b"/a.js:1",
        b"  ^",
        b"\xff\xc3",
    ]
)


def test_a_message_waits_for_its_frames() -> None:
    """They come with it, but not always in the same block."""
    data = b"one\nMyErr: mine\nsecond\n"

    assert cut(data, Bounds(), more=False, quiet=False, last=False) == (["one"], 4)
    assert cut(data[4:], Bounds(), more=True, quiet=False, last=False) == (["MyErr: mine"], 12)
    whole = cut(data + b"    at f (a.js:1)\n", Bounds(), more=False, quiet=True, last=False)
    assert whole.records == ["one", "MyErr: mine\nsecond\n    at f (a.js:1)"]


@given(some.lists(LINE), some.data())
def test_every_line_is_taken_once_however_it_comes(
    lines: list[bytes], draw: some.DataObject
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    taken, position, records = 0, 0, list[str]()
    while taken < len(data):
        taken = draw.draw(some.integers(taken, len(data)))
        quiet = taken == len(data) or draw.draw(some.booleans())
        found = cut(data[position:taken], Bounds(), more=False, quiet=quiet, last=False)
        records += found.records
        position += found.end

    assert position == len(data)
    told = [line for record in records for line in record.split("\n") if line]
    assert told == [line.decode(errors="replace") for line in lines if line]
