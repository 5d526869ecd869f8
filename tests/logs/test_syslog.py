"""Syslog: how messages are parted, and what is read from one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.logs.intake.framing import Frames
from dayfly.logs.intake.syslog import line_of
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.store.line import read as stored

MOMENT = 1_793_577_600 * 10**9  # 2026-11-02T00:00Z
FIRST = MOMENT - 86_400 * 10**9


def read(message: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line_of(message, Known(MOMENT), "192.0.2.1"))
    return {name: value for name, value in found.items() if value or name == "message"}


SYSLOG = {"stream": "syslog", "time": FIRST}
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    (
        '<165>1 2026-11-01T00:00:00Z web-1 app 87 ID47 [x@1 k="v \\"q\\" \\]"][y] \ufeffan é',
        {
            "message": "an é", "level": "info", "host": "web-1", "process": "app",
            "fields": {"facility": "local4", "pid": 87, "msgid": "ID47", "x@1.k": 'v "q" ]'},
        },
    ),
    (
        "<11>1 - - - - - -",
        {
            "time": MOMENT, "message": "", "level": "error", "host": "192.0.2.1",
            "fields": {"facility": "user"},
        },
    ),
    (
        "<34>Nov  1 00:00:00 web-1 su[12]: 'su root' failed: pam",
        {
            "message": "'su root' failed: pam", "level": "critical", "host": "web-1",
            "process": "su", "fields": {"facility": "auth", "pid": 12},
        },
    ),
    (
        "<30>Nov  1 00:00:00 0a1b2c[99]: hello: there",
        {
            "message": "hello: there", "level": "info", "host": "192.0.2.1", "process": "0a1b2c",
            "fields": {"facility": "daemon", "pid": 99},
        },
    ),
    (
        "<30> 2026-11-01T01:00:00+01:00 web-1 shop[7]: hello",
        {
            "message": "hello", "level": "info", "host": "web-1", "process": "shop",
            "fields": {"facility": "daemon", "pid": 7},
        },
    ),
    (
        '<14>Nov  1 00:00:00 web-1 app: @cee: {"msg": "paid", "level": "warn", "id": 7}',
        {
            "message": "paid", "level": "warning", "host": "web-1", "process": "app",
            "fields": {"facility": "user", "id": 7},
        },
    ),
    (
        "<12>what nobody formed",
        {
            "time": MOMENT, "message": "what nobody formed", "level": "warning",
            "host": "192.0.2.1", "fields": {"facility": "user"},
        },
    ),
    (
        "<999>x",
        {"time": MOMENT, "message": "<999>x", "host": "192.0.2.1"},
    ),
    (
        "<14>Nov  2 02:00:00 web-1 app: in the local time of a zone that is ahead",
        {
            "time": MOMENT, "message": "in the local time of a zone that is ahead",
            "level": "info", "host": "web-1", "process": "app",
            "fields": {"facility": "user", "told_time": "2026-11-02T02:00:00.000000000Z"},
        },
    ),
    (
        "<14>1 2031-01-01T00:00:00Z web-1 app - - - of the future",
        {
            "time": MOMENT, "message": "of the future", "level": "info", "host": "web-1",
            "process": "app",
            "fields": {"facility": "user", "told_time": "2031-01-01T00:00:00.000000000Z"},
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "record"), MESSAGES)
def test_a_message_becomes_a_record(message: str, record: dict[str, Any]) -> None:
    assert read(message.encode()) == SYSLOG | record


@given(st.binary() | st.text().map(str.encode), st.sampled_from(["", "<13>", "<13>1 ", "<13>Nov "]))
def test_any_bytes_are_a_record(message: bytes, before: str) -> None:
    assert stored(line_of(before.encode() + message, Known(MOMENT), "192.0.2.1"))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"))
MESSAGE = TEXTS.map(lambda text: f"<13>{text}".encode())


def framed(message: bytes, *, counted: bool) -> bytes:
    return b"%d %s" % (len(message), message) if counted else message + b"\n"


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    pieces = []
    for place in places:
        pieces.append(stream[:place])
        stream = stream[place:]
    return [*pieces, stream]


@given(st.lists(st.tuples(MESSAGE, st.booleans())), st.lists(st.integers(1, 40)))
def test_messages_come_through_in_either_framing_however_they_are_cut(
    told: list[tuple[bytes, bool]], places: list[int]
) -> None:
    stream = b"".join(framed(message, counted=counted) for message, counted in told)
    frames = Frames()
    found = [one for piece in cut(stream, places) for one in frames.feed(piece)]

    assert found + frames.end() == [message for message, _ in told]


@given(st.lists(st.binary(max_size=60)), st.integers(1, 20))
def test_where_a_stream_is_cut_makes_no_difference(pieces: list[bytes], longest: int) -> None:
    many, one = Frames(longest), Frames(longest)
    found = [message for piece in pieces for message in many.feed(piece)] + many.end()

    assert found == one.feed(b"".join(pieces)) + one.end()
    assert all(len(message) <= longest for message in found)


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"<1>a\n<1>b\r\n\n<1>c", [b"<1>a", b"<1>b", b"<1>c"]),
        (b"4 <1>a6 <1>b\nc\n4 <1>d", [b"<1>a", b"<1>b\nc", b"<1>d"]),
        (b"12 monkeys\n12\n", [b"12 monkeys", b"12"]),
        (b"<1>aaaaaaaaaaaaaaa\n<1>b\n", [b"<1>aaaaaaa", b"<1>b"]),
        (b"18 <1>aaaaaaaaaaaaaaa4 <1>b", [b"<1>aaaaaaa", b"<1>b"]),
    ],
)
def test_frames(stream: bytes, messages: list[bytes]) -> None:
    frames = Frames(longest=10)

    assert frames.feed(stream) + frames.end() == messages
