"""What is read at once is what is read one by one."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.logs import wire
from dayfly.logs.intake import bulk, jsonline
from dayfly.logs.intake.layout import Layouts, Texts, UnfitError
from dayfly.logs.store.frame import frame_of, records
from dayfly.logs.store.line import Line
from dayfly.logs.store.line import read as stored
from dayfly.logs.store.packed import as_lines, packed

MOMENT = 1_793_577_600 * 10**9
TOLD = {
    "_msg_field": "_msg,said",
    "_time_field": "_time,at",
    "ignore_fields": "secret,n.secret",
    "extra_fields": "app=orders,shop=north",
}
WORDS = (
    "_msg said message msg event text event.original _time at time @timestamp ts level severity "
    "secret app service.name application release host machine stream n a a.b b timereported "
    "priority fromhost"
)
NAMES = st.sampled_from(WORDS.split())
TIMES = st.sampled_from(
    [
        "2026-11-01T23:59:00Z",
        "2026-11-01T23:59:00.123456789+01:00",
        "2026-11-01 23:59:00,5",
        "1793577600",
        "soon",
        "",
        "0",
        "9999-12-31T00:00:00Z",
    ]
) | st.sampled_from([0, 1_793_577_600, 1_793_577_600_123, MOMENT + 7, 1.5, 1_793_577_600.25])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([2**63 - 1, -(2**63), 2**63, 10**30, 1.0, -0.0, 1e300, 0, 30])
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["warn", "ERROR", "line\n", "\n", "{}"])
    | TIMES
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n \n "])


@st.composite
def batches(draw: st.DrawFn) -> list[bytes]:
    """Objects that look alike, as those of a sender do; now and then one that doesn't."""
    alike = draw(st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3), max_size=8))
    some = [
        {name: draw(st.sampled_from(values)) for name, values in alike.items()} for _ in range(6)
    ]
    return [json.dumps(each).encode() for each in [*some, *draw(st.lists(OBJECTS, max_size=3))]]


def read(frame: pl.DataFrame) -> list[str]:
    """As JSON, where 1, 1.0 and true are not the same."""
    return [json.dumps(wire.plain(record), sort_keys=True) for record in records(frame)]


def same(frame: pl.DataFrame, lines: list[Line]) -> None:
    assert read(frame) == read(frame_of(lines))
    assert as_lines(packed(frame)).count(b"\n") == len(lines)
    assert read(frame_of(stored(as_lines(packed(frame))))) == read(frame)


@given(st.lists(batches(), min_size=1, max_size=3), st.sampled_from([{}, TOLD]), LINE_ENDS)
def test_lines_read_at_once_are_those_read_one_by_one(
    sent: list[list[bytes]], told: dict[str, str], end: bytes
) -> None:
    layouts, shape = Layouts(least=1), jsonline.shape_of(told)
    for texts in sent:
        body = end.join(texts)
        try:
            found = jsonline.columns_of(body, shape, MOMENT, layouts)
        except UnfitError:
            continue
        same(found, jsonline.read(body, shape, MOMENT))


@given(st.lists(batches(), min_size=1, max_size=3))
def test_documents_read_at_once_are_those_read_one_by_one(sent: list[list[bytes]]) -> None:
    layouts = Layouts(least=1)
    for texts in sent:
        body = b"".join(b'{"create":{}}\n%s\n' % text for text in texts)
        at_once = bulk.read(body, index="x", now=MOMENT, layouts=layouts)
        one_by_one = bulk.read(body, index="x", now=MOMENT)
        if at_once.frame is not None:
            same(at_once.frame, one_by_one.records)
        assert [item.status for item in at_once.items] == [item.status for item in one_by_one.items]


WIDE = {f"name{number}": number for number in range(300)}
HOSTILE: dict[str, list[dict[str, object]]] = {
    "many names": [{"a": 1}, WIDE],
    "many names in the first": [WIDE, {"a": 1}],
    "many names below": [{"a": 1}, {"a": WIDE}],
    "a long name": [{"a": 1}, {"x" * 30_000: 1}],
    "a name that no slot has": [{"a": 1}, {'"': 1}],
    "names that meet": [{"a": 1}, {"a.b": 1, "a": {"b": 2}}],
    "deep": [{"a": 1}, {"a": json.loads('{"a":' * 9 + "1" + "}" * 9)}],
}


@pytest.mark.parametrize("objects", HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_kept_of_what_no_sender_of_logs_writes(objects: list[dict[str, object]]) -> None:
    layouts = Layouts(least=1)
    with pytest.raises(UnfitError):
        layouts.columns(Texts("\n".join(map(json.dumps, objects)).encode()))

    assert all(one.layout is None for one in layouts.senders.values())
