"""Lines that belong together."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.logs.parsing.line import read
from dayfly.logs.parsing.multiline import Bounds, starts
from dayfly.logs.parsing.parsed import Known

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
DATED = "2026-11-27 11:57:47,774 ERROR root failed\n"
MESSAGE = f"""{DATED}\
Traceback (most recent call last):
  File "p.py", line 5, in <module>
    raise ValueError("two\\nline message") from e
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: two
line message

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "p.py", line 17, in <module>
    try: raise e
         ^^^^^^^
E: noted
note one
note two"""
DRIVER = """\
Traceback (most recent call last):
  File "p.py", line 3, in ask
sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedTable) relation "x" does not exist
LINE 1: select * from x
                      ^
[SQL: select * from x]
(Background on this error at: https://sqlalche.me/e/20/f405)"""
GROUP = f"""{DATED}\
  + Exception Group Traceback (most recent call last):
  |   File "p.py", line 8, in <module>
  |     raise ExceptionGroup("eg", [ValueError("a"), TypeError("b")])
  | ExceptionGroup: eg (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: a
    +---------------- 2 ----------------
    | TypeError: b
    +------------------------------------"""
SYNTAX = """\
Traceback (most recent call last):
  File "p.py", line 21, in <module>
    try: compile("x = = 1","f","exec")
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "f", line 1
    x = = 1
        ^
SyntaxError: invalid syntax"""
CAUSE = """\
java.lang.RuntimeException: outer
\tat J.main(J.java:4)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
\tSuppressed: java.io.IOException: supp
\t\t... 8 more
Caused by: java.lang.IllegalStateException: inner
second line
\t... 8 more"""
NODE_MESSAGE = """\
MyErr: mine
second
third
    at Object.<anonymous> (/app/n.js:2:98)
    at node:internal/main/run_main_module:28:49 {
  code: 5
}"""
NODE_CAUSE = """\
Error: with cause
    at Object.<anonymous> (/app/n.js:1:98)
    ... 4 lines matching cause stack trace ...
    at node:internal/main/run_main_module:28:49 {
  [cause]: TypeError: c
      at Object.<anonymous> (/app/n.js:1:128)
}"""
NODE_UNCAUGHT = """\
/app/n.js:4
throw new MyErr("mine\\nsecond")
^

MyErr: mine
second
    at f (/app/n.js:4:7)
    at node:internal/main/run_main_module:28:49 {
  code: 5
}

Node.js v20.20.2"""
NODE_REJECTED = """\
/app/n.js:3
Promise.reject(new AggregateError([new Error("a"),new Error("b")],"agg"));
               ^

AggregateError: agg
    at Object.<anonymous> (/app/n.js:3:16)
    at node:internal/main/run_main_module:28:49 {
  [errors]: [
    Error: a
        at Object.<anonymous> (/app/n.js:3:36)
  ]
}

Node.js v20.20.2"""
NODE_TEXT = """\
/app/n.js:1
throw "boom"
^
boom
(Use `node --trace-uncaught ...` to show where the exception was thrown)

Node.js v20.20.2"""
NODE_INSIDE = """\
node:internal/modules/esm/resolve:873
  throw new ERR_MODULE_NOT_FOUND(packageName, fileURLToPath(base), null);
        ^

Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'nope' imported from /app/n.mjs
    at packageResolve (node:internal/modules/esm/resolve:873:9) {
  code: 'ERR_MODULE_NOT_FOUND'
}

Node.js v20.20.2"""
NODE_EMITTED = """\
node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: connect ECONNREFUSED 127.0.0.1:1
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1607:16)
Emitted 'error' event on Socket instance at:
    at emitErrorNT (node:internal/streams/destroy:170:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:90:21) {
  errno: -111,
  code: 'ECONNREFUSED'
}

Node.js v20.20.2"""
NODE_WARNED = """\
(node:7) UnhandledPromiseRejectionWarning: Error: no stock
    at f (/app/n.js:4:7)
(Use `node --trace-warnings ...` to show where the warning was created)"""
SQL = """\
2026-11-27 03:12:45.123 UTC [1] STATEMENT:  select 1
\tfrom orders"""
OBJECT = """\
{
  a: 1,
}"""


# As asyncio, threads, __del__ and faulthandler write them without a logger of the application's.
NEVER_RETRIEVED = """\
Task exception was never retrieved
future: <Task finished name='Task-2' coro=<f() done, defined at /app/a.py:2> exception=ValueError()>
Traceback (most recent call last):
  File "/app/a.py", line 2, in f
ValueError: no"""
CALLBACK = """\
Exception in callback main.<locals>.<lambda>() at /app/a.py:5
handle: <Handle main.<locals>.<lambda>() at /app/a.py:5>
Traceback (most recent call last):
  File "/app/a.py", line 5, in <lambda>
ZeroDivisionError: division by zero"""
PENDING = """\
Task was destroyed but it is pending!
task: <Task pending name='Task-1' coro=<f() running at /app/a.py:2>>"""
IGNORED = """\
Exception ignored in: <function D.__del__ at 0x7f8f8ed949a0>
Traceback (most recent call last):
  File "/app/a.py", line 8, in __del__
KeyError: 'x'"""
IN_THREAD = """\
Exception in thread Thread-1 (w):
Traceback (most recent call last):
  File "/app/a.py", line 10, in w
KeyError: 'x'"""
FAULT = """\
Fatal Python error: Segmentation fault

Thread 0x00007fd9a8bff6c0 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 327 in wait

Current thread 0x00007fd9a9a0cb80 (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at

Extension modules: _cffi_backend (total: 1)"""
GO_DEADLOCK = """\
fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.main()
\t/app/main.go:5 +0x2c
exit status 2"""
GO_SIGNAL = """\
SIGSEGV: segmentation violation
PC=0x0 m=0 sigcode=1 addr=0x0
signal arrived during cgo execution

goroutine 0 gp=0xa0a4a0 m=0 mp=0xa0b440 [idle]:
runtime.mPark(...)
\t/usr/lib/go/src/runtime/proc.go:1967

goroutine 1 gp=0xc0000021c0 m=nil [syscall]:
runtime.cgocall(0x45f2e0, 0xc00004ef08)
\t/usr/lib/go/src/runtime/cgocall.go:157 +0x4b fp=0xc00004eee0 sp=0xc00004eea8 pc=0x40536b

goroutine 2 [sleep]:
time.Sleep(0x3b9aca00)
\t/usr/lib/go/src/runtime/time.go:363 +0x125

rax    0x0
rflags 0x10246
exit status 2"""
AGGREGATE = """\
AggregateError [ECONNREFUSED]:\x20
    at internalConnectMultiple (node:net:1122:18)
    at afterConnectMultiple (node:net:1689:7) {
  code: 'ECONNREFUSED',
  [errors]: [
    Error: connect ECONNREFUSED ::1:1
        at createConnectionError (node:net:1652:14)
  ]
}"""
RECORDS = {
    "python": [
        PYTHON,
        LOGGED,
        MESSAGE,
        DRIVER,
        GROUP,
        SYNTAX,
        NEVER_RETRIEVED,
        CALLBACK,
        PENDING,
        IGNORED,
        IN_THREAD,
    ],
    "ended": [FAULT, GO_DEADLOCK, GO_SIGNAL],
    "java": [JAVA, THREAD, JUL, CAUSE],
    "go": [GO, GO_SERVER],
    "node": [
        AGGREGATE,
        NODE,
        NODE_MESSAGE,
        NODE_CAUSE,
        NODE_UNCAUGHT,
        NODE_REJECTED,
        NODE_TEXT,
        NODE_INSIDE,
        NODE_EMITTED,
        NODE_WARNED,
    ],
    "other": [SQL, OBJECT],
}


@pytest.mark.parametrize("record", [each for records in RECORDS.values() for each in records])
def test_a_traceback_is_one_record(record: str) -> None:
    lines = ["before", *record.split("\n"), "INFO:orders:after", "INFO:orders:and after"]

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
        ["/metrics:80", "is asked", "often"],
        ["Started: yes", "2026-11-27 11:57:47,776 INFO root fine", "TypeError: x"],
    ],
)
def test_other_lines_are_records_of_their_own(lines: list[str]) -> None:
    assert starts(lines, Bounds()) == list(range(len(lines)))


@pytest.mark.parametrize("record", RECORDS["python"] + RECORDS["java"] + RECORDS["node"])
def test_what_was_thrown_is_an_error(record: str) -> None:
    assert read(record, Known(0)).level == "error"


@pytest.mark.parametrize("record", RECORDS["ended"])
def test_what_ended_the_program_is_critical(record: str) -> None:
    assert read(record, Known(0)).level == "critical"


def test_a_request_that_a_server_of_go_lost_is_an_error() -> None:
    assert read(GO_SERVER, Known(0)).level == "error"


def test_what_a_thread_died_of_is_not_the_end_of_another_message() -> None:
    assert starts([*LOGGED.split("\n"), *IN_THREAD.split("\n")], Bounds()) == [
        0,
        LOGGED.count("\n") + 1,
    ]


def test_a_line_of_its_own_ends_a_message() -> None:
    """In a log whose records begin with no time and no level, any line is one."""
    plain = PYTHON.split("\n")

    assert starts([*plain, "serving again"], Bounds()) == [0, len(plain)]
    assert starts([*plain, *MESSAGE.split("\n")], Bounds()) == [0, len(plain)]


def test_a_message_is_bounded() -> None:
    lines = [*MESSAGE.split("\n"), *(["note"] * 20)]

    assert starts(lines, Bounds(message=10)) == [0, 25, *range(26, 37)]


def test_a_record_is_bounded_in_lines_and_size() -> None:
    frames = ["Traceback (most recent call last):", *(["  frame"] * 25)]

    assert starts(frames, Bounds(lines=10)) == [0, 10, 20]
    assert starts(frames, Bounds(size=100)) == [0, 10, 24]


@given(
    some.lists(
        some.text(max_size=10)
        | some.sampled_from((PYTHON + NODE_UNCAUGHT + CAUSE + GO).split("\n"))
    )
)
def test_every_line_is_in_one_record(lines: list[str]) -> None:
    found = starts(lines, Bounds(lines=3))

    assert found[:1] == [0][: len(lines)]
    assert all(0 < later - before <= 3 for before, later in pairwise([*found, len(lines)]))
