import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.logs.query.parse import parse
from dayfly.logs.query.rows import Row, rows
from dayfly.logs.query.shape import shape
from dayfly.logs.record import Record

MINUTE = 60 * 10**9
RECORDS = [
    Record(time=0, message="took 5 ms", app="web", release=41, fields={"ms": 5, "path": "/a"}),
    Record(time=MINUTE, message="took 17 ms", app="web", release=42, fields={"ms": 1.5}),
    Record(time=6 * MINUTE, message="lost 10.0.0.1", app="jobs", fields={"ms": "x", "path": "/b"}),
    Record(time=7 * MINUTE, message="took 9 ms", app="web", release=41, fields={"path": "/b"}),
]
CASES: dict[str, list[Row]] = {
    "| count()": [{"count": 4}],
    "| count() by app": [{"app": "web", "count": 3}, {"app": "jobs", "count": 1}],
    "| count() by release": [
        {"release": 41, "count": 2},
        {"release": 42, "count": 1},
        {"release": None, "count": 1},
    ],
    "| count() by 5m": [
        {"time": "1970-01-01T00:00:00Z", "count": 2},
        {"time": "1970-01-01T00:05:00Z", "count": 2},
    ],
    "| count() by app, 5m": [
        {"time": "1970-01-01T00:00:00Z", "app": "web", "count": 2},
        {"time": "1970-01-01T00:05:00Z", "app": "jobs", "count": 1},
        {"time": "1970-01-01T00:05:00Z", "app": "web", "count": 1},
    ],
    "| top 1 path": [{"path": "/b", "count": 2}],
    "| p50(ms)": [{"p50": 1.5, "count": 2}],
    "| p99.9(ms) by release": [
        {"release": 41, "p99.9": 5, "count": 1},
        {"release": 42, "p99.9": 1.5, "count": 1},
    ],
    "| patterns": [
        {
            "count": 3,
            "first": "1970-01-01T00:00:00Z",
            "last": "1970-01-01T00:07:00Z",
            "pattern": "took <n> ms",
        },
        {
            "count": 1,
            "first": "1970-01-01T00:06:00Z",
            "last": "1970-01-01T00:06:00Z",
            "pattern": "lost <ip>",
        },
    ],
}
SHAPES = {
    "GET /orders/17 in 5.25 ms": "GET /orders/<n> in <n> ms",
    "id 6f1e0f1c-93b5-4b2e-9d58-0b1f6e2d7a31 gone": "id <uuid> gone",
    "at 2026-11-01T13:30:00.123+01:00 or 2026-11-01 13:30:00,5": "at <time> or <time>",
    "from 10.0.0.1:8080": "from <ip>:<n>",
    "commit 0123456789abcdef0123 at 0xFF": "commit <hex> at <hex>",
    "worker-3 v2": "worker-<n> v<n>",
    "commit 37f336af9e of 1234567": "commit <n> of <n>",
    "commit a123456 or 123456a, req_0af9e12": "commit <n> or <n>, req_<n>",
    "job 01JDQ8HZX3K5V7M9N2P4R6T8W0 of cus_Nffr3eUfNV2Hib": "job <n> of cus_<n>",
    "req k3j9x2p1, key 3f0a, 1NirD82eZvKYlo2CjQk9": "req <n>, key <n>f<n>a, <n>",
    "from 2001:db8::ff00:42:8329, [::1]:80 and fe80::": "from <ip>, [<ip>]:<n> and <ip>",
    "::ffff:10.0.0.1 2001:0db8:0:0:0:ff00:0042:8329": "<ip> <ip>",
    "link 52:54:00:ab:cd:ef took 1h30m, 2m3.5s, 45s": "link <hex> took <n>, <n>, <n>s",
    "dead cafe deadbeef facade Abc::Def std::fs": "dead cafe deadbeef facade Abc::Def std::fs",
    "x86 utf8 http2 sha256 k8s": "x<n> utf<n> http<n> sha<n> k<n>s",
    "x86_64 utf16le base64url v1alpha1 Log4jLogger":
        "x<n>_<n> utf<n>le base<n>url v<n>alpha<n> Log<n>jLogger",
    "12:30:45 a=5000000b": "<n>:<n>:<n> a=<n>b",
}  # fmt: skip


@pytest.mark.parametrize("query", CASES)
def test_a_pipe_makes_rows(query: str) -> None:
    assert rows(parse(query).pipes[0], RECORDS) == CASES[query]


def test_fields_are_chosen_of_each_record() -> None:
    assert rows(parse("| fields time, path, app").pipes[0], RECORDS[:2]) == [
        {"time": "1970-01-01T00:00:00Z", "path": "/a", "app": "web"},
        {"time": "1970-01-01T00:01:00Z", "path": None, "app": "web"},
    ]


def test_of_no_records_there_are_none() -> None:
    assert rows(parse("| count()").pipes[0], []) == [{"count": 0}]
    assert rows(parse("| count() by app").pipes[0], []) == []
    assert rows(parse("| p99(ms)").pipes[0], []) == []


@given(st.lists(st.from_regex(r"[0-9a-f]{7,12}", fullmatch=True), min_size=9, max_size=9))
def test_messages_that_differ_in_hashes_are_of_one_shape(hashes: list[str]) -> None:
    """But those of letters alone are words, and of digits and a unit a number."""
    ids = [each for each in hashes if not re.fullmatch("[a-f]+|[0-9]+[bd]", each)]
    assert len({shape(f"no commit {each}: gone") for each in ids}) <= 1


@pytest.mark.parametrize("message", SHAPES)
def test_the_shape_of_a_message(message: str) -> None:
    assert shape(message) == SHAPES[message]
