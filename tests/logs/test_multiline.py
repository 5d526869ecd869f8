"""Lines that belong together."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.logs.parsing.multiline import Bounds, starts

PYTHON = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    pay()
ValueError: no money

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
KeyError: 'x'"""
JAVA = """\
2026-11-27 03:12:45,123 ERROR [main] com.example.App - failed
java.lang.IllegalStateException: outer
\tat com.example.App.main(App.java:3)
Caused by: java.sql.SQLException: inner
\tat com.example.Db.ask(Db.java:7)
\t... 1 more"""
THREAD = """\
Exception in thread "main" java.lang.NullPointerException
\tat com.example.App.main(App.java:3)"""
JUL = """\
Nov 27, 2026 3:12:45 AM com.example.App main
SEVERE: failed
java.lang.IllegalStateException: outer
\tat com.example.App.main(App.java:3)"""
GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.pay(0x1)
\t/app/main.go:5 +0x1d
main.main()
\t/app/main.go:9 +0x2e
created by main.start in goroutine 1
\t/app/main.go:12
exit status 2"""
GO_SERVER = """\
2026/11/27 03:12:45 http: panic serving 127.0.0.1:5: boom
goroutine 7 [running]:
net/http.(*conn).serve.func1()
\t/usr/lib/go/src/net/http/server.go:1 +0xb"""
NODE = """\
/app/server.js:12
    throw new TypeError("x")
    ^

TypeError: x
    at pay (/app/server.js:12:3) {
  code: 'E1'
}

Node.js v20.1.0"""
LOGGED = "ERROR:orders:payment failed\n" + PYTHON
SQL = """\
2026-11-27 03:12:45.123 UTC [1] STATEMENT:  select 1
\tfrom orders"""
OBJECT = """\
{
  a: 1,
}"""


@pytest.mark.parametrize(
    "record", [PYTHON, LOGGED, JAVA, THREAD, JUL, GO, GO_SERVER, NODE, SQL, OBJECT]
)
def test_a_traceback_is_one_record(record: str) -> None:
    lines = ["before", *record.split("\n"), "after", "and after"]

    assert starts(lines, Bounds()) == [0, 1, len(lines) - 2, len(lines) - 1]


@pytest.mark.parametrize(
    "lines",
    [
        ["one", "two", "three"],
        ["fine", "Traceback (most recent call last):"],  # it does not belong to a good word
        ["INFO: done", "java.lang.String is a class"],
        ["panic on the streets", "main.main()"],
        ['{"a": 1}', '{"a": 2}'],
        ["Nov 27, 2026 3:12:45 AM a.B c", "Nov 27, 2026 3:12:45 AM a.B c"],
    ],
)
def test_other_lines_are_records_of_their_own(lines: list[str]) -> None:
    assert starts(lines, Bounds()) == list(range(len(lines)))


def test_a_record_is_bounded_in_lines_and_size() -> None:
    frames = ["Traceback (most recent call last):", *(["  frame"] * 25)]

    assert starts(frames, Bounds(lines=10)) == [0, 10, 20]
    assert starts(frames, Bounds(size=100)) == [0, 10, 24]


@given(some.lists(some.text(max_size=10) | some.sampled_from((PYTHON + NODE + GO).split("\n"))))
def test_every_line_is_in_one_record(lines: list[str]) -> None:
    found = starts(lines, Bounds(lines=3))

    assert found[:1] == [0][: len(lines)]
    assert all(0 < later - before <= 3 for before, later in pairwise([*found, len(lines)]))
