import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.logs.query import patterns
from dayfly.logs.query.meaning import matches
from dayfly.logs.query.parse import parse
from dayfly.logs.query.tree import Node, Not, Query
from dayfly.logs.query.written import text
from dayfly.logs.record import Record
from drawn import nodes, records

RECORD = Record(
    time=1_793_490_600_000_000_000,  # 2026-10-31T23:50Z
    message="GET /orders/17 timed out: Größe r3tried, user_id=42",
    app="orders",
    release=41,
    level="error",
    fields={
        "status": 504,
        "duration": 1.5,
        "path": "/orders/17",
        "code": "504",
        "ok": True,
        "e": "",
    },
)
FOUND = [
    "*",
    "TIMED",
    "größe",
    "r3tried",
    "user_id",
    "42",
    "ord*",
    '"Timed Out: grö"',
    "/orders/",
    r"/T \/ord.*\d{2} t/",
    "/(?i)GRÖSSE|GRÖ/",
    "app:orders",
    "release:41 release:>9 release:<100",
    'status:504 status:"504" status:500..599 status:>=504 status:!=500',
    "code:504 code:>=504",
    "duration:1.5 duration:1.50 duration:<2",
    "ok:true",
    'e:* e:""',
    "path:/orders/* path:/[0-9]+$/",
    "level:(error OR critical) level:>=warning level:!=info",
    "status:* time:* NOT host:* -user:*",
    "time:>2026-10-31 time:<2026-11-01 time:2026-10-31 time:2026-10-31T23:50",
    "app:web OR timed",
]
NOT_FOUND = [
    "time",
    "user",
    "ordersx*",
    '"timed  out"',
    "/Timed/",
    "app:Orders",
    "host:!=x",
    "nobody:!=x",
    "nobody:*",
    "host:*",
    "status:505..599",
    "ok:1",
    "path:orders/*",
    "time:2026-11-01",
    "app:web timed",
]


@pytest.mark.parametrize("written", FOUND)
def test_a_record_is_found(written: str) -> None:
    assert matches(parse(written).where, RECORD)


@pytest.mark.parametrize("written", NOT_FOUND)
def test_a_record_is_not_found(written: str) -> None:
    assert not matches(parse(written).where, RECORD)


@given(nodes, records)
@settings(max_examples=50)
def test_what_is_printed_finds_the_same(node: Node, record: Record) -> None:
    assert matches(parse(text(Query(node))).where, record) is matches(node, record)
    assert matches(Not(node), record) is not matches(node, record)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(a|a)*$", "(a*)*(a*)*b", "(.*a){30}b", r"([a-z]{30}){30}?\d"]
)
def test_a_pattern_that_would_explode_elsewhere_ends_at_once(pattern: str) -> None:
    assert patterns.problem_of(pattern) is None
    begun = time.process_time()

    assert not patterns.searched(pattern, "a" * 100_000 + "!")

    assert time.process_time() - begun < 5


@given(st.text(max_size=20))
@settings(max_examples=50)
def test_marking_changes_nothing_but_adds_marks(message: str) -> None:
    assert patterns.marked("(?i)[a-z]+", message, "", "") == message


def test_matches_are_marked_where_they_are() -> None:
    assert patterns.marked(r"\bfoo", "xfoo foo", "[", "]") == "xfoo [foo]"
    assert patterns.marked("x*", "axb", "[", "]") == "a[x]b"
