"""Lines made to be slow: a megabyte of anything is read in time that grows with its length."""

import time

import pytest

from dayfly.logs.parsing.line import LONGEST, read
from dayfly.logs.parsing.multiline import Bounds, starts
from dayfly.logs.parsing.parsed import Known

BEGINNINGS = (
    "",
    "{",
    "[",
    '"',
    "<34>1 - - - - - [",
    "2026-11-27 03:12:45 ",
    "2026-11-27T03:12:45Z INFO 1 --- [",
    "panic: ",
    "goroutine 1 [",
    "/a",
    "a.",
    "ERROR:",
    "INFO:     ",
    '1 - - [27/Nov/2026:03:12:45 +0000] "',
    "2026-11-27 03:12:45 UTC,",
    "info: {",
    "level=info msg=",
    "1795749165123 a b c http d GET 200 -- ",
)
REPEATED = (" ", "(", "a", "a.", "[", "]", '"', "\\", "=", "a=", ":", ":1", ",", "{", '{"a":', "\t")


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_long_line_is_read_in_a_moment(beginning: str) -> None:
    for repeated in REPEATED:
        line = beginning + repeated * (LONGEST // 8 // len(repeated))
        began = time.process_time()

        read(line, Known(10**18))
        starts(["panic: x", line, "ERROR /a:1", line], Bounds())

        assert time.process_time() - began < 1, (beginning, repeated)
